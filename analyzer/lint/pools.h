/// Who asks for addresses of IP pools, and the nodes. For analyzer/lint and passes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/pools.h"

namespace polecat::lint {

using policy::Encapsulation;
using policy::Pool;
using policy::pools_of;
using policy::uses_ipip;
using policy::uses_vxlan;

/// A node by its name, with the labels of its Kubernetes and its Calico object.
struct NodeView {
    std::string name;
    policy::Labels labels;
    std::vector<net::Address> addresses;
    Span span;
};
std::vector<NodeView> nodes_of(const policy::Cluster& cluster);
bool is_windows(const NodeView& node);

/// False where the manifests say that somebody else gives addresses to pods.
bool calico_gives_addresses(const policy::Cluster& cluster);

/// One of the annotations by which a namespace or a pod asks the CNI plugin for addresses.
struct AddressRequest {
    std::string annotation; ///< "ipv4pools", without its prefix
    std::string object;     ///< "Namespace shop", "Pod shop/web"
    std::string space;      ///< the namespace, or that of the pod
    /// Whose request it is; nullptr: every pod's of the namespace that has none of its own.
    const policy::Workload* pod = nullptr;
    std::string text; ///< as written
    /// Items of the JSON list; nullopt: it is none.
    std::optional<std::vector<std::string>> items;
    bool understood = true; ///< false: JSON that is not read here (escapes)
    Span span;
};
std::vector<AddressRequest> requests_of(const policy::Cluster& cluster);
/// By its name or its CIDR; nullptr: it is not there.
const Pool* pool_asked_for(const std::vector<Pool>& pools, const std::string& asked);

} // namespace polecat::lint
