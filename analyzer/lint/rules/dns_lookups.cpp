#include "analyzer/lint/rules/dns_lookups.h"

#include <algorithm>

#include "ir/net/special.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using analyzer::SetStore;
using decision::Identity;

namespace {

const DnsPorts kOpenShiftPorts{{kOpenShiftDnsPort}, {kOpenShiftDnsPort}};

ConnectionSet to_ports(net::Protocol protocol, const std::set<std::uint16_t>& ports) {
    std::vector<net::PortRange> ranges;
    for (const std::uint16_t port : ports)
        ranges.push_back({port, port});
    return ConnectionSet::of(protocol, analyzer::PortPairs::of(net::PortSet::of(ranges),
                                                               net::PortSet::of(net::PortRange{})));
}

/// Where API servers listen. Pods have its address from their environment.
constexpr std::uint16_t kApiServerPort = 6443;

/// Where NodeLocal DNSCache listens, beside the address of the DNS service.
constexpr net::Address kNodeLocal{net::Family::V4, 0, 0xA9FE140A};

bool is_node_local(const policy::Workload& workload) {
    return workload.kind == "DaemonSet" && workload.pod_labels.find("k8s-app") == "node-local-dns";
}

/// More than somebody writes down: a block of 256 addresses, or a subnet of IPv6.
bool is_wide(const net::AddressSet& set) {
    const auto blocks = set.cidrs();
    return std::any_of(blocks.begin(), blocks.end(), [](const net::Cidr& each) {
        return each.prefix < (each.family() == net::Family::V4 ? 24 : 64);
    });
}

} // namespace

DnsLookups::DnsLookups(Context& context, analyzer::EndGroups& ends)
    : context_(context), ends_(ends), servers_(dns_servers_of(context, ends)),
      absent_(context.lowered), store_(context.matches().store()) {
    add_absent_pods();
    find_node_local();
    for (const auto& [name, front] : context.lowered.service_fronts)
        service_addresses_.insert(front.cluster_ips.begin(), front.cluster_ips.end());
    for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
        kinds_.push_back(kind_of(i));
}

/// Those that are not in the input, as Kubernetes' and OpenShift's are.
void DnsLookups::add_absent_pods() {
    selector::Labels kubernetes, openshift;
    kubernetes.set("k8s-app", "kube-dns");
    absent_.add_pod("kube-system", kubernetes,
                    {{"dns", net::kUdp, kDnsPort}, {"dns-tcp", net::kTcp, kDnsPort}});
    openshift.set("dns.operator.openshift.io/daemonset-dns", "default");
    absent_.add_pod(
        "openshift-dns", openshift,
        {{"dns", net::kUdp, kOpenShiftDnsPort}, {"dns-tcp", net::kTcp, kOpenShiftDnsPort}});
}

/// Ends at which the node-local cache answers. It takes over the address of the DNS service.
void DnsLookups::find_node_local() {
    const auto& workloads = context_.cluster.workloads;
    node_local_ = std::any_of(workloads.begin(), workloads.end(), is_node_local);
    std::set<net::Address> addresses{kNodeLocal};
    for (const auto& [name, front] : context_.lowered.service_fronts)
        if (std::any_of(front.ports.begin(), front.ports.end(),
                        [](const auto& port) { return port.port == kDnsPort; }))
            addresses.insert(front.cluster_ips.begin(), front.cluster_ips.end());
    for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
        if (std::any_of(addresses.begin(), addresses.end(), [&](const net::Address& each) {
                return ends_.list()[i].outside.contains(each);
            }))
            local_.push_back(i);
}

/// Addresses outside of the cluster that could be a resolver's: not those of services, which
/// policy never sees.
bool DnsLookups::may_resolve(const analyzer::EndGroup& group) const {
    if (!group.is_outside())
        return false;
    const auto& ranges = group.outside.ranges();
    return ranges.size() > 1 || ranges.front().first != ranges.front().last ||
           !service_addresses_.contains(ranges.front().first);
}

