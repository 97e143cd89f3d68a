/// The iptables backend: a node's filter image to chains and sets and back (docs/iptables.md).
#pragma once

#include <string>

#include "artefact/iptables/ruleset.h"
#include "backends/iptables/image.h"
#include "support/result.h"

namespace polecat::iptables {

iptables::Ruleset emit(const FilterImage& image);

/// Recovers the image from chains and sets, ours or the kernel's listing (which has no texts of
/// sets). What is not exactly as emit() writes it is an error.
Result<FilterImage> read_back(const iptables::Ruleset& ruleset);

/// What a node loads, as texts of ipset and iptables-restore.
struct CompiledRules {
    std::string sets, v4, v6;
    std::string host_hooks{}; ///< empty where no host endpoint needs any
};
/// emit(), and nothing but what reads back as `image`: an error is a fault of ours.
Result<CompiledRules> compile(const FilterImage& image);

/// What sends packets to the chains, once after a start of the node; the same for both families and
/// all nodes.
std::string filter_hooks();
/// The same of tables raw and mangle, which have chains where host endpoints have policy there.
std::string host_hooks(const Table& table);

} // namespace polecat::iptables
