// yaml-cpp as a second opinion: what our reader accepts has the same tree there.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include "frontend/yaml/node.h"
#include "tests/paths.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

/// Empty: the same. Otherwise where they differ.
std::string difference(const yaml::Node& ours, const YAML::Node& theirs, const std::string& path) {
    switch (ours.kind) {
    case yaml::Node::Kind::Null:
        return theirs.IsNull() ? "" : path + ": null here only";
    case yaml::Node::Kind::Scalar:
        if (!theirs.IsScalar() || theirs.Scalar() != ours.text)
            return path + ": `" + ours.text + "` here";
        return (theirs.Tag() == "!") == ours.quoted || theirs.Tag().size() > 1
                   ? ""
                   : path + ": quoted on one side only";
    case yaml::Node::Kind::Sequence:
        if (!theirs.IsSequence() || theirs.size() != ours.items.size())
            return path + ": another list";
        for (std::size_t i = 0; i < ours.items.size(); ++i)
            if (auto found =
                    difference(ours.items[i], theirs[i], path + "[" + std::to_string(i) + "]");
                !found.empty())
                return found;
        return "";
    case yaml::Node::Kind::Mapping:
        if (!theirs.IsMap() || theirs.size() != ours.members.size())
            return path + ": another mapping";
        for (const yaml::Member& member : ours.members)
            if (auto found = difference(member.value, theirs[member.key], path + "." + member.key);
                !found.empty())
                return found;
        return "";
    }
    return "";
}

std::size_t compare(const std::string& name, const std::string& text) {
    Sources sources;
    diag::Diagnostics diagnostics;
    const FileId file = sources.add(name, text);
    const auto ours = yaml::read_documents(sources, file, diagnostics);
    if (diagnostics.has_errors())
        return 0;
    std::vector<YAML::Node> theirs;
    for (const YAML::Node& each : YAML::LoadAll(text))
        if (!each.IsNull())
            theirs.push_back(each);
    REQUIRE_MESSAGE(ours.size() == theirs.size(), name);
    for (std::size_t i = 0; i < ours.size(); ++i)
        CHECK_MESSAGE(difference(ours[i].root, theirs[i], "") == "", name << " document " << i);
    return ours.size();
}

std::string read(const fs::path& path) {
    std::stringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

} // namespace

TEST_CASE("yaml-cpp sees the same trees in texts that are hard to read") {
    for (const char* text :
         {"a: |\n  two\n  lines\n\nb: >-\n  folded\n  text\n\n  more\nc: |+\n  kept\n\n",
          "\"quoted key\": 'it''s'\nb: \"\\u00e9\\t\\\"\"\n? c\n: d\n",
          "- &x {a: 1}\n- *x\n- [ {b: , c}, [], {} ]\n- ~\n-\n",
          "# remark\n---\na: 1 # remark\n...\n---\nb: 'x # y'\n",
          "a: b c\n  d e\nu: http://x/y#z\nt: \"multi\n  line\"\n",
          "{\"a\": [1, 2, {\"b\": null}]}", "a:\n- b\n- - c\n  - d\n"})
        CHECK(compare(text, text) > 0);
}

TEST_CASE("yaml-cpp sees the same trees in the examples and suites") {
    std::size_t documents = 0;
    const fs::path source(testing::source_dir());
    std::vector<fs::path> folders{source / "examples", source / "tests/fuzz/corpus/yaml"};
    const fs::path suites = source / "../shared/conformance";
    for (const char* suite : {"nca", "npguard", "cnp", "lab", "polprog"})
        if (fs::is_directory(suites / suite))
            folders.push_back(suites / suite);
    if (folders.size() == 2)
        MESSAGE("examples only: the suites are not beside this clone");
    for (const fs::path& folder : folders)
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.path().extension() == ".yaml")
                documents += compare(entry.path().string(), read(entry.path()));
    CHECK(documents > 10);
}
