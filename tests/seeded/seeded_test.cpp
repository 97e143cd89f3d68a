// Known mistakes, each put at random into clusters that lint has nothing to say about: lint must
// report each at the object that is wrong. POLECAT_SEEDS is how many clusters each is put into.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "proofs.h"
#include "templates.h"

using namespace polecat;

namespace {

constexpr std::uint64_t kSeed = 20261126;
constexpr const char* kFiles[] = {"seeds-policy.yaml", "seeds-rules.yaml",     "seeds-tiers.yaml",
                                  "seeds-hosts.yaml",  "seeds-bgp.yaml",       "seeds-ipam.yaml",
                                  "seeds-calico.yaml", "seeds-selectors.yaml", "seeds-routes.yaml"};
constexpr const char* kBases[] = {"kubernetes", "calico", "hosts", "bgp", "ipam"};

/// A cluster as text, and the lines in which the finding must be.
struct Manifests {
    std::string text;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> here;
    std::vector<std::string> verdicts;
};

struct Finding {
    std::string slug;
    std::uint32_t line;
    std::string text;
};

std::uint32_t lines_of(const std::string& text) {
    return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Namespaces that have nothing to do with the mistake and are in order.
void add_bystanders(std::vector<testing::Document>& documents, testing::Random& random) {
    for (std::size_t i = 0, count = random.below(4); i < count; ++i) {
        const std::string name = fmt::format("by-$(by{})", i);
        const auto add = [&](const std::string& text) { documents.push_back({"", text, false}); };
        add("{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}\n");
        add(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: idle, namespace: {}, "
                        "labels: {{run: by}}}}, spec: {{nodeName: node1, containers: [{{name: c, "
                        "image: i}}]}}, status: {{podIPs: $(ips {})}}}}\n",
                        name, 100 + i));
        add("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, "
            "namespace: " +
            name + "}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}\n");
    }
}

void apply(const testing::Edit& edit, std::vector<testing::Document>& documents) {
    const auto found =
        std::find_if(documents.begin(), documents.end(),
                     [&](const testing::Document& each) { return each.id == edit.document; });
    REQUIRE_MESSAGE(found != documents.end(), "no document ", edit.document);
    if (edit.drop) {
        documents.erase(found);
        return;
    }
    const auto at = found->text.find(edit.old_text);
    REQUIRE_MESSAGE(at != std::string::npos, edit.document, " has no ", edit.old_text);
    found->text.replace(at, edit.old_text.size(), edit.new_text);
    found->here = found->here || edit.here;
}

Manifests manifests_of(const std::string& base, const testing::Seed* seed, testing::Random& random,
                       const std::string& family) {
    std::vector<testing::Document> documents = testing::read_base(base);
    add_bystanders(documents, random);
    if (seed != nullptr) {
        for (const testing::Edit& edit : seed->edits)
            apply(edit, documents);
        documents.insert(documents.end(), seed->added.begin(), seed->added.end());
    }
    for (std::size_t i = documents.size(); i > 1; --i)
        std::swap(documents[i - 1], documents[random.below(i)]);
    testing::Words words(random, family);
    Manifests out;
    std::uint32_t line = 1;
    for (const testing::Document& each : documents) {
        const std::string text = words.expand(each.text) + "---\n";
        const std::uint32_t next = line + lines_of(text);
        if (each.here)
            out.here.emplace_back(line, next - 1);
        out.text += text;
        line = next;
    }
    if (seed != nullptr)
        for (const std::string& each : seed->verdicts)
            out.verdicts.push_back(words.expand(each));
    return out;
}

std::vector<Finding> lint_of(const Manifests& manifests, testing::RandomCluster& into) {
    load_text(manifests.text, into);
    frontend::check_references(into.policy, into.diagnostics);
    std::vector<Finding> out;
    if (!into.diagnostics.has_errors()) {
        const policy::OrderedPolicies policies = passes::order_policies(into.policy);
        lint::Context context(into.policy, policies, into.lowered, {});
        lint::run(context, into.diagnostics);
    }
    for (const diag::Diagnostic& each : into.diagnostics.list())
        out.push_back({std::string(diag::info(each.code).slug), each.span.line, each.message});
    return out;
}

bool is_found(const std::vector<Finding>& findings, const std::string& slug,
              const Manifests& manifests) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& each) {
        return each.slug == slug &&
               std::any_of(manifests.here.begin(), manifests.here.end(), [&](const auto& lines) {
                   return lines.first <= each.line && each.line <= lines.second;
               });
    });
}

