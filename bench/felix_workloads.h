/// The workloads of Calico's own calculation-graph benchmarks (felix/calc/*_bench_test.go) as typed
/// clusters: the same endpoints, labels, sets and policies.
#pragma once

#include <cstddef>

#include "ir/policy/cluster.h"

namespace polecat::bench {

inline constexpr const char* kLocalNode = "localhost";

/// 200 local endpoints, `remote` others; `policies` that select by marker label.
policy::Cluster tag_policies(std::size_t remote, std::size_t policies);
/// `count` network sets of 1 to 1000 addresses, and a policy for each on every endpoint.
policy::Cluster netset_policies(std::size_t remote, std::size_t count);
/// `customers` namespaces with a pod and a policy each; 100 pods are local.
policy::Cluster isolated_customers(std::size_t customers);

/// One policy of `rules` rules, a fourth of them by network set, of which none matches.
policy::Cluster long_policy(std::size_t rules);

} // namespace polecat::bench
