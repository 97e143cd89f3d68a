#include "cli/polecat/proofs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "analyzer/z3/prover.h"

namespace polecat::cli {

namespace {

/// Writes each query to a file of its own: 0001.smt2, 0002.smt2, ...
smt::QuerySink writer_to(const std::string& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure)
        throw std::runtime_error("can't make the folder " + folder + ": " + failure.message());
    // Copies of the sink count together.
    return [folder, number = std::make_shared<unsigned>(0)](const std::string&,
                                                            const std::string& text) {
        const std::string path = fmt::format("{}/{:04}.smt2", folder, ++*number);
        std::ofstream out(path, std::ios::binary);
        out << text;
        out.close();
        if (!out)
            throw std::runtime_error("can't write " + path);
    };
}

} // namespace

void add_proofs(const policy::Cluster& cluster, const policy::OrderedPolicies& policies,
                const decision::LoweredCluster& lowered, const std::string& folder,
                lint::Settings& settings) {
    smt::QueryOptions options;
    if (!folder.empty())
        options.sink = writer_to(folder);
    lint::Context context(cluster, policies, lowered, settings);
    const std::vector<analyzer::Claim> claims = lint::claims_of(context);
    settings.answers = context.answers();
    const std::vector<bool> proved = smt::confirm(lowered, claims, options);
    const auto count = std::count(proved.begin(), proved.end(), true);
    fmt::print(stderr, "Z3: {} of {} findings proved, {} without an answer within its limit\n",
               count, proved.size(), proved.size() - static_cast<std::size_t>(count));
    std::map<analyzer::Claim, bool> answers;
    for (std::size_t i = 0; i < claims.size(); ++i)
        answers.emplace(claims[i], proved[i]);
    settings.prove = [answers](const analyzer::Claim& claim) { return answers.at(claim); };
}

} // namespace polecat::cli
