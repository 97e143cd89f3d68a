/// IP pools as lint rules ask about them, whether an IPPool object or the operator's Installation
/// says them, and who asks for addresses of them. For analyzer/lint and passes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"

namespace polecat::lint {

enum class Encapsulation : std::uint8_t { None, Ipip, IpipCrossSubnet, Vxlan, VxlanCrossSubnet };

struct Pool {
    std::string name;   ///< empty: the operator makes one up
    std::string object; ///< "IPPool a", "Installation default"
    net::Cidr cidr;
    Span span; ///< of the CIDR
    Encapsulation encapsulation = Encapsulation::None;
    bool nat_outgoing = false;
    bool nat_said = false; ///< the manifest says whether
    bool disabled = false; ///< gives out no more addresses
    bool automatic = true; ///< not only on request
    bool for_pods = true;
    bool for_load_balancers = false;
    unsigned block_size = 0;
    std::optional<policy::SelectorField> node_selector, namespace_selector;

    /// Gives addresses to pods that ask for no pool.
    bool serves() const { return for_pods && automatic && !disabled; }
    std::string shown() const; ///< "`a` (10.0.0.0/16)"
};

bool uses_ipip(const Pool& pool);
bool uses_vxlan(const Pool& pool);

/// Every pool once: the operator makes the IPPool of a CIDR that its Installation has.
std::vector<Pool> pools_of(const policy::Cluster& cluster);

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
