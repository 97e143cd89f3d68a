/// A folder that is gone when its owner is.
#pragma once

#include <string>

#include "support/result.h"

namespace polecat::runtime {

class TemporaryFolder {
  public:
    static Result<TemporaryFolder> make();
    ~TemporaryFolder();
    TemporaryFolder(TemporaryFolder&& other) noexcept;
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    const std::string& path() const { return path_; }
    /// A new file of that name, which may have folders in it; never above this one.
    Result<bool> write(const std::string& name, const std::string& text) const;

  private:
    explicit TemporaryFolder(std::string path);
    std::string path_;
};

} // namespace polecat::runtime
