/// Names of what stands in a configuration. Private to backends/bird.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/routing/node.h"

namespace polecat::bird {

/// BIRD's symbols have at most 64 characters. A longer name is cut and gets 16 hex digits of its
/// SHA-256.
std::string shortened(const std::string& name, std::size_t longest);

inline constexpr std::size_t kLongestSymbol = 64;
inline constexpr std::string_view kImport = "import_", kExport = "export_"; ///< of BGPFilters

/// As much of a BGPFilter's name as fits into "import_NAME_v4".
std::string filter_name(const std::string& name);
std::string_view family_suffix(net::Family family);        ///< "v4"
std::string_view channel(net::Family family);              ///< "ipv4"
std::string_view name_prefix(routing::SessionKind kind);   ///< "Mesh_"
std::string session_name(const routing::Session& session); ///< "Mesh_10.0.0.2"
/// The reference of which password_file() made the name.
std::optional<routing::PasswordRef> password_of_file(std::string_view file);

} // namespace polecat::bird
