// Failsafe ports are part of what a host endpoint lets in and out, in every answer: the map,
// answers by side and what a packet meets on its way agree.
#include <doctest/doctest.h>

#include "analyzer/flows/map.h"
#include "analyzer/flows/side_flows.h"
#include "ir/path/path.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::ConnectionSet;
using decision::Direction;
using decision::Verdict;

namespace {

std::string host(const std::string& name) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: " + name +
           ", labels: {h: h}}, spec: {node: " + name +
           ", interfaceName: eth0, expectedIPs: [192.168.0." + name.substr(1) + "]}}\n---\n";
}

std::string felix(const std::string& name, const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: " + name +
           "}, spec: {" + spec + "}}\n---\n";
}

std::string on_hosts(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p}, "
           "spec: {selector: has(h), " +
           spec + "}}\n---\n";
}

const std::string kNodes =
    "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, "
    "address: 192.168.0.1}]}}\n---\n"
    "{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, "
    "address: 192.168.0.2}]}}\n---\n"
    "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: a}, spec: {nodeName: n3, "
    "containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.9}}\n---\n";

struct Answering {
    explicit Answering(const std::string& manifests) {
        testing::load_text(kNodes + manifests, cluster);
        identities.emplace(cluster.lowered);
        map.emplace(cluster.lowered, *identities, net::Family::V4);
    }
    decision::ObjectId hep(const char* name) const {
        return cluster.lowered.host_endpoints_by_name.at(name);
    }
    /// The group of outside addresses that holds this one, or of its endpoint.
    std::uint32_t group_at(const char* text) const {
        const net::Address address = *net::parse_address(text);
        const auto& held = decision::end_of(cluster.lowered.world, address).objects;
        if (!held.empty())
            return *map->group_of(held.front());
        const auto& groups = map->groups();
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            if (groups[i].outside.contains(address))
                return i;
        FAIL("no group has " << text);
        return 0;
    }
    /// As text: allowed, or "allowed; depends: more".
    std::string between(std::uint32_t from, std::uint32_t to) const {
        const auto pair = map->between(from, to);
        const ConnectionSet &allow = map->set(pair.sure), &may = map->set(pair.may);
        return allow.describe() + (allow == may ? "" : "; depends: " + (may - allow).describe());
    }
    std::string into(const char* from, const char* hep_name) const {
        return between(group_at(from), *map->group_of(hep(hep_name)));
    }
    std::string from(const char* hep_name, const char* to) const {
        return between(*map->group_of(hep(hep_name)), group_at(to));
    }
    /// Of the packet itself, on its way from outside to the node.
    Verdict packet(const char* from, const char* to, net::Protocol protocol,
                   std::uint16_t port) const {
        ir::PathQuery query;
        query.source.address = net::parse_address(from);
        query.destination.address = net::parse_address(to);
        query.route = ir::Route::Wire;
        query.packet.protocol = protocol;
        query.packet.source_port = std::uint16_t{40000};
        query.packet.destination_port = port;
        return ir::judge_flow(cluster.lowered, query).verdict;
    }
    void check_packets(const char* from, const char* to) const {
        const auto pair = map->between(group_at(from), group_at(to));
        for (const net::Protocol protocol : {net::kTcp, net::kUdp})
            for (const std::uint16_t port :
                 std::vector<std::uint16_t>{22, 53, 67, 68, 80, 179, 6443, 9100}) {
                const auto number = net::PortSet::of(net::PortRange{port, port});
                const auto one = ConnectionSet::of(
                    protocol, analyzer::PortPairs::of(
                                  number, net::PortSet::of(net::PortRange{40000, 40000})));
                const bool allow = !(map->set(pair.sure) & one).empty();
                const bool may = !(map->set(pair.may) & one).empty();
                INFO(from, " -> ", to, " ", int{protocol}, "/", port);
                CHECK(packet(from, to, protocol, port) == (allow ? Verdict::Allow
                                                           : may ? Verdict::Depends
                                                                 : Verdict::Deny));
            }
    }

