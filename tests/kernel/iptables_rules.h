/// Loads a node's policy into iptables and ipset instead of nftables.
#pragma once

#include "backends/iptables/plan.h"
#include "runtime/iptables.h"
#include "tests/kernel/node.h"

namespace polecat::kernel_test {

using runtime::Iptables;

/// Whether ipset and both variants of iptables are there. Says loudly when not; on CI that is a
/// failure. Call it after may_run().
bool may_run_iptables();

/// Loads in the order that the docs give, with the node's generation; what the kernel then lists
/// reads back as what was loaded.
Node::Loader load_iptables(Iptables variant);

/// Of the node's policy.
iptables::FilterImage filters_of(const Node& node);

/// The plan from what the kernel lists to what the node expects.
iptables::Plan prepare_iptables(Iptables variant, const Node& node);
/// Under the next number where the step has another one than those before.
void take_iptables(Iptables variant, Node& node, const iptables::Plan::Step& step);
/// What the kernel lists reads back as what the node expects.
bool iptables_agree(Iptables variant, const Node& node);

} // namespace polecat::kernel_test
