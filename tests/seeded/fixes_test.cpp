// The same mistakes, and `polecat lint --fix`: of the rules that docs/fixes.md lists, the finding
// goes, nothing as bad comes, and what is added leaves every other byte as it was.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "driver/lint/fix.h"
#include "manifests.h"
#include "tests/expressions.h"
#include "tests/paths.h"

using namespace polecat;

namespace {

constexpr std::uint64_t kFixSeed = 20261127;

/// By slug, whether the edit only adds.
std::map<std::string, bool> rules_with_fixes() {
    std::ostringstream page;
    page << std::ifstream(std::string(testing::source_dir()) + "/docs/fixes.md").rdbuf();
    const std::string text = page.str().substr(0, page.str().find("## Not mended"));
    std::map<std::string, bool> out;
    for (const testing::Match& row :
         testing::matches(text, "\\| \\[PC4[0-9]+\\]\\([^)]*\\) ([a-z0-9-]+) \\| (adds )?"))
        out[row[1]] = !row[2].empty();
    return out;
}

driver::Input checked(const std::string& text, const driver::LintConfig& config) {
    driver::Input out;
    out.cluster = frontend::load_files({{"a.yaml", text}}, out.sources, out.diagnostics);
    out.named.assign(out.sources.size(), true);
    frontend::check_references(out.cluster, out.diagnostics);
    driver::check_input(out, config);
    return out;
}

driver::LintConfig only(const std::string& slug) {
    driver::LintConfig out;
    driver::LintOptions options;
    options.only = {slug};
    REQUIRE(!driver::apply_options(options, out));
    return out;
}

std::map<std::string, std::size_t> counts(const driver::Input& input, diag::Severity least) {
    std::map<std::string, std::size_t> out;
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.severity >= least)
            ++out[std::string(diag::info(each.code).slug) + " " + each.object];
    return out;
}

/// Every character of `part` stands in `whole`, in order.
bool is_within(const std::string& part, const std::string& whole) {
    std::size_t at = 0;
    for (const char c : whole)
        at += at < part.size() && part[at] == c ? 1 : 0;
    return at == part.size();
}

struct FixCount {
    std::size_t found = 0, mended = 0;
};

void mend(const std::string& text, const std::string& slug, bool adds, FixCount& count) {
    const driver::LintConfig config = only(slug);
    driver::Input input = checked(text, config);
    const auto findings = input.diagnostics.list();
    if (findings.empty())
        return; // the other test counts these
    ++count.found;
    const driver::Mended mended = driver::mend(input, config);
    for (const std::string& each : mended.refused)
        MESSAGE(slug, " refused: ", each);
    CHECK(mended.refused.empty());
    const bool fixable = std::any_of(findings.begin(), findings.end(),
                                     [](const auto& each) { return !each.fixes.empty(); });
    CHECK(fixable == !mended.files.empty());
    if (mended.files.empty())
        return;
    ++count.mended;
    const std::string& after = mended.files[0].after;
    INFO(slug, " mended:\n", after);
    if (adds)
        CHECK(is_within(text, after));
    const auto severity = findings.front().severity;
    const auto before_counts = counts(checked(text, {}), severity);
    for (const auto& [key, number] : counts(checked(after, {}), severity)) {
        const auto before = before_counts.find(key);
        CHECK_MESSAGE((before != before_counts.end() && number <= before->second), key, " is new");
    }
    for (const diag::Diagnostic& each : input.diagnostics.list())
        CHECK_MESSAGE(each.fixes.empty(), slug, " is still found");
}

} // namespace

TEST_CASE("fixes mend the mistakes that are put into clusters") {
    testing::Random random(kFixSeed);
    const auto rules = rules_with_fixes();
    CHECK(rules.size() > 15);
    std::map<std::string, FixCount> all;
    for (const char* file : testing::kSeedFiles)
        for (const testing::Seed& seed : testing::read_seeds(file))
            for (const std::string& slug : seed.slugs)
                for (std::size_t i = 0; rules.contains(slug) && i < testing::clusters_for_each();
                     ++i) {
                    const std::string base = random.pick(seed.bases),
                                      family = random.pick(seed.families);
                    const auto manifests = testing::manifests_of(base, &seed, random, family);
                    mend(manifests.text, slug, rules.at(slug), all[slug]);
                }
    std::string table;
    for (const auto& [slug, adds] : rules) {
        const FixCount& count = all[slug];
        table += fmt::format("\n  {:40} {:>5} of {:>5}", slug, count.mended, count.found);
        CHECK_MESSAGE(count.mended > 0, slug, " is never mended");
    }
    MESSAGE(fmt::format("seed {}: mended{}", kFixSeed, table));
}
