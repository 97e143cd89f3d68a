/// CPU seconds by phase and peak memory of the process.
#pragma once

#include <string>
#include <vector>

namespace polecat::bench {

/// User and system CPU seconds of this process so far.
double cpu_seconds();
/// Peak resident memory in MB.
double peak_megabytes();

class Phases {
  public:
    Phases() : last_(cpu_seconds()) {}
    /// What was spent since the last call goes to this phase.
    void done(const std::string& phase);
    /// One line: total, each phase, peak memory.
    void print(const std::string& workload) const;

  private:
    double last_;
    std::vector<std::pair<std::string, double>> spent_;
};

} // namespace polecat::bench
