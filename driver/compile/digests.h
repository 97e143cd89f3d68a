/// files.sha256 in the folder of a node: of one compile of that node its files are, to the byte.
/// Each file is whole by itself, so that nothing else tells a file of another node or of another
/// compile among them.
#pragma once

#include <map>
#include <string>

namespace polecat::driver {

inline constexpr const char* kDigestsFile = "files.sha256";

/// Of what is written of a node, by name; as `sha256sum -c` takes it.
std::string digests_of(const std::string& node, const std::map<std::string, std::string>& files);

/// Which of a node's files is not what was compiled for it together with the others, and what to
/// do; empty: all are. Files that stand there and were not compiled are looked at as well.
std::string digests_lack(const std::string& folder, const std::string& node);

/// Why a node's files are not to be believed, by this or by unfinished.h; empty: they are, or there
/// are none.
std::string not_whole(const std::string& folder, const std::string& node);

} // namespace polecat::driver