DnsLookups::Asked DnsLookups::packets_to(const DnsPorts& ports) {
    return {store_.intern(to_ports(net::kUdp, ports.udp)),
            store_.intern(to_ports(net::kTcp, ports.tcp))};
}

Lookups DnsLookups::of(analyzer::ProgramView<analyzer::StoredFlows>& program, const Identity& own) {
    Lookups out;
    const auto ways = [&](SetStore::Id may, const Asked& asked) {
        return Lookups::Ways{store_.intersect(may, asked.udp) != 0,
                             store_.intersect(may, asked.tcp) != 0};
    };
    const auto ask = [&](const Identity& other, const DnsPorts& ports) {
        return ways(program.between(own, other).may, packets_to(ports));
    };
    for (const auto& [server, ports] : servers_.groups)
        out.pods = out.pods | ask(program.other(ends_.identity(server)), ports);
    const auto absent = [&](std::size_t pod) {
        return absent_.identity(pod, ends_.family(), program.asks_of_others());
    };
    if (servers_.groups.empty())
        out.pods = ask(absent(0), servers_.ports) | ask(absent(1), kOpenShiftPorts);
    if (out.pods.udp && out.pods.tcp && !node_local_)
        return out;
    const std::vector<Class> classes = classes_of(program.others());
    const SetStore::Id api_server = store_.intern(to_ports(net::kTcp, {kApiServerPort}));
    const SetStore::Id everything = context_.matches().everything();
    const Asked usual = packets_to(kUsualDnsPorts), served = packets_to(servers_.ports);
    for (std::uint32_t i = 0; i < classes.size(); ++i) {
        const auto [allow, may] = program.between(own, i);
        // That a pod may get an address which a rule names says nothing of names.
        out.needs_names = out.needs_names ||
                          (classes[i].has_pods && store_.subtract(allow, api_server) != 0) ||
                          (classes[i].is_wide && store_.subtract(may, api_server) != 0);
        if (classes[i].has_local && (node_local_ || !classes[i].is_public))
            out.local = out.local | ways(may, usual);
        if (!classes[i].resolves)
            continue;
        const Lookups::Ways elsewhere =
            ways(may, usual) | (servers_.groups.empty() ? ways(may, served) : Lookups::Ways{});
        out.elsewhere = out.elsewhere | elsewhere;
        // That everything is open towards somebody says nothing of a resolver there.
        if (!classes[i].is_wide && may != everything)
            out.chosen = out.chosen | elsewhere;
    }
    return out;
}

std::vector<DnsLookups::Class>
DnsLookups::classes_of(const analyzer::GroupClasses::Partition& partition) const {
    std::vector<Class> out(partition.classes.size());
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < kinds_.size(); ++i) {
        const bool listed = next < partition.groups.size() && partition.groups[next].first == i;
        out[listed ? partition.groups[next++].second : 0].take(kinds_[i]);
    }
    return out;
}

DnsLookups::Class DnsLookups::kind_of(std::uint32_t number) const {
    const analyzer::EndGroup& group = ends_.list()[number];
    Class out;
    out.has_local = std::find(local_.begin(), local_.end(), number) != local_.end();
    // Where the DNS pods are not in the input, anything may be one of them.
    out.resolves = servers_.groups.empty() || may_resolve(group);
    out.is_public = group.is_outside() && !net::special_addresses().contains(group.outside);
    out.is_wide = group.is_outside() && is_wide(group.outside);
    out.has_pods = !group.is_outside() && !is_host(context_, group) &&
                   context_.object(group.objects.front()).selectable;
    return out;
}

void DnsLookups::Class::take(const Class& other) {
    has_local = has_local || other.has_local;
    resolves = resolves || other.resolves;
    is_public = is_public || other.is_public;
    is_wide = is_wide || other.is_wide;
    has_pods = has_pods || other.has_pods;
}

bool is_host(const Context& context, const analyzer::EndGroup& group) {
    return !group.is_outside() &&
           context.object(group.objects.front()).kind == decision::Object::Kind::HostEndpoint;
}

} // namespace polecat::lint