std::string listed(const std::vector<Finding>& findings) {
    std::string out;
    for (const Finding& each : findings)
        out += fmt::format("\n  line {}: {}: {}", each.line, each.slug, each.text);
    return out;
}

std::size_t clusters_for_each() {
    const char* wanted = std::getenv("POLECAT_SEEDS");
    return wanted == nullptr ? 6 : std::strtoul(wanted, nullptr, 10);
}

struct Count {
    std::size_t put = 0, found = 0, proved = 0;
};

void plant(const testing::Seed& seed, testing::Random& random,
           std::map<std::string, Count>& counts) {
    const std::string base = random.pick(seed.bases), family = random.pick(seed.families);
    const Manifests manifests = manifests_of(base, &seed, random, family);
    testing::RandomCluster cluster;
    const std::vector<Finding> findings = lint_of(manifests, cluster);
    const bool read = !std::any_of(cluster.diagnostics.list().begin(),
                                   cluster.diagnostics.list().end(), [](const auto& each) {
                                       return static_cast<unsigned>(each.code) < 4000 &&
                                              each.severity == diag::Severity::Error;
                                   });
    REQUIRE_MESSAGE(read, "cannot be read:", listed(findings), "\n", manifests.text);
    INFO(base, " of family ", family, ":\n", manifests.text);
    for (const auto& [direction, number] : seed.never)
        CHECK(testing::never_decides(cluster.lowered, manifests.here, direction, number));
    for (const std::string& proof : manifests.verdicts)
        CHECK_MESSAGE(testing::holds(cluster.lowered, proof, family), "eval does not say: ", proof,
                      " for ", seed.slugs.front());
    for (const std::string& slug : seed.slugs) {
        Count& count = counts[slug];
        ++count.put;
        count.proved += seed.never.empty() && seed.verdicts.empty() ? 0 : 1;
        if (is_found(findings, slug, manifests))
            ++count.found;
        else
            MESSAGE(slug, " is not found in ", base, " of family ", family,
                    ", where lint says:", listed(findings), "\n", manifests.text);
    }
}

} // namespace

TEST_CASE("lint has nothing to say about clusters without a mistake") {
    testing::Random random(kSeed);
    std::size_t clusters = 0;
    for (const char* base : kBases)
        for (const char* family : {"4", "6", "46"})
            for (std::size_t i = 0; i < clusters_for_each(); ++i, ++clusters) {
                const Manifests manifests = manifests_of(base, nullptr, random, family);
                testing::RandomCluster cluster;
                const auto findings = lint_of(manifests, cluster);
                CHECK_MESSAGE(findings.empty(), std::string(base), " of family ",
                              std::string(family), listed(findings), "\n", manifests.text);
            }
    MESSAGE("seed ", kSeed, ": ", clusters, " clusters without a finding");
}

TEST_CASE("lint finds the mistakes that are put into clusters") {
    testing::Random random(kSeed);
    std::map<std::string, Count> counts;
    for (const char* file : kFiles)
        for (const testing::Seed& seed : testing::read_seeds(file)) {
            REQUIRE_MESSAGE(!seed.bases.empty(), file, ": no base for ", seed.slugs.front());
            for (std::size_t i = 0; i < clusters_for_each(); ++i)
                plant(seed, random, counts);
        }
    Count all;
    std::string table;
    for (const auto& [slug, count] : counts) {
        table += fmt::format("\n  {:40} {:>5} of {:>5}{}", slug, count.found, count.put,
                             count.proved > 0 ? fmt::format(", {} by eval", count.proved) : "");
        all.put += count.put;
        all.found += count.found;
    }
    MESSAGE(fmt::format("seed {}: {} of {} mistakes of {} rules found{}", kSeed, all.found, all.put,
                        counts.size(), table));
    CHECK(all.found * 100 >= all.put * 99);
}
