#include "ir/policy/pools.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::policy {

namespace {

constexpr std::string_view kInstallationField = "spec.calicoNetwork.";

bool of_installation(const IpPool& pool) {
    return pool.path != "spec";
}

/// Where the pool's fields stand in its settings.
std::string prefix_of(const IpPool& pool) {
    return of_installation(pool) ? pool.path.substr(kInstallationField.size()) + "." : "";
}

Encapsulation mode(const Settings& spec, const char* field, Encapsulation always,
                   Encapsulation between) {
    if (spec.is(field, "Always"))
        return always;
    return spec.is(field, "CrossSubnet") ? between : Encapsulation::None;
}

Encapsulation encapsulation_of(const IpPool& pool) {
    if (!of_installation(pool)) {
        const auto ipip =
            mode(pool.spec, "ipipMode", Encapsulation::Ipip, Encapsulation::IpipCrossSubnet);
        return ipip != Encapsulation::None ? ipip
                                           : mode(pool.spec, "vxlanMode", Encapsulation::Vxlan,
                                                  Encapsulation::VxlanCrossSubnet);
    }
    const std::string field = prefix_of(pool) + "encapsulation";
    if (pool.spec.is(field, "VXLAN"))
        return Encapsulation::Vxlan;
    if (pool.spec.is(field, "VXLANCrossSubnet"))
        return Encapsulation::VxlanCrossSubnet;
    if (pool.spec.is(field, "IPIPCrossSubnet"))
        return Encapsulation::IpipCrossSubnet;
    // The operator takes IPIP where nothing is said, which IPv6 does not have.
    const bool ipip = pool.spec.is(field, "IPIP") ||
                      (!pool.spec.has(field) && pool.cidr.family() == net::Family::V4);
    return ipip ? Encapsulation::Ipip : Encapsulation::None;
}

bool uses(const IpPool& pool, const char* use) {
    return std::find(pool.allowed_uses.begin(), pool.allowed_uses.end(), use) !=
           pool.allowed_uses.end();
}

Pool view_of(const IpPool& pool) {
    const std::string at = prefix_of(pool);
    const bool operators = of_installation(pool);
    const Settings& spec = pool.spec;
    Pool out;
    out.cidr = pool.cidr;
    out.span = spec.span(at + "cidr");
    out.name = operators && !spec.has(at + "name") ? "" : pool.meta.name;
    out.object = operators ? "Installation default" : "IPPool " + pool.meta.name;
    out.encapsulation = encapsulation_of(pool);
    out.exported = !spec.is_true(at + "disableBGPExport");
    out.nat_outgoing =
        operators ? !spec.is(at + "natOutgoing", "Disabled")
                  : spec.is_true("natOutgoing") || spec.is_true("nat-outgoing"); // its old name
    out.nat_said = spec.has(at + "natOutgoing") || spec.has(at + "nat-outgoing");
    out.disabled = pool.disabled || spec.is_true(at + "disableNewAllocations");
    out.automatic = !spec.is(at + "assignmentMode", "Manual");
    out.for_pods = pool.allowed_uses.empty() || uses(pool, "Workload");
    out.for_load_balancers = uses(pool, "LoadBalancer");
    const auto size = spec.integer(at + "blockSize");
    const unsigned usual = pool.cidr.family() == net::Family::V4 ? 26 : 122;
    out.block_size =
        size && size->value != 0 ? static_cast<unsigned>(size->value) : usual; // 0: not set
    out.node_selector = spec.selector(at + "nodeSelector");
    out.namespace_selector = spec.selector(at + "namespaceSelector");
    return out;
}

} // namespace

std::string Pool::shown() const {
    return name.empty() ? net::to_string(cidr)
                        : fmt::format("`{}` ({})", name, net::to_string(cidr));
}

bool uses_ipip(const Pool& pool) {
    return pool.encapsulation == Encapsulation::Ipip ||
           pool.encapsulation == Encapsulation::IpipCrossSubnet;
}

bool uses_vxlan(const Pool& pool) {
    return pool.encapsulation == Encapsulation::Vxlan ||
           pool.encapsulation == Encapsulation::VxlanCrossSubnet;
}

std::vector<Pool> pools_of(const Cluster& cluster) {
    std::vector<Pool> out;
    for (const IpPool& pool : cluster.pools)
        if (!of_installation(pool))
            out.push_back(view_of(pool));
    const std::size_t objects = out.size();
    for (const IpPool& pool : cluster.pools) {
        const auto made = [&](const Pool& each) { return each.cidr == pool.cidr; };
        const auto end = out.begin() + static_cast<std::ptrdiff_t>(objects);
        if (of_installation(pool) && std::none_of(out.begin(), end, made))
            out.push_back(view_of(pool));
    }
    return out;
}

} // namespace polecat::policy
