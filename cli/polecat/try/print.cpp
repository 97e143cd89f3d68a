#include "cli/polecat/try/print.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "support/listed.h"

namespace polecat::cli {

using driver::Trial;

namespace {

constexpr std::size_t kTrialsShown = 40; ///< of those that differ; all with --verbose

using TrialRow = std::array<std::string, 5>;

TrialRow row_of(const Trial& trial) {
    return {(trial.is_as_predicted() ? "  " : "! ") + trial.from, trial.to, trial.traffic,
            trial.allowed ? "allow" : "deny", trial.arrived ? "arrived" : "was dropped"};
}

std::string text_of(const std::vector<TrialRow>& rows) {
    std::array<std::size_t, 5> width{};
    for (const TrialRow& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            width[i] = std::max(width[i], row[i].size());
    std::string out;
    for (const TrialRow& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            out += fmt::format("{:<{}}  ", row[i], width[i]);
        out += row.back() + "\n";
    }
    return out;
}

} // namespace

ProgressLine::ProgressLine()
    : next_(std::chrono::steady_clock::now() + std::chrono::seconds(2)),
      on_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const char* what, std::size_t done, std::size_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || now < next_)
        return;
    next_ = now + std::chrono::milliseconds(200);
    shown_ = true;
    fmt::print(stderr, "\r\033[K{} of {} {}", grouped_digits(done), grouped_digits(of), what);
    std::fflush(stderr);
}

void ProgressLine::clear() {
    if (shown_)
        fmt::print(stderr, "\r\033[K");
    shown_ = false;
}

std::string table_of(const std::vector<Trial>& trials, bool every) {
    std::vector<TrialRow> rows{{"  from", "to", "packet", "policy", "kernel"}};
    std::size_t more = 0;
    for (const Trial& each : trials)
        if (every || (!each.is_as_predicted() && rows.size() <= kTrialsShown))
            rows.push_back(row_of(each));
        else
            more += each.is_as_predicted() ? 0 : 1;
    if (rows.size() == 1)
        return {};
    return text_of(rows) + (more == 0 ? "" : fmt::format("  and {} more (-v shows all)\n", more));
}

std::string summary_of(const driver::Trials& trials) {
    const auto count = [&](const auto& is) {
        return static_cast<std::size_t>(std::count_if(trials.all.begin(), trials.all.end(), is));
    };
    const std::size_t arrived = count([](const Trial& each) { return each.arrived; });
    const std::size_t wrong = count([](const Trial& each) { return !each.is_as_predicted(); });
    std::string out;
    if (trials.all.size() + trials.not_known < trials.possible)
        out += fmt::format("{} packets tell rules apart, of which some were sent: -p names what is "
                           "to be\n",
                           grouped_digits(trials.possible));
    if (trials.not_known != 0)
        out += fmt::format("{} not sent: manifests do not say what becomes of them\n",
                           counted(trials.not_known, "packet"));
    return out + fmt::format("{} sent, {} arrived, {} dropped: {}\n",
                             counted(trials.all.size(), "packet"), arrived,
                             trials.all.size() - arrived,
                             wrong == 0 ? "every verdict as predicted"
                                        : fmt::format("{} not as predicted", wrong));
}

} // namespace polecat::cli
