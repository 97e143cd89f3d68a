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
    /// What was spent since the last call goes to this phase, which may come again.
    void done(const std::string& phase);
    /// One line: total and peak memory, then seconds of each phase and the peak after it.
    void print(const std::string& workload) const;

  private:
    double last_;
    struct Spent {
        std::string phase;
        double seconds, megabytes; ///< the peak so far
    };
    std::vector<Spent> spent_;
};

} // namespace polecat::bench
