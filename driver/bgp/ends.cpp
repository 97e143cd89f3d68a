#include "driver/bgp/ends.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace polecat::driver {

namespace {

net::Cidr host(const net::Address& address) {
    return net::block_of(address, static_cast<std::uint8_t>(net::width(address.family)));
}

Result<std::vector<BgpTarget>> service_targets(const Input& input, const std::string& name) {
    std::vector<BgpTarget> out;
    bool there = false;
    for (const policy::Service& each : input.cluster.services) {
        if (each.meta.space + "/" + each.meta.name != name)
            continue;
        there = true;
        const auto& slices = input.cluster.service_endpoints;
        const bool assumed = std::none_of(slices.begin(), slices.end(), [&](const auto& slice) {
            return slice.is_slice && slice.meta.space + "/" + slice.service == name;
        });
        const auto add = [&](const net::Address& address, const char* what) {
            out.push_back(
                {host(address), true, fmt::format("{} of service {}", what, name), "", assumed});
        };
        for (const net::Address& address : each.cluster_ips)
            add(address, "cluster IP");
        for (const net::Address& address : each.external_ips)
            add(address, "external IP");
        for (const net::Address& address : each.ingress_ips)
            add(address, "load balancer IP");
        if (each.ingress_ips.empty() && each.load_balancer_ip)
            add(*each.load_balancer_ip, "load balancer IP");
    }
    if (out.empty())
        return Error{there ? fmt::format("service {} has no address here: it stands "
                                         "in what the cluster says (kubectl get "
                                         "service -o yaml)",
                                         name)
                           : fmt::format("there is no service {}", name)};
    return out;
}

Result<std::vector<BgpTarget>> pod_targets(const Input& input, const std::string& name) {
    std::vector<BgpTarget> out;
    const policy::Workload* there = nullptr;
    for (const policy::Workload& each : input.cluster.workloads) {
        if (each.meta.space + "/" + each.meta.name != name)
            continue;
        there = &each;
        if (each.host_network)
            return Error{fmt::format(
                "{} {} is in the network of its node: its address is the node's, which is not "
                "announced by BGP",
                each.kind, name)};
        for (const At<net::Cidr>& address : each.addresses)
            out.push_back({*address, true, fmt::format("{} {}", each.kind, name), each.node});
    }
    if (out.empty())
        return Error{
            there != nullptr
                ? fmt::format("{} {} has no address here: ask about a pod that runs (kubectl get "
                              "pods -o yaml)",
                              there->kind, name)
                : fmt::format("`{}` is no prefix, address, pod or service:NAMESPACE/NAME", name)};
    return out;
}

} // namespace

Result<std::vector<BgpTarget>> bgp_targets(const Input& input, const std::string& text) {
    if (const auto address = net::parse_address(text))
        return std::vector<BgpTarget>{{host(*address), true, "", ""}};
    if (const auto prefix = net::parse_cidr(text, net::CidrForm::OrAddress))
        return std::vector<BgpTarget>{{*prefix, false, "", ""}};
    return text.starts_with("service:") ? service_targets(input, text.substr(8))
                                        : pod_targets(input, text);
}

bool BgpNeighbor::matches(const routing::Session& session) const {
    return std::find(addresses.begin(), addresses.end(), session.neighbor) != addresses.end() ||
           (!peer.empty() && session.origin.object == peer);
}

Result<BgpNeighbor> bgp_neighbor(const RoutedInput& routed, const std::string& name) {
    BgpNeighbor out;
    if (const auto address = net::parse_address(name))
        out.addresses.push_back(*address);
    else
        out.node = routed.routing.find(name);
    std::vector<std::string_view> names;
    for (routing::NodeIndex i = 0; i < routed.routing.nodes.size(); ++i) {
        const routing::BgpNode& each = routed.routing.nodes[i];
        names.push_back(each.name);
        for (const auto& address : {each.v4, each.v6})
            if (address && out.node == i)
                out.addresses.push_back(address->address);
            else if (address && !out.node && !out.addresses.empty() &&
                     address->address == out.addresses.front())
                out.node = i;
    }
    for (const policy::FabricInventory& inventory : routed.input.cluster.inventories)
        for (const policy::FabricRouter& router : inventory.routers) {
            names.push_back(router.name);
            if (router.name == name)
                out.addresses.push_back(router.address.value);
        }
    for (const routing::BgpPeer& each : routed.routing.peers) {
        names.push_back(each.name);
        if (each.name == name)
            out.peer = "BGPPeer " + name;
    }
    if (!out.addresses.empty() || !out.peer.empty())
        return out;
    const auto near = diag::nearest(name, names);
    return Error{fmt::format("`{}` is no address, node, router of an inventory or BGPPeer{}", name,
                             near ? fmt::format("; did you mean `{}`?", *near) : "")};
}

std::vector<policy::FabricRouter> fabric_routers(const policy::Cluster& cluster) {
    std::map<net::Address, std::vector<const policy::FabricRouter*>> at;
    for (const policy::FabricInventory& inventory : cluster.inventories)
        for (const policy::FabricRouter& router : inventory.routers)
            at[router.address.value].push_back(&router);
    std::vector<policy::FabricRouter> out;
    for (const auto& [address, routers] : at)
        if (routers.size() == 1)
            out.push_back(*routers.front());
    return out;
}

std::string text_of(const RoutedInput& routed, const routing::Step& step) {
    return step.origin.object.empty()
               ? routing::to_string(step)
               : fmt::format("{}: {}", routing::to_string(step), routed.text_of(step.origin));
}

} // namespace polecat::driver
