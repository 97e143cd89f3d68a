#include "driver/lint/fix.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/choice.h"
#include "frontend/fixes.h"
#include "frontend/load.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

/// Overlapping fixes take one round each. Fixes that feed each other without end stop here.
constexpr std::size_t kMostRounds = 20;

/// What a finding is, wherever its line is now.
std::string key_of(const diag::Diagnostic& finding, const Sources& sources) {
    const bool placed = finding.span.file.value < sources.size();
    return fmt::format("{}\n{}\n{}\n{}", diag::label(finding.code),
                       placed ? sources.path(finding.span.file) : "", finding.object,
                       finding.message);
}

using Counts = std::map<std::string, std::size_t>;

Counts counts_of(const Input& input, bool reading_errors_only) {
    Counts out;
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (!reading_errors_only || lint::is_reading_error(each))
            ++out[key_of(each, input.sources)];
    return out;
}

/// Reads and checks the texts of `input`, with those of `changed` in their places.
Input read_again(const Input& input, const std::vector<frontend::FixedFile>& changed,
                 const LintConfig& config) {
    std::vector<frontend::File> files;
    for (std::uint32_t i = 0; i < input.sources.size(); ++i)
        files.push_back({input.sources.path(FileId{i}), input.sources.text(FileId{i}),
                         i < input.named.size() && input.named[i]});
    for (const frontend::FixedFile& each : changed)
        files[each.file.value].text = each.text;
    InputOptions options = input.options;
    options.list_skipped = false; // was printed
    Input out = read_input(std::move(files), options);
    check_input(out, config);
    return out;
}

/// Findings of a rule about one object, however they are worded.
std::string rule_of(const diag::Diagnostic& finding, const Sources& sources) {
    const bool placed = finding.span.file.value < sources.size();
    return fmt::format("{}\n{}\n{}", diag::label(finding.code),
                       placed ? sources.path(finding.span.file) : "", finding.object);
}

bool adds(const diag::Diagnostic& finding) {
    return !finding.fixes.empty() && finding.fixes.front().addition;
}

std::string new_errors(const Input& before, const Input& after) {
    const Counts errors = counts_of(before, true);
    for (const diag::Diagnostic& each : after.diagnostics.list())
        if (lint::is_reading_error(each) && !errors.contains(key_of(each, after.sources)))
            return "with the fix there is another error: " + each.message;
    for (const auto& [key, count] : counts_of(after, true))
        if (count > errors.at(key))
            return "with the fix there are more errors than before";
    return {};
}

/// What is added may be wrong in a way that another rule sees. Not asked while there are errors of
/// reading before: they keep the rules from running.
std::string worse_findings(const Input& before, const Input& after,
                           const std::vector<frontend::FixedFile>& changed) {
    std::optional<diag::Severity> mended;
    for (const frontend::FixedFile& file : changed)
        for (const diag::Diagnostic& each : file.mended)
            if (adds(each))
                mended = std::min(mended.value_or(each.severity), each.severity);
    const auto& list = before.diagnostics.list();
    if (!mended || std::any_of(list.begin(), list.end(), lint::is_reading_error))
        return {};
    Counts known;
    for (const diag::Diagnostic& each : list)
        ++known[rule_of(each, before.sources)];
    for (const diag::Diagnostic& each : after.diagnostics.list())
        if (each.severity >= *mended && known[rule_of(each, after.sources)]-- == 0)
            return fmt::format("with the fix there is another finding: {}: {}",
                               diag::label(each.code), each.message);
    return {};
}

/// Why the change is no good, or empty.
std::string problem_with(const Input& before, const Input& after,
                         const std::vector<frontend::FixedFile>& changed) {
    if (std::string problem = new_errors(before, after); !problem.empty())
        return problem;
    const Counts found = counts_of(before, false), left = counts_of(after, false);
    Counts mended;
    for (const frontend::FixedFile& file : changed)
        for (const diag::Diagnostic& each : file.mended)
            ++mended[key_of(each, before.sources)];
    for (const auto& [key, count] : mended) {
        const auto still = left.find(key);
        if (still != left.end() && still->second + count > found.at(key))
            return "with the fix it is still found";
    }
    return worse_findings(before, after, changed);
}

class Mender {
  public:
    Mender(Input& input, const LintConfig& config) : input_(input), config_(config) {}

    Mended run() {
        for (std::size_t round = 0; round < rounds_ && one_round(); ++round) {
        }
        // What was tried in vain is offered no more.
        input_.diagnostics.keep_if([&](diag::Diagnostic& each) {
            if (is_given_up(each))
                each.fixes.clear();
            return true;
        });
        Mended out;
        input_.diagnostics.keep_if([&](diag::Diagnostic& each) {
            if (is_given_up(each))
                each.fixes.clear(); // what is left has no fix that helps
            return true;
        });
        for (auto& [path, file] : files_)
            if (file.before != file.after)
                out.files.push_back(std::move(file));
        for (const GivenUp& each : given_up_)
            out.refused.push_back(
                fmt::format("{}: {}", input_.sources.describe(each.span), each.message));
        return out;
    }

  private:
    static constexpr std::size_t kAll = SIZE_MAX / 2;

    /// A finding that keeps its fix, and its place in the text of now.
    struct GivenUp {
        Span span;
        std::string key, message;
    };

