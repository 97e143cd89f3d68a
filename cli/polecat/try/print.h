/// What `polecat try` shows: how far it is, and what became of packets.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "driver/try/experiment.h"

namespace polecat::cli {

/// One line on a terminal, once something has taken seconds; gone at the end.
class ProgressLine {
  public:
    ProgressLine();
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const char* what, std::size_t done, std::size_t of);
    void clear();

  private:
    std::chrono::steady_clock::time_point next_;
    bool on_terminal_ = false, shown_ = false;
};

/// A table of those that are not as predicted, of all where `every`; empty: there are none.
std::string table_of(const std::vector<driver::Trial>& trials, bool every);
std::string summary_of(const driver::Trials& trials);

} // namespace polecat::cli
