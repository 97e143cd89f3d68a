/// Checks of the source text itself: include arrows, registry of diagnostics, file sizes.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "support/diag/diagnostic.h"
#include "tests/expressions.h"
#include "tests/paths.h"

namespace fs = std::filesystem;

using namespace polecat::testing;

namespace {

const fs::path kRoot = source_dir();

std::string read(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

/// Source files below a folder of the project.
std::vector<fs::path> sources(const std::string& folder) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp"))
            out.push_back(entry.path());
    }
    return out;
}

/// docs/architecture.md: which layer may include which. cli, tests and bench may include
/// everything.
const std::map<std::string, std::set<std::string>> kArrows{
    {"support", {"support"}},
    {"ir", {"ir", "support"}},
    {"frontend", {"frontend", "ir", "support"}},
    {"analyzer", {"analyzer", "ir", "support"}},
    {"passes", {"passes", "ir", "support"}},
    {"artefact", {"artefact", "ir", "support"}},
    {"backends", {"backends", "artefact", "ir", "support"}},
    {"runtime", {"runtime", "artefact", "ir", "support"}},
    {"driver",
     {"driver", "runtime", "backends", "artefact", "analyzer", "passes", "frontend", "ir",
      "support"}},
};

const std::vector<std::string> kLayers{"support",  "ir",       "frontend", "analyzer", "passes",
                                       "artefact", "backends", "runtime",  "driver",   "cli"};

bool has_word(const std::string& text, const std::string& word) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        if (const std::size_t end = at + word.size();
            end == text.size() || std::isalnum(static_cast<unsigned char>(text[end])) == 0)
            return true;
    return false;
}

} // namespace

TEST_CASE("includes follow the arrows between layers") {
    const std::string include = R"re(#include "([a-z_]+)/[^"]*")re";
    std::size_t seen = 0;
    for (const auto& [layer, allowed] : kArrows)
        for (const fs::path& path : sources(layer)) {
            const std::vector<Match> found = matches(read(path), include);
            for (const Match& each : found)
                CHECK_MESSAGE(allowed.contains(each[1]), path.string() << " has " << each[0]);
            seen += found.size();
        }
    CHECK(seen > 100); // the pattern still finds includes
}

TEST_CASE("third-party headers stand in .cpp files only") {
    const std::string include = R"(#include <([a-z_0-9-]+/[^>]*|yaml\.h|z3[^>]*)>)";
    for (const std::string& layer : kLayers)
        for (const fs::path& path : sources(layer)) {
            if (path.extension() != ".h")
                continue;
            for (const Match& each : matches(read(path), include))
                CHECK_MESSAGE(each[1].starts_with("CLI"), path.string() << " has " << each[0]);
        }
}

TEST_CASE("each diagnostic has a page and is emitted in code and in a test") {
    std::string code, tests;
    for (const std::string& layer : kLayers)
        for (const fs::path& path : sources(layer))
            code += read(path);
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests"))
        if (entry.is_regular_file() &&
            (entry.path().extension() == ".cpp" || entry.path().extension() == ".yaml") &&
            entry.path().string().find("/static/") == std::string::npos)
            tests += read(entry.path());
    const std::string catalogue = read(kRoot / "docs/lint.md");
    std::set<std::string> pages;
    for (const polecat::diag::CodeInfo& row : polecat::diag::all_codes()) {
        const std::string label = polecat::diag::label(row.code);
        const std::string name(row.name);
        pages.insert(label + ".md");
        CHECK_MESSAGE(fs::exists(kRoot / "docs/diagnostics" / (label + ".md")), label);
        const auto number = static_cast<unsigned>(row.code);
        CHECK_MESSAGE((number / 1000 != 4 ||
                       catalogue.find("| " + std::string(row.slug) + " |") != std::string::npos),
                      row.slug << " is not in docs/lint.md");
        CHECK_MESSAGE(has_word(code, "Code::" + name), label << " " << name << " is never emitted");
        CHECK_MESSAGE((has_word(tests, "Code::" + name) || tests.find(label) != std::string::npos ||
                       tests.find(std::string(row.slug)) != std::string::npos),
                      label << " " << name << " has no test");
    }
    for (const auto& entry : fs::directory_iterator(kRoot / "docs/diagnostics"))
        CHECK_MESSAGE(pages.count(entry.path().filename().string()) == 1,
                      entry.path().string() << " documents no code");
}

TEST_CASE("each lint rule has a mistake for tests/seeded to put into clusters that are in order") {
    // tests/lint has the mistake and a near miss of each (its test says which lack one); the
    // clusters of tests/seeded are those without it.
    const std::set<std::string> many_nodes_or_files{"bgp-mesh-too-large", "several-variants"};
    std::set<std::string> planted = many_nodes_or_files;
    for (const auto& entry : fs::directory_iterator(kRoot / "tests/seeded")) {
        if (entry.path().extension() != ".yaml")
            continue;
        for (const Match& each : matches(read(entry.path()), "#: seed ([^\n]*)")) {
            std::istringstream slugs(each[1]);
            planted.insert(std::istream_iterator<std::string>(slugs), {});
        }
    }
    for (const polecat::diag::CodeInfo& row : polecat::diag::all_codes())
        if (static_cast<unsigned>(row.code) / 1000 == 4)
            CHECK_MESSAGE(planted.contains(std::string(row.slug)), row.slug, " has no seed");
}

TEST_CASE("codes are sorted by number, slugs are distinct") {
    std::set<std::string> slugs;
    unsigned last = 0;
    for (const polecat::diag::CodeInfo& row : polecat::diag::all_codes()) {
        CHECK(static_cast<unsigned>(row.code) > last);
        last = static_cast<unsigned>(row.code);
        CHECK(slugs.insert(std::string(row.slug)).second);
    }
}

TEST_CASE("files stay small") {
    std::vector<std::string> folders(kLayers.begin(), kLayers.end());
    folders.push_back("tests");
    for (const std::string& folder : folders)
        for (const fs::path& path : sources(folder)) {
            const std::string text = read(path);
            CHECK_MESSAGE(std::count(text.begin(), text.end(), '\n') <= 450, path.string());
        }
}

TEST_CASE("what the docs name of the source is there") {
    const std::string named =
        "`((?:support|ir|frontend|passes|analyzer|artefact|backends|runtime|driver|"
        "cli|tests)/[A-Za-z0-9_./-]+)`";
    std::size_t seen = 0;
    std::vector<fs::path> pages{kRoot / "README.md", kRoot / "CONTRIBUTING.md"};
    for (const auto& entry : fs::directory_iterator(kRoot / "docs"))
        if (entry.path().extension() == ".md")
            pages.push_back(entry.path());
    for (const std::string& layer : kLayers)
        if (fs::exists(kRoot / layer / "README.md"))
            pages.push_back(kRoot / layer / "README.md");
    pages.push_back(kRoot / "tests/README.md");
    for (const fs::path& page : pages) {
        for (const Match& each : matches(read(page), named)) {
            ++seen;
            const std::string path = each[1];
            if (path.find("NAME") != std::string::npos || path.find("FAMILY") != std::string::npos)
                continue;
            const fs::path at = kRoot / path;
            CHECK_MESSAGE((fs::exists(at) || fs::exists(at.string() + ".h") ||
                           fs::exists(at.string() + ".cpp")),
                          page.string() << " names " << path);
        }
    }
    CHECK(seen > 50);
}
