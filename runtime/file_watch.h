/// Tells which files of folders change, by inotify.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::runtime {

class FileWatch {
  public:
    /// Files, and folders with all that is below them but folders that are to be skipped. Links are
    /// not followed.
    using Skip = std::function<bool(const std::string& folder)>;
    FileWatch(std::vector<std::string> paths, Skip skip);
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    /// Why nothing is watched; empty: it is.
    const std::string& failure() const { return failure_; }

    struct Changes {
        std::set<std::string> files; ///< as a walk through the folders names them
        bool folders = false;        ///< came or went, or it is not known what changed
    };
    /// What changed since the last call, once nothing more has for a moment. Waits for something,
    /// at most that long. An error: nothing is watched any more.
    Result<Changes> wait(std::optional<std::chrono::milliseconds> most = std::nullopt);

  private:
    void watch_all();
    void watch(const std::string& folder);
    bool read_events(Changes& out);
    void note(const std::string& folder, const char* name, unsigned mask, Changes& out);

    std::vector<std::string> paths_;
    Skip skip_;
    std::string failure_;
    int queue_ = -1;
    std::map<int, std::string> folders_; ///< by watch
};

} // namespace polecat::runtime
