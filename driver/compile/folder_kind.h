/// What a folder was compiled for: one target's files are no other's, and of two in one folder
/// nobody could say which a node runs.
#pragma once

#include <optional>
#include <string>

namespace polecat::driver {

enum class FolderKind { Nothing, Nftables, Iptables, Bpf, Bundle, Several };

FolderKind folder_kind(const std::string& folder);

/// As `--target` names it: "nftables", "bundle". Of one kind.
const char* target_of(FolderKind kind);
/// Of a name that `compile --target` takes; Nothing: it writes no folder of these kinds.
FolderKind kind_of_target(const std::string& target);

/// Why `folder` can't be read as one of `wanted`, or (`may_be_new`) be written as such; empty: it
/// can.
std::string unfit(const std::string& folder, FolderKind wanted, bool may_be_new = false);

/// Where the rules of a folder for nftables have their bits of conntrack marks.
std::optional<unsigned> flow_mark_bit_in(const std::string& folder);

/// Where rules are to have them: as somebody said, else as the base has it.
unsigned flow_mark_bit(std::optional<unsigned> said, const std::string& base);

} // namespace polecat::driver
