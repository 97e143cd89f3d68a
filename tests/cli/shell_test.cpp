// Completion scripts and man pages, judged by the programs that read them.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::polecat_with;

namespace {

namespace fs = std::filesystem;

runtime::Output run_with(std::vector<std::string> arguments, const std::string& input = "") {
    auto output = runtime::run_program(arguments, input);
    REQUIRE_MESSAGE(output.ok(), (output ? "" : output.error()));
    return std::move(*output);
}

bool installed(const std::string& program) {
    for (const char* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"})
        if (fs::exists(folder + program))
            return true;
    MESSAGE(program << " is not installed: not checked with it");
    return false;
}

/// What bash offers for the last of `words`.
std::string offered(const std::string& words) {
    const std::string script = polecat_with({"completion", "bash"}).out + "COMP_WORDS=(" + words +
                               ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_polecat\n"
                               "echo \"${COMPREPLY[*]}\"\n";
    const auto output = run_with({"bash", "--norc", "-u"}, script);
    CHECK(output.error.empty());
    return output.out;
}

} // namespace

TEST_CASE("bash completes commands, options and values") {
    CHECK(run_with({"bash", "-n"}, polecat_with({"completion", "bash"}).out).exit_code == 0);
    CHECK(offered("polecat li") == "lint\n");
    CHECK(offered("polecat --ver") == "--version\n");
    CHECK(offered("polecat lint --fo") == "--format\n");
    CHECK(offered("polecat lint --format g") == "github gitlab\n");
    CHECK(offered("polecat lint --format = j") == "json junit\n");
    CHECK(offered("polecat reach --format ''") == "text json\n");
    CHECK(offered("polecat completion ''") == "bash zsh fish\n");
    CHECK(offered("polecat test -v --un") == "--unknown-address\n"); // a flag takes no value
    CHECK(offered("polecat lint po") == "\n");                       // file names are bash's
    CHECK(offered("polecat compile -o o") == "\n");
    CHECK(polecat_with({"completion", "csh"}).exit_code == 2);
}

TEST_CASE("zsh and fish take their scripts") {
    for (const std::string shell : {"zsh", "fish"}) {
        const std::string script = polecat_with({"completion", shell}).out;
        CHECK(has(script, "lint"));
        const fs::path file = fs::temp_directory_path() / ("polecat-completion." + shell);
        std::ofstream(file) << script;
        if (installed(shell))
            CHECK(run_with({shell, "-n", file.string()}).exit_code == 0);
        fs::remove(file);
    }
    const fs::path file = fs::temp_directory_path() / "polecat-completion.fish";
    std::ofstream(file) << polecat_with({"completion", "fish"}).out;
    if (installed("fish")) {
        const std::string ask = "complete -C 'polecat lint --format g'";
        const std::string out =
            run_with({"fish", "-N", "-c", "source " + file.string() + "; " + ask}).out;
        CHECK(has(out, "github\t"));
        CHECK(has(out, "gitlab\t"));
    }
    fs::remove(file);
}

TEST_CASE("what the GitHub action runs prints annotations and writes a report") {
    const std::string root = testing::source_dir(),
                      program = std::string(testing::bin_dir()) + "/polecat";
    const fs::path report = fs::temp_directory_path() / "polecat-ci-lint.sarif";
    const std::string script = root + "/tools/ci-lint";
    const std::string example = root + "/examples/three-tiers/";
    const auto broken =
        run_with({"bash", script, program, report.string(), "warning", example + "broken"});
    CHECK(broken.exit_code == 1);
    CHECK(broken.out.starts_with("::error file="));
    std::ifstream in(report);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    CHECK(has(text, "\"ruleId\": \"PC1002\""));
    CHECK(run_with({"bash", script, program, report.string(), "warning", example + "mended"})
              .exit_code == 0);
    CHECK(run_with({"bash", script, program, report.string(), "warning"}).exit_code == 2);
    fs::remove(report);
}

TEST_CASE("man pages of the program and of each command") {
    const std::string whole = polecat_with({"man"}).out;
    CHECK(whole.starts_with(".TH polecat 1 "));
    for (const std::string command :
         {"lint", "reach", "map", "test", "compile", "try", "explain", "completion", "man"}) {
        CHECK(has(whole, "\\fB" + command + "\\fR\n"));
        const std::string page = polecat_with({"man", command}).out;
        CHECK(page.starts_with(".TH polecat\\-" + command + " 1 "));
        for (const char* section :
             {".SH NAME\n", ".SH SYNOPSIS\n", ".SH OPTIONS\n", ".SH EXAMPLES\n", ".SH SEE ALSO\n"})
            CHECK(has(page, section));
        if (installed("groff")) {
            const auto set = run_with({"groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z"}, page);
            CHECK(set.exit_code == 0);
            CHECK(set.error == "");
        }
    }
    CHECK(has(polecat_with({"man", "lint"}).out,
              "\\fB\\-\\-format\\fR text|json|sarif|github|gitlab|junit\n"));
    CHECK(polecat_with({"man", "lnit"}).exit_code == 2);
}

TEST_CASE("the version names what it was built with") {
    const std::string text = polecat_with({"--version"}).out;
    CHECK(text.starts_with("polecat "));
    for (const char* part : {"\nbuilt: ", "fmt ", "libyaml ", "Z3 "})
        CHECK_MESSAGE(has(text, part), text);
}

TEST_CASE("an installation has the program, its pages and completion") {
    const fs::path prefix =
        fs::temp_directory_path() / ("polecat-install-" + std::to_string(getpid()));
    const auto installed =
        run_with({"cmake", "--install", fs::path(testing::bin_dir()).parent_path().string(),
                  "--prefix", prefix.string()});
    CHECK_MESSAGE(installed.exit_code == 0, installed.error);
    for (const char* path :
         {"bin/polecat", "share/man/man1/polecat.1", "share/man/man1/polecat-lint.1",
          "share/bash-completion/completions/polecat", "share/doc/polecat/LICENSE"})
        CHECK_MESSAGE(fs::exists(prefix / path), path);
    fs::remove_all(prefix);
}

TEST_CASE("a release is hardened") {
    if (!has(polecat_with({"--version"}).out, ", Release\n"))
        return; // flags of the other presets are for finding faults
    const std::string binary = std::string(testing::bin_dir()) + "/polecat";
    const auto elf = run_with({"readelf", "--wide", "--file-header", "--program-headers",
                               "--dynamic", "--dyn-syms", binary});
    REQUIRE_MESSAGE(elf.exit_code == 0, elf.error);
    for (const char* part : {"DYN (Position-Independent Executable", "GNU_RELRO", "BIND_NOW",
                             "__stack_chk_fail", "_chk@GLIBC"})
        CHECK_MESSAGE(has(elf.out, part), part);
}
