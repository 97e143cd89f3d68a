/// Which nodes' files in a compiled folder are not of its last compile: that one refused them or
/// was broken off. Nothing else in the folder tells, since each file is whole by itself.
#pragma once

#include <map>
#include <set>
#include <string>

#include "support/result.h"

namespace polecat::driver {

inline constexpr const char* kUnfinishedFile = "unfinished.txt";

/// Why, by node; empty: all are of the last compile. An error: it can't be told.
Result<std::map<std::string, std::string>> unfinished_in(const std::string& folder);
/// Of a node; empty: its files are of the last compile.
std::string unfinished(const std::string& folder, const std::string& node);

/// Kept while a folder is written, so that it stays where that is broken off.
class UnfinishedNodes {
  public:
    /// From here on files of these nodes are not to be believed; what is said of others stays.
    static Result<UnfinishedNodes> begin(std::string folder, const std::set<std::string>& nodes);

    void written(const std::string& node) { why_.erase(node); }
    void refused(const std::string& node, const std::string& why);
    /// Until then `begin` holds. The file goes when it has nothing to say.
    Result<bool> write() const;

  private:
    UnfinishedNodes(std::string folder, std::map<std::string, std::string> why)
        : folder_(std::move(folder)), why_(std::move(why)) {}

    std::string folder_;
    std::map<std::string, std::string> why_;
};

} // namespace polecat::driver
