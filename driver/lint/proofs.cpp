#include "driver/lint/proofs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "analyzer/z3/prover.h"
#include "runtime/write_file.h"

namespace polecat::driver {

using analyzer::Claim;

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
        const auto written = runtime::write_file(path, text, runtime::Sync::No);
        if (!written)
            throw std::runtime_error("can't write " + path + ": " + written.error());
    };
}

/// Empty: queries are not written.
smt::QueryOptions options_for(const std::string& folder, unsigned jobs = 1) {
    smt::QueryOptions out;
    out.jobs = jobs;
    if (!folder.empty())
        out.sink = writer_to(folder);
    return out;
}

/// Returns how many were proved.
std::size_t add(const std::vector<Claim>& claims, const std::vector<bool>& proved,
                std::map<Claim, bool>& answers) {
    for (std::size_t i = 0; i < claims.size(); ++i)
        answers.emplace(claims[i], proved[i]);
    return static_cast<std::size_t>(std::count(proved.begin(), proved.end(), true));
}

} // namespace

smt::DiffProof prove_diff(const decision::LoweredCluster& base,
                          const decision::LoweredCluster& head, const analyzer::Diff& diff,
                          const std::string& folder) {
    return smt::confirm(base, head, diff, options_for(folder));
}

void add_proofs(const policy::Cluster& cluster, const policy::OrderedPolicies& policies,
                const decision::LoweredCluster& lowered, const std::string& folder, unsigned jobs,
                lint::Settings& settings) {
    const smt::QueryOptions options = options_for(folder, jobs);
    lint::Context context(cluster, policies, lowered, settings);
    std::vector<Claim> existing, anywhere;
    for (const Claim& claim : lint::claims_of(context))
        (claim.is_about_all() ? anywhere : existing).push_back(claim);
    settings.answers = context.answers();
    std::map<Claim, bool> answers;
    const std::size_t proved = add(existing, smt::confirm(lowered, existing, options), answers);
    std::size_t everywhere = 0;
    if (!anywhere.empty())
        everywhere = add(anywhere,
                         smt::confirm_anywhere(*settings.policy_rules, context.covered_everywhere(),
                                               anywhere, options),
                         answers);
    const std::size_t all = existing.size() + anywhere.size();
    fmt::print(stderr,
               "Z3: {} of {} claims proved, {} of them for every endpoint that could exist; {} "
               "without an answer within its limit\n",
               proved + everywhere, all, everywhere, all - proved - everywhere);
    settings.prove = [answers](const Claim& claim) { return answers.at(claim); };
}

} // namespace polecat::driver
