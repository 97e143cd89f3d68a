/// Network namespaces without a name, held by file descriptors. For runtime/lab only.
#pragma once

#include <string>

#include "support/result.h"

namespace polecat::runtime {

/// Writes a file of /proc/sys.
bool put(const std::string& path, const std::string& text);
/// What failed, with the reason that errno gives.
Error failed(const std::string& what);
int current_ns();

/// Inside of a namespace for its lifetime.
class Inside {
  public:
    explicit Inside(int ns);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    int back_;
};

} // namespace polecat::runtime
