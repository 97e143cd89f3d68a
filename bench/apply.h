/// What bringing rules into the kernel of a node takes, by netlink.
#pragma once

#include <string>

namespace polecat::bench {

/// The first load of node-0000's rules, reading all of it back, then plans for a pod of known
/// identity, those of a new identity, and a policy that changed. In a network namespace of its own;
/// says so where there can be none.
void apply_of(const std::string& name, const std::string& manifests);

} // namespace polecat::bench
