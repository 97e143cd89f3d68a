/// One process at a time changes what this machine's kernel has of polecat.
#pragma once

#include <chrono>
#include <string>

#include "support/result.h"

namespace polecat::runtime {

inline constexpr const char* kMachineLock = "/run/polecat.lock";

/// As long as it is there, nobody else has it; nor while a program runs that was started meanwhile,
/// should whoever started it be killed.
class MachineLock {
  public:
    /// Waits so long for others.
    static Result<MachineLock> take(std::chrono::milliseconds wait);
    MachineLock(MachineLock&& other) noexcept;
    MachineLock& operator=(MachineLock&&) = delete;
    ~MachineLock();

  private:
    explicit MachineLock(int file) : file_(file) {}
    int file_;
};

} // namespace polecat::runtime
