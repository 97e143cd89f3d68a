// What manifests mean, as `polecat compile --emit program` writes it, from the *.cases beside this.
//
//   #: case TITLE            begins a case: one question
//   #: with NAME             puts NAME.yaml before its manifests
//   #: of ENDPOINT [HEAD]    only programs of this endpoint (a pod is "namespace/name") whose first
//                            line goes on with HEAD: "ingress", "egress normal IPv4"
//   #: unreadable            the reader reports errors; without it there must be none
//   #: gives                 the programs follow, whole, up to the next case
//
// POLECAT_UPDATE=1 build/release/bin/test_passes writes what follows `gives` anew. Read the
// difference then: the text is right where Calico and Kubernetes do that, not where polecat does.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "frontend/load.h"
#include "ir/decision/print.h"
#include "passes/lower.h"
#include "tests/paths.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

const fs::path kHere = fs::path(testing::source_dir()) / "tests/passes";

struct Case {
    std::string title;
    std::string question; ///< as it stands in the file, up to and with `#: gives`
    std::string manifests, answer;
    std::vector<std::pair<std::string, std::string>> of; ///< endpoint, begin of the first line
    bool unreadable = false;
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), path.string());
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string rest_of(std::istringstream& words) {
    std::string out;
    std::getline(words >> std::ws, out);
    return out;
}

/// Takes a line of a question that begins with `#:`.
void take_mark(Case& each, const std::string& what, std::istringstream& words) {
    if (what == "case") {
        each.title = rest_of(words);
    } else if (what == "with") {
        each.manifests += read(kHere / (rest_of(words) + ".yaml")) + "---\n";
    } else if (what == "of") {
        std::string name;
        words >> name;
        each.of.emplace_back(name, rest_of(words));
    } else {
        REQUIRE_MESSAGE((what == "unreadable" || what == "gives"), what);
        each.unreadable = each.unreadable || what == "unreadable";
    }
}

std::vector<Case> cases_of(const fs::path& path) {
    std::vector<Case> out;
    bool answers = false;
    std::istringstream in(read(path));
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string mark, what;
        words >> mark >> what;
        if (mark == "#:" && what == "case") {
            out.emplace_back();
            answers = false;
        }
        REQUIRE(!out.empty());
        if (answers) {
            out.back().answer += line + "\n";
            continue;
        }
        out.back().question += line + "\n";
        if (mark == "#:")
            take_mark(out.back(), what, words);
        else
            out.back().manifests += line + "\n";
        answers = mark == "#:" && what == "gives";
    }
    return out;
}

decision::LoweredCluster lowered(const Case& each) {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    const FileId file = sources.add("case.yaml", each.manifests);
    const auto documents = yaml::read_documents(sources, file, diagnostics);
    frontend::load_documents(documents, cluster, diagnostics);
    std::string errors;
    for (const diag::Diagnostic& found : diagnostics.list())
        if (found.severity == diag::Severity::Error)
            errors += found.message + "\n";
    CHECK_MESSAGE(errors.empty() == !each.unreadable, errors);
    return passes::lower(cluster).cluster;
}

std::string programs_of(const decision::LoweredCluster& cluster, const std::string& endpoint,
                        const std::string& head) {
    std::string out;
    for (const decision::Endpoint& each : cluster.endpoints) {
        if (cluster.world.object(each.object).name != endpoint)
            continue;
        for (const auto& [key, found] : cluster.groups[each.group.value].programs) {
            const std::string text =
                decision::to_text(cluster.program(found.program), cluster.predicates);
            if (text.starts_with("program " + head))
                out += text;
        }
    }
    CHECK_MESSAGE(!out.empty(), endpoint, " has no program ", head);
    return out;
}

std::string answer_to(const Case& each) {
    const decision::LoweredCluster cluster = lowered(each);
    std::string out;
    for (const auto& [endpoint, head] : each.of)
        out += programs_of(cluster, endpoint, head);
    if (each.of.empty())
        for (const decision::Program& program : cluster.programs)
            out += decision::to_text(program, cluster.predicates);
    return out;
}

} // namespace

TEST_CASE("manifests mean these programs (POLECAT_UPDATE=1 writes them anew)") {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(kHere))
        if (entry.path().extension() == ".cases")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    CHECK(files.size() > 5);
    for (const fs::path& path : files) {
        std::string written;
        for (const Case& each : cases_of(path)) {
            INFO(path.filename().string(), ": ", each.title);
            const std::string answer = answer_to(each);
            written += each.question + answer;
            if (std::getenv("POLECAT_UPDATE") == nullptr)
                CHECK(answer == each.answer);
        }
        if (std::getenv("POLECAT_UPDATE") != nullptr)
            std::ofstream(path, std::ios::binary) << written;
    }
}
