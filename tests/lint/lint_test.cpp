// Each lint rule on manifests that show the mistake and on near misses, from the files beside this.
//
//   #: case TITLE       begins a case
//   #: with NAME        puts NAME.yaml before it
//   #: finds SLUG...    each of these is found
//   #: error SLUG...    each of these is found, as an error; likewise warning and note
//   #: not SLUG...      none of these is
//   #: at SLUG TEXT     it is found at a line with that text
//   #: says TEXT        some finding has it in its message or hint
//   #: notes TEXT       some finding has it as a note
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "analyzer/lint/lint.h"
#include "frontend/load.h"
#include "passes/lower.h"
#include "tests/paths.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

const fs::path kHere = fs::path(testing::source_dir()) / "tests/lint";

struct Case {
    std::string title, text;
    std::vector<std::string> finds, excludes, says, notes;
    std::vector<std::pair<std::string, std::string>> severities; ///< slug, severity
    std::vector<std::pair<std::string, std::string>> places;     ///< slug, text of the line
};

std::string read(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::vector<Case> cases_of(const fs::path& path) {
    std::vector<Case> out;
    std::istringstream in(read(path));
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string mark, what, word;
        words >> mark >> what;
        if (mark != "#:") {
            REQUIRE(!out.empty());
            out.back().text += line + "\n";
        } else if (what == "case") {
            out.emplace_back();
            out.back().title = line.substr(line.find("case") + 5);
        } else if (what == "says") {
            out.back().says.push_back(line.substr(line.find("says") + 5));
        } else if (what == "notes") {
            out.back().notes.push_back(line.substr(line.find("notes") + 6));
        } else if (what == "error" || what == "warning" || what == "note") {
            while (words >> word) {
                out.back().finds.push_back(word);
                out.back().severities.emplace_back(word, what);
            }
        } else if (what == "at") {
            words >> word;
            out.back().places.emplace_back(word, line.substr(line.find(word) + word.size() + 1));
        } else if (what == "with") {
            words >> word;
            out.back().text += read(kHere / (word + ".yaml")) + "---\n";
        } else {
            REQUIRE((what == "finds" || what == "not"));
            auto& list = what == "finds" ? out.back().finds : out.back().excludes;
            while (words >> word)
                list.push_back(word);
        }
    }
    return out;
}

std::vector<diag::Diagnostic> findings_of(const std::string& text) {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    const FileId file = sources.add("case.yaml", text);
    const auto documents = yaml::read_documents(sources, file, diagnostics);
    frontend::load_documents(documents, cluster, diagnostics);
    frontend::check_references(cluster, diagnostics);
    // What can't be read stops nothing but itself.
    const auto [policies, lowered] = passes::lower(cluster);
    const decision::PolicyRules rules = passes::lower_policies(cluster, policies);
    lint::Settings settings;
    settings.policy_rules = &rules;
    lint::Context context(cluster, policies, lowered, settings);
    lint::run(context, diagnostics);
    return {diagnostics.list().begin(), diagnostics.list().end()};
}

std::set<std::string> slugs_of(const std::string& text) {
    std::set<std::string> out;
    for (const diag::Diagnostic& each : findings_of(text)) {
        const bool read = static_cast<unsigned>(each.code) >= 4000;
        if (!read && each.severity == diag::Severity::Error)
            out.insert("(errors)");
        out.insert(std::string(diag::info(each.code).slug));
        CHECK(each.span.known());
    }
    return out;
}

bool is_noted(const std::string& text, const std::string& note) {
    for (const diag::Diagnostic& each : findings_of(text))
        for (const std::string& one : each.notes)
            if (one == note)
                return true;
    return false;
}

std::set<std::string> severities_of(const std::string& text, const std::string& slug) {
    std::set<std::string> out;
    for (const diag::Diagnostic& each : findings_of(text))
        if (diag::info(each.code).slug == slug)
            out.emplace(to_string(each.severity));
    return out;
}