    /// True when something was mended, or is to be tried in another way.
    bool one_round() {
        const frontend::Fixes fixes = frontend::apply_fixes(wanted(), input_.sources);
        for (const frontend::RefusedFix& each : fixes.refused)
            give_up(each.finding, each.why);
        if (fixes.files.empty())
            return !fixes.refused.empty();
        const std::string problem = keep(fixes.files);
        if (problem.empty()) {
            most_ = std::min(most_ * 2, kAll);
            return true;
        }
        // One of them is no good: half of them, until it is alone.
        std::size_t tried = 0;
        for (const frontend::FixedFile& each : fixes.files)
            tried += each.mended.size();
        if (tried == 1)
            give_up(fixes.files.front().mended.front(), problem + "; it stays as it was");
        most_ = std::max<std::size_t>(std::min(most_, tried) / 2, 1);
        rounds_ += 2;
        return true;
    }

    std::vector<diag::Diagnostic> wanted() const {
        std::vector<diag::Diagnostic> out;
        for (const diag::Diagnostic& each : input_.diagnostics.list())
            if (out.size() < most_ && !each.fixes.empty() && !is_given_up(each))
                out.push_back(each);
        return out;
    }

    /// Takes the change over, or says why not.
    std::string keep(std::vector<frontend::FixedFile> changed) {
        std::map<FileId, std::size_t> more;
        Input after = read_again(input_, changed, config_);
        std::string problem = problem_with(input_, after, changed);
        for (std::size_t i = 0;
             i < kMostRounds && !problem.empty() && mend_met(after, changed, more); ++i)
            problem = problem_with(input_, after, changed);
        if (!problem.empty())
            return problem;
        for (const frontend::FixedFile& each : changed) {
            Mended::File& file = files_[input_.sources.path(each.file)];
            if (file.findings == 0) {
                file.path = input_.sources.path(each.file);
                file.before = input_.sources.text(each.file);
            }
            file.after = each.text;
            file.findings += each.mended.size() + more[each.file];
            move(each);
        }
        input_ = std::move(after);
        return {};
    }

    void move(const frontend::FixedFile& changed) {
        for (const frontend::NewLines& each : changed.new_lines)
            for (GivenUp& finding : given_up_)
                if (finding.span.file == changed.file && finding.span.line > each.behind)
                    finding.span.line += each.count;
    }

    /// Below a field whose name was mended there may be errors that nobody saw before. True when
    /// some of them were mended too.
    bool mend_met(Input& after, std::vector<frontend::FixedFile>& changed,
                  std::map<FileId, std::size_t>& more) const {
        const Counts errors = counts_of(input_, true);
        std::vector<diag::Diagnostic> met;
        for (const diag::Diagnostic& each : after.diagnostics.list())
            if (lint::is_reading_error(each) && !errors.contains(key_of(each, after.sources)) &&
                std::any_of(changed.begin(), changed.end(),
                            [&](const auto& file) { return file.file == each.span.file; }))
                met.push_back(each);
        const frontend::Fixes fixes = frontend::apply_fixes(met, after.sources);
        for (const frontend::FixedFile& each : fixes.files)
            for (frontend::FixedFile& file : changed)
                if (file.file == each.file) {
                    file.text = each.text;
                    file.new_lines.insert(file.new_lines.end(), each.new_lines.begin(),
                                          each.new_lines.end());
                    more[each.file] += each.mended.size();
                }
        if (!fixes.files.empty())
            after = read_again(after, fixes.files, config_);
        return !fixes.files.empty();
    }

    bool is_given_up(const diag::Diagnostic& finding) const {
        return std::any_of(given_up_.begin(), given_up_.end(), [&](const GivenUp& each) {
            return each.span == finding.span && each.key == key_of(finding, input_.sources);
        });
    }

    void give_up(const diag::Diagnostic& finding, const std::string& why) {
        given_up_.push_back({finding.span, key_of(finding, input_.sources),
                             fmt::format("{} is not mended: {}", diag::label(finding.code), why)});
    }

    Input& input_;
    const LintConfig& config_;
    std::size_t rounds_ = kMostRounds;
    std::map<std::string, Mended::File> files_;
    std::size_t most_ = kAll; ///< how many findings are mended at once
    std::vector<GivenUp> given_up_;
};

} // namespace

Mended mend(Input& input, const LintConfig& config) {
    return Mender(input, config).run();
}

std::string cannot_mend(const Sources& sources) {
    for (std::uint32_t i = 0; i < sources.size(); ++i)
        if (sources.path(FileId{i}) == "-")
            return "standard input can't be mended; name files or folders";
    return {};
}

std::string mend_summary(const Mended& mended, std::size_t left) {
    std::size_t gone = 0;
    for (const Mended::File& each : mended.files)
        gone += each.findings;
    std::string out = fmt::format("{} of {} mended in {}", gone, counted(gone + left, "finding"),
                                  counted(mended.files.size(), "file"));
    const std::size_t refused = std::min(mended.refused.size(), left);
    const std::size_t without = left - refused;
    if (without != 0)
        out += fmt::format("; {} {} no fix", without, without == 1 ? "has" : "have");
    if (refused != 0)
        out += fmt::format("{} {} {} one that was refused", without != 0 ? "," : ";", refused,
                           refused == 1 ? "has" : "have");
    return out;
}

} // namespace polecat::driver
