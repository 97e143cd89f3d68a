/// IP pools with their fields typed, whether an IPPool object or the operator's Installation says
/// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"

namespace polecat::policy {

enum class Encapsulation : std::uint8_t { None, Ipip, IpipCrossSubnet, Vxlan, VxlanCrossSubnet };

struct Pool {
    std::string name;   ///< empty: the operator makes one up
    std::string object; ///< "IPPool a", "Installation default"
    net::Cidr cidr;
    Span span; ///< of the CIDR
    Encapsulation encapsulation = Encapsulation::None;
    bool exported = true; ///< by BGP: not disableBGPExport
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

} // namespace polecat::policy