bool is_found_at(const std::string& text, const std::string& slug, const std::string& place) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    for (const diag::Diagnostic& each : findings_of(text))
        if (diag::info(each.code).slug == slug &&
            lines.at(each.span.line - 1).find(place) != std::string::npos)
            return true;
    return false;
}

bool is_said(const std::string& text, const std::string& said) {
    for (const diag::Diagnostic& each : findings_of(text))
        if ((each.message + "\n" + each.hint.value_or("")).find(said) != std::string::npos)
            return true;
    return false;
}

} // namespace

TEST_CASE("lint rules find the mistake and leave the near miss alone") {
    const std::set<std::string> of_files{"several-variants"}; // cases stand in tests/cli
    std::set<std::string> found_somewhere = of_files, spared_somewhere = of_files;
    for (const auto& entry : fs::directory_iterator(kHere)) {
        if (entry.path().extension() != ".yaml" || entry.path().filename() == "shop.yaml")
            continue;
        for (const Case& each : cases_of(entry.path())) {
            INFO(entry.path().filename().string(), ": ", each.title);
            const std::set<std::string> slugs = slugs_of(each.text);
            CHECK(!slugs.contains("(errors)"));
            for (const std::string& text : each.says)
                CHECK_MESSAGE(is_said(each.text, text), text, " is not said");
            for (const auto& [slug, place] : each.places)
                CHECK_MESSAGE(is_found_at(each.text, slug, place), slug, " is not at ", place);
            for (const std::string& note : each.notes)
                CHECK_MESSAGE(is_noted(each.text, note), note, " is not noted");
            for (const auto& [slug, severity] : each.severities)
                CHECK(severities_of(each.text, slug) == std::set{severity});
            for (const std::string& slug : each.finds) {
                CHECK_MESSAGE(slugs.contains(slug), slug, " is not found");
                found_somewhere.insert(slug);
            }
            for (const std::string& slug : each.excludes) {
                CHECK_MESSAGE(!slugs.contains(slug), slug, " is found");
                spared_somewhere.insert(slug);
            }
        }
    }
    for (const diag::CodeInfo& row : diag::all_codes())
        if (static_cast<unsigned>(row.code) / 1000 == 4) {
            CHECK_MESSAGE(found_somewhere.contains(std::string(row.slug)), row.slug,
                          " has no case");
            CHECK_MESSAGE(spared_somewhere.contains(std::string(row.slug)), row.slug,
                          " has no near miss");
        }
}

TEST_CASE("three Typhas serve up to 600 nodes") {
    const auto cluster = [](int nodes) {
        std::string out = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: calico-typha, "
                          "namespace: kube-system}, spec: {replicas: 3, selector: {matchLabels: "
                          "{k8s-app: calico-typha}}, template: {metadata: {labels: {k8s-app: "
                          "calico-typha}}, spec: {hostNetwork: true, containers: [{name: c, "
                          "image: i}]}}}}\n";
        for (int i = 0; i < nodes; ++i)
            out +=
                "---\n{apiVersion: v1, kind: Node, metadata: {name: n" + std::to_string(i) + "}}\n";
        return out;
    };
    CHECK(!slugs_of(cluster(600)).contains("typha-replicas"));
    CHECK(slugs_of(cluster(601)).contains("typha-replicas"));
}

TEST_CASE("a global set that nobody selects, unless it is told of a rule that would") {
    const auto slugs = [](const std::string& selector) {
        return slugs_of(
            "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: s, "
            "labels: {feed: partners}}, spec: {nets: [192.0.2.0/24]}}\n---\n{apiVersion: "
            "projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: a, namespace: shop}, "
            "spec: {types: [Ingress], ingress: [{action: Allow, source: {selector: \"" +
            selector + "\"}}]}}\n");
    };
    CHECK(!slugs("feed == 'partners'").contains("networkset-unused"));
    CHECK(slugs("feed == 'partners'").contains("selector-typo-near-miss"));
    CHECK(slugs("feed == 'others'").contains("networkset-unused"));
    CHECK(slugs("all()").contains("networkset-unused"));
}