    testing::RandomCluster cluster;
    std::optional<decision::Identities> identities;
    std::optional<analyzer::ConnectivityMap> map;
};

const std::string kIn = "TCP 22,179,2379-2380,5473,6443,6666-6667";
const std::string kNothing = "none";
const std::string kOut = "TCP 179,2379-2380,5473,6443,6666-6667; UDP 53,67";

} // namespace

TEST_CASE("Calico's own failsafe ports are open whatever policy says, and no others") {
    const Answering closed(host("n1") + on_hosts("types: [Ingress, Egress]"));
    CHECK(closed.into("203.0.113.7", "n1") == kIn + "; UDP 68");
    CHECK(closed.from("n1", "203.0.113.7") == kOut);
    closed.check_packets("203.0.113.7", "192.168.0.1");
    closed.check_packets("192.168.0.1", "203.0.113.7");
    // A rule that denies comes behind them; one that allows adds to them.
    const Answering denied(host("n1") + on_hosts("types: [Ingress], ingress: [{action: Deny, "
                                                 "protocol: TCP, destination: {ports: [22]}}, "
                                                 "{action: Allow, protocol: TCP, destination: "
                                                 "{ports: [9100]}}]"));
    CHECK(denied.into("203.0.113.7", "n1") == kIn + ",9100; UDP 68");
    denied.check_packets("203.0.113.7", "192.168.0.1");
    // Workloads have none, nor has a host without host endpoint any policy.
    const Answering pods(host("n1") +
                         "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: "
                         "d, namespace: a}, spec: {podSelector: {}}}\n---\n");
    CHECK(pods.between(pods.group_at("203.0.113.7"), pods.group_at("10.0.0.9")) == kNothing);
}

TEST_CASE("failsafe ports are what FelixConfiguration says, of all nodes or of one") {
    const std::string none = "failsafeInboundHostPorts: [], failsafeOutboundHostPorts: []";
    const std::string one = "failsafeInboundHostPorts: [{protocol: tcp, port: 9100}]";
    const std::string closed = host("n1") + host("n2") + on_hosts("types: [Ingress, Egress]");
    const Answering all(felix("default", none) + closed);
    CHECK(all.into("203.0.113.7", "n1") == kNothing);
    CHECK(all.from("n1", "203.0.113.7") == kNothing);
    all.check_packets("203.0.113.7", "192.168.0.1");
    const Answering differ(felix("default", none) + felix("node.n2", one) + closed);
    CHECK(differ.into("203.0.113.7", "n1") == kNothing);
    CHECK(differ.into("203.0.113.7", "n2") == "TCP 9100");
    differ.check_packets("203.0.113.7", "192.168.0.1");
    differ.check_packets("203.0.113.7", "192.168.0.2");
    // Both ends are asked: out of the one, into the other.
    CHECK(differ.from("n1", "192.168.0.2") == kNothing);
}

TEST_CASE("failsafe ports of a net are open to that net only") {
    const Answering some(felix("default", "failsafeInboundHostPorts: [{protocol: tcp, port: 22, "
                                          "net: 203.0.113.0/24}, {protocol: udp, port: 68, net: "
                                          "'2001:db8::/32'}]") +
                         host("n1") + on_hosts("types: [Ingress]"));
    CHECK(some.into("203.0.113.7", "n1") == "TCP 22");
    CHECK(some.into("8.8.8.8", "n1") == kNothing);
    CHECK(some.into("10.0.0.9", "n1") == kNothing);
    some.check_packets("203.0.113.7", "192.168.0.1");
    some.check_packets("8.8.8.8", "192.168.0.1");
    // Of a pod whose address nobody knows it is not known.
    const Answering pods(
        felix("default", "failsafeInboundHostPorts: [{protocol: tcp, port: 22, net: 10.0.0.0/8}]") +
        host("n1") + on_hosts("types: [Ingress]") +
        "{apiVersion: v1, kind: Pod, metadata: {name: later, namespace: a}, spec: {nodeName: n2, "
        "containers: [{name: c, image: i}]}}\n---\n");
    const auto later = pods.cluster.lowered.workloads_by_name.at("pod:a/later");
    CHECK(pods.between(*pods.map->group_of(later), *pods.map->group_of(pods.hep("n1"))) ==
          kNothing + "; depends: TCP 22");
    ir::PathQuery query;
    query.source.endpoint = later;
    query.destination.endpoint = pods.hep("n1");
    query.route = ir::Route::Wire;
    query.packet.protocol = net::kTcp;
    query.packet.destination_port = std::uint16_t{22};
    CHECK(ir::judge_flow(pods.cluster.lowered, query).verdict == Verdict::Depends);
    query.packet.destination_port = std::uint16_t{23};
    CHECK(ir::judge_flow(pods.cluster.lowered, query).verdict == Verdict::Deny);
}

