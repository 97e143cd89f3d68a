#include "ir/policy/felix.h"

#include <algorithm>

#include "support/letters.h"

namespace polecat::policy {

const std::vector<FelixSettings::FailsafePort>& failsafe_ports(const FelixSettings& felix,
                                                               Direction direction) {
    using net::kTcp;
    using net::kUdp;
    static const std::vector<FelixSettings::FailsafePort> inbound{
        {kTcp, 22, {}},   {kUdp, 68, {}},   {kTcp, 179, {}},  {kTcp, 2379, {}}, {kTcp, 2380, {}},
        {kTcp, 5473, {}}, {kTcp, 6443, {}}, {kTcp, 6666, {}}, {kTcp, 6667, {}}};
    static const std::vector<FelixSettings::FailsafePort> outbound{
        {kUdp, 53, {}},   {kUdp, 67, {}},   {kTcp, 179, {}},  {kTcp, 2379, {}}, {kTcp, 2380, {}},
        {kTcp, 5473, {}}, {kTcp, 6443, {}}, {kTcp, 6666, {}}, {kTcp, 6667, {}}};
    const auto& given =
        direction == Direction::Ingress ? felix.failsafe_inbound : felix.failsafe_outbound;
    return given ? *given : direction == Direction::Ingress ? inbound : outbound;
}

std::vector<std::string> interface_prefixes(const FelixSettings& felix) {
    if (!felix.interface_prefixes || felix.interface_prefixes->empty())
        return {"cali"};
    return *felix.interface_prefixes;
}

std::uint16_t vxlan_port(const FelixSettings& felix) {
    return felix.vxlan_port.value_or(4789);
}

const OtherObject* default_felix(const Cluster& cluster) {
    return default_object(cluster, "FelixConfiguration");
}

std::optional<HostAction> to_host_of_environment(const Cluster& cluster) {
    for (const Workload& each : cluster.workloads) {
        const auto found = each.felix_environment.find("FELIX_DEFAULTENDPOINTTOHOSTACTION");
        if (found == each.felix_environment.end())
            continue;
        const std::string value = lower_case(found->second);
        if (value == "accept")
            return HostAction::Accept;
        if (value == "drop" || value == "return")
            return value == "drop" ? HostAction::Drop : HostAction::Return;
    }
    const bool of_operator =
        std::any_of(cluster.others.begin(), cluster.others.end(),
                    [](const OtherObject& each) { return each.kind == "Installation"; });
    return of_operator ? std::optional(HostAction::Accept) : std::nullopt;
}

FelixSettings over(const FelixSettings& base, const FelixSettings& of_node) {
    FelixSettings out = base;
    const auto take = [&](auto FelixSettings::*field) {
        if (of_node.*field)
            out.*field = of_node.*field;
    };
    take(&FelixSettings::failsafe_inbound);
    take(&FelixSettings::failsafe_outbound);
    take(&FelixSettings::to_host);
    take(&FelixSettings::interface_prefixes);
    take(&FelixSettings::allow_vxlan_from_workloads);
    take(&FelixSettings::allow_ipip_from_workloads);
    take(&FelixSettings::vxlan_port);
    take(&FelixSettings::vxlan);
    take(&FelixSettings::ipip);
    take(&FelixSettings::wireguard);
    take(&FelixSettings::wireguard6);
    take(&FelixSettings::wireguard_port);
    take(&FelixSettings::wireguard6_port);
    take(&FelixSettings::skips_invalid_check);
    take(&FelixSettings::rejects);
    take(&FelixSettings::allows_other_sources);
    take(&FelixSettings::log_rate);
    take(&FelixSettings::log_burst);
    if (of_node.unread.known())
        out.unread = of_node.unread;
    return out;
}

} // namespace polecat::policy
