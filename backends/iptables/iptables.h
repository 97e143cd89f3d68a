/// The iptables backend: a node's filter image to chains and sets and back (docs/iptables.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "backends/iptables/image.h"
#include "support/result.h"

namespace polecat::iptables {

iptables::Ruleset emit(const FilterImage& image);

/// Chains of a family that stand where emit() has those that lead to programs of pods:
/// `polecat-from`, `-to`, `-from-r` and `-to-r`.
using WorkloadChains = std::function<std::vector<Chain>(net::Family)>;
/// Where somebody else judges workloads. `host` has no pods.
iptables::Ruleset emit(const FilterImage& host, const WorkloadChains& workloads);

using Emitter = std::function<Ruleset(const FilterImage&)>;
/// Recovers the image from chains and sets, ours or the kernel's listing (which has no texts of
/// sets). What is not exactly as `emitter` (otherwise emit()) writes it is an error.
Result<FilterImage> read_back(const iptables::Ruleset& ruleset, const Emitter& emitter = {});
/// Whether all rules know one generation, and some do.
bool is_one_generation(const Ruleset& rules);

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