TEST_CASE("policy at earlier hooks is part of what a host lets in and out") {
    const auto policy = [](const std::string& name, const std::string& spec) {
        return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " +
               name + "}, spec: {selector: has(h), applyOnForward: true, " + spec + "}}\n---\n";
    };
    const auto tcp = [](const std::string& action, int port) {
        return "{action: " + action + ", protocol: TCP, destination: {ports: [" +
               std::to_string(port) + "]}}";
    };
    const std::string own = on_hosts("types: [Ingress, Egress], ingress: [" + tcp("Allow", 80) +
                                     "], egress: [{action: Allow}]"),
                      early =
                          policy("early", "order: 5, preDNAT: true, types: [Ingress], ingress: [" +
                                              tcp("Deny", 80) + ", " + tcp("Allow", 9100) + "]"),
                      raw = policy("raw", "doNotTrack: true, types: [Ingress, Egress], ingress: [" +
                                              tcp("Allow", 80) + ", " + tcp("Deny", 9100) +
                                              "], egress: [" + tcp("Deny", 80) + "]");
    const Answering pre(host("n1") + own + early);
    CHECK(pre.into("203.0.113.7", "n1") == kIn + ",9100; UDP 68");
    pre.check_packets("203.0.113.7", "192.168.0.1");
    const Answering all(host("n1") + own + early + raw);
    // Answers from outbound failsafe ports are past untracked policy, by their source port.
    CHECK(all.into("203.0.113.7", "n1")
              .starts_with(kIn + ",80 from 1-178,180-2378,2381-5472,5474-6442,6444-6665"));
    all.check_packets("203.0.113.7", "192.168.0.1");
    all.check_packets("192.168.0.1", "203.0.113.7");
    // "*" takes no untracked policy.
    std::string everywhere = host("n1");
    everywhere.replace(everywhere.find("eth0"), 4, "'*'");
    const Answering star(everywhere + own + raw);
    CHECK(star.into("203.0.113.7", "n1") == "TCP 22,80,179,2379-2380,5473,6443,6666-6667; UDP 68");
    star.check_packets("203.0.113.7", "192.168.0.1");
    star.check_packets("192.168.0.1", "203.0.113.7");
}

TEST_CASE("where FelixConfiguration could not be read any port may be a failsafe port") {
    const Answering unread(felix("default", "failsafeInboundHostPorts: 22") + host("n1") +
                           on_hosts("types: [Ingress], ingress: [{action: Allow, protocol: TCP, "
                                    "destination: {ports: [80]}}]"));
    CHECK(unread.into("203.0.113.7", "n1").starts_with("TCP 80; depends: "));
    unread.check_packets("203.0.113.7", "192.168.0.1");
}

TEST_CASE("answers about single ends have failsafe ports as well") {
    const Answering closed(host("n1") + on_hosts("types: [Ingress]"));
    analyzer::SetStore store;
    const analyzer::HttpAtoms atoms({&closed.cluster.lowered});
    analyzer::SideFlows sides(closed.cluster.lowered, *closed.identities, net::Family::V4, atoms,
                              store);
    const auto group = *sides.ends().group_of(closed.hep("n1"));
    const auto row = sides.row(Direction::Ingress, group);
    CHECK(store[row.back().sure].describe() == kIn + "; UDP 68");
    CHECK(row.back().sure == row.back().may);
}
