#include "driver/test/test_files.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "analyzer/diff/diff.h"
#include "driver/diff/rows.h"
#include "driver/input/unread.h"
#include "frontend/expectation_file.h"
#include "frontend/load.h"
#include "support/diag/render.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace fs = std::filesystem;

bool FileResult::passed() const {
    return error.empty() && std::all_of(results.begin(), results.end(),
                                        [](const auto& each) { return each.passed; });
}

namespace {

bool is_test_file(const fs::path& path) {
    const std::string name = path.filename().string();
    return name.ends_with(".policytest.yaml") || name.ends_with(".policytest.yml");
}

class Runner {
  public:
    Runner(const std::string& path, const passes::LowerOptions& options, const InputOptions& input,
           FileResult& out)
        : folder_(fs::path(path).parent_path()), options_(options), input_(input), out_(out) {}

    void run() {
        auto text = read_file(out_.path);
        if (!text) {
            out_.error = out_.path + ": " + text.error() + "\n";
            return;
        }
        Sources sources;
        diag::Diagnostics diagnostics;
        const FileId file = sources.add(out_.path, std::move(*text));
        const auto documents = yaml::read_documents(sources, file, diagnostics);
        const auto expectations = frontend::read_expectations(documents, diagnostics);
        if (!accept(sources, diagnostics))
            return;
        for (const expectation::Document& each : expectations)
            std::visit([&](const auto& document) { run_one(document); }, each);
    }

  private:
    /// Errors end the file; warnings are `lint`'s business.
    bool accept(const Sources& sources, diag::Diagnostics& diagnostics) {
        if (!diagnostics.has_errors())
            return true;
        std::vector<diag::Diagnostic> errors;
        for (const diag::Diagnostic& each : diagnostics.list())
            if (each.severity == diag::Severity::Error)
                errors.push_back(each);
        out_.error += diag::render_text(errors, sources);
        return false;
    }

    /// What could not be read of manifests is not known to the answers.
    std::optional<decision::LoweredCluster> load(const std::vector<At<std::string>>& names) {
        std::vector<std::string> paths;
        for (const At<std::string>& name : names)
            paths.push_back((folder_ / *name).lexically_normal().string());
        Input input = read_input(paths, input_);
        if (leaves_nothing(input.diagnostics)) {
            accept(input.sources, input.diagnostics);
            return std::nullopt;
        }
        auto lowered = passes::lower(input.cluster, options_).cluster;
        for (std::string& line : unread_lines(input, endpoints_in_doubt(input, lowered)))
            out_.unread.push_back(std::move(line));
        return lowered;
    }

    void name_file(const std::string& name) {
        if (out_.name.empty())
            out_.name = name;
    }

    void run_one(const expectation::Test& test) {
        name_file(test.name);
        const auto cluster = load(test.manifests);
        if (!cluster)
            return;
        auto judged = analyzer::judge(test, *cluster);
        std::move(judged.results.begin(), judged.results.end(), std::back_inserter(out_.results));
    }

    void run_one(const expectation::DiffTest& test) {
        name_file(test.name);
        const auto base = load(test.base), head = load(test.head);
        if (!base || !head)
            return;
        const analyzer::Diff found = analyzer::diff(*base, *head);
        const auto add = [&](const char* what, const std::optional<At<bool>>& wanted, bool is,
                             const std::string& example) {
            if (!wanted)
                return;
            analyzer::CaseResult result;
            result.question = std::string("head ") + what + " flows";
            result.expected = **wanted ? "yes" : "no";
            result.found = is ? "yes: " + example : "no";
            if (found.depends)
                result.found += " (some flows depend on what is not known)";
            result.passed = **wanted == is && !found.depends;
            result.span = wanted->span;
            out_.results.push_back(std::move(result));
        };
        const auto example = [&](analyzer::ChangeKind certain, analyzer::ChangeKind perhaps) {
            for (const DiffRow& row : diff_rows(found, *head))
                if (row.kind == certain || row.kind == perhaps)
                    return row.from + " -> " + row.to + " " + row.connections;
            return std::string();
        };
        using Kind = analyzer::ChangeKind;
        const std::string opened = example(Kind::Opened, Kind::PerhapsOpen);
        const std::string closed = example(Kind::Closed, Kind::PerhapsShut);
        add("opens", test.opens, !opened.empty(), opened);
        add("closes", test.closes, !closed.empty(), closed);
    }

    fs::path folder_;
    const passes::LowerOptions& options_;
    const InputOptions& input_;
    FileResult& out_;
};

} // namespace

std::vector<std::string> find_test_files(const std::vector<std::string>& paths) {
    std::vector<std::string> out;
    for (const std::string& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            out.push_back(path);
            continue;
        }
        std::vector<std::string> below;
        for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
             it.increment(error))
            if (it->is_regular_file(error) && is_test_file(it->path()))
                below.push_back(it->path().string());
        std::sort(below.begin(), below.end());
        out.insert(out.end(), below.begin(), below.end());
    }
    return out;
}

FileResult run_test_file(const std::string& path, const passes::LowerOptions& options,
                         const InputOptions& input) {
    FileResult out;
    out.path = path;
    Runner(path, options, input, out).run();
    return out;
}

} // namespace polecat::driver
