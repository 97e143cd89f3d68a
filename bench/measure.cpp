#include "bench/measure.h"

#include <algorithm>
#include <ctime>
#include <sys/resource.h>

#include <fmt/format.h>

namespace polecat::bench {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void Phases::done(const std::string& phase) {
    const double now = cpu_seconds();
    const auto again = std::find_if(spent_.begin(), spent_.end(),
                                    [&](const Spent& each) { return each.phase == phase; });
    Spent& spent = again != spent_.end() ? *again : spent_.emplace_back(Spent{phase, 0, 0});
    spent.seconds += now - last_;
    spent.megabytes = peak_megabytes();
    last_ = now;
}

void Phases::print(const std::string& workload) const {
    double total = 0;
    std::string parts;
    for (const Spent& each : spent_) {
        if (each.phase != "inputs")
            total += each.seconds;
        parts += fmt::format("  {} {:.3f} ({:.0f})", each.phase, each.seconds, each.megabytes);
    }
    fmt::print("{:<28} {:>8.3f} CPU s {:>7.0f} MB  |{}\n", workload, total, peak_megabytes(),
               parts);
    std::fflush(stdout);
}

} // namespace polecat::bench
