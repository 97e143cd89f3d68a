/// Loads a node's policy into iptables and ipset instead of nftables.
#pragma once

#include "backends/iptables/image.h"
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

} // namespace polecat::kernel_test
