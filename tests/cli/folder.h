/// A folder of its own for a test of the program, gone afterwards.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/paths.h"

namespace polecat::testing {

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline std::size_t times(const std::string& text, const std::string& part) {
    std::size_t out = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++out;
    return out;
}

inline const std::string kThreeTiers = std::string(source_dir()) + "/examples/three-tiers";
inline const std::string kRack7 = std::string(source_dir()) + "/examples/rack7/";

/// `polecat ARGUMENTS`, where the tests run.
inline runtime::Output polecat_with(std::vector<std::string> arguments,
                                    const std::string& input = "") {
    arguments.insert(arguments.begin(), std::string(bin_dir()) + "/polecat");
    auto output = runtime::run_program(arguments, input);
    REQUIRE_MESSAGE(output.ok(), (output ? "" : output.error()));
    return std::move(*output);
}

/// A document: 10.0.0.HOST in namespace shop, with label app.
inline std::string pod_at(const std::string& name, const std::string& node, int host) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           ", namespace: shop, labels: {app: " + name + "}}\nspec: {nodeName: " + node +
           ", containers: [{name: c, image: i}]}\nstatus: {podIP: 10.0.0." + std::to_string(host) +
           "}\n";
}

struct Folder {
    std::filesystem::path path;

    Folder() {
        static int made = 0; // and the process, as two runs may stand side by side
        path = std::filesystem::temp_directory_path() /
               ("polecat-test-" + std::to_string(getpid()) + "-" + std::to_string(made++));
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
        return (path / name).string();
    }
    std::string read(const std::string& name) const {
        std::ostringstream out;
        out << std::ifstream(path / name, std::ios::binary).rdbuf();
        return out.str();
    }
    runtime::Output shell(const std::string& command, const std::string& from = ".") const {
        auto output = runtime::run_program(
            {"sh", "-c", "cd '" + (path / from).string() + "' && " + command}, "");
        REQUIRE(output.ok());
        return std::move(*output);
    }
    /// As if a node's files, changed since, had been compiled so.
    void seal(const std::string& files_of_node) const {
        shell("n=$(head -1 files.sha256) && rm files.sha256 && "
              "sums=$(sha256sum *) && printf '%s\\n%s\\n' \"$n\" \"$sums\" > files.sha256",
              files_of_node);
    }
    /// `polecat ARGUMENTS`, in the folder or one below it.
    runtime::Output run(const std::string& arguments, const std::string& from = ".") const {
        return shell("'" + std::string(testing::bin_dir()) + "/polecat' " + arguments, from);
    }
    /// The exit code is 2, and these words are in what is said.
    void refused(const std::string& arguments, const std::string& words) const {
        INFO(arguments);
        const auto done = run(arguments);
        CHECK(done.exit_code == 2);
        CHECK_MESSAGE(has(done.out + done.error, words), done.out << done.error);
    }
};

} // namespace polecat::testing
