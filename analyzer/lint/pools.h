/// Who asks for addresses of IP pools, and the nodes. For analyzer/lint only.
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
    std::string text;       ///< as written
    /// Items of the JSON list; nullopt: it is none.
    std::optional<std::vector<std::string>> items;
    bool understood = true; ///< false: JSON that is not read here (escapes)
    Span span;
};
std::vector<AddressRequest> requests_of(const policy::Cluster& cluster);

} // namespace polecat::lint
