// What random flows don't show: forged sources, unknown interfaces, the gateway, services with DNAT
// and masquerade, pods that come while rules are loaded, policy that changes under a flow.
#include <doctest/doctest.h>

#include "runtime/nft.h"
#include "tests/kernel/node.h"

using namespace polecat;
using namespace polecat::kernel_test;
using runtime::make_packet;

namespace {

std::string pod(const std::string& name, const std::string& app, const std::string& ip) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: shop, labels: {app: " + app +
           "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: " + ip +
           "}}\n---\n";
}

std::string db_policy(const std::string& peer, const std::string& port) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, "
           "namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: "
           "[{podSelector: {matchLabels: {app: " +
           peer + "}}}], ports: [{protocol: UDP, port: " + port + "}]}]}}\n---\n";
}

const std::string kPods = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n" +
                          pod("web", "web", "10.9.0.1") + pod("db", "db", "10.9.0.2") +
                          pod("other", "other", "10.9.0.3");
const std::string kHostAccept =
    "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}, "
    "spec: {defaultEndpointToHostAction: Accept}}\n---\n";

PacketSpec udp(const std::string& from, const std::string& to, std::uint16_t port,
               std::uint16_t source_port = 40000) {
    PacketSpec out;
    out.protocol = net::kUdp;
    out.source = address(from);
    out.destination = address(to);
    out.destination_port = port;
    out.source_port = source_port;
    return out;
}

/// The last packet that arrived at a host, answered from there. True when the answer gets back.
bool answered(Node& node, const std::string& server, const std::string& client) {
    const std::size_t host = node.host_of(address(server));
    REQUIRE_FALSE(node.lab.hosts[host].seen.empty());
    const std::uint64_t nonce = node.next_nonce++;
    const PacketSpec answer = runtime::answer_to(node.lab.hosts[host].seen.rbegin()->second, nonce);
    REQUIRE(node.lab.send(host, make_packet(answer), answer.destination));
    node.lab.collect(30);
    return node.lab.has_seen(node.host_of(address(client)), nonce);
}

void load_service() {
    const auto loaded = runtime::nft_load(R"(table ip services {
    chain prerouting {
        type nat hook prerouting priority -100;
        ip daddr 10.96.0.1 udp dport 53 meta mark set 0x4000 dnat to 10.9.0.2:5353
    }
    chain postrouting {
        type nat hook postrouting priority 100;
        meta mark & 0x4000 == 0x4000 masquerade
    }
}
)");
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
}

} // namespace

TEST_CASE("a forging pod and an unknown interface are dropped") {
    if (!may_run())
        return;
    Node node(kPods, {"203.0.113.7"});
    CHECK(node.passes(udp("10.9.0.1", "10.9.0.3", 80), address("10.9.0.3")));
    // Another pod's address, and nobody's.
    for (const char* forged : {"10.9.0.3", "10.9.9.9"}) {
        PacketSpec spec = udp(forged, "10.9.0.2", 80);
        spec.nonce = node.next_nonce++;
        REQUIRE(
            node.lab.send(node.host_of(address("10.9.0.1")), make_packet(spec), spec.destination));
        node.lab.collect(30);
        CHECK_FALSE(node.lab.has_seen(node.host_of(spec.destination), spec.nonce));
    }
    const auto stranger = node.lab.add_host("calistranger", {address("10.9.0.77")});
    REQUIRE(stranger.ok());
    PacketSpec spec = udp("10.9.0.77", "10.9.0.3", 80);
    spec.nonce = node.next_nonce++;
    REQUIRE(node.lab.send(*stranger, make_packet(spec), spec.destination));
    PacketSpec back = udp("10.9.0.3", "10.9.0.77", 80);
    back.nonce = node.next_nonce++;
    REQUIRE(node.lab.send(node.host_of(back.source), make_packet(back), back.destination));
    node.lab.collect(30);
    CHECK_FALSE(node.lab.has_seen(node.host_of(spec.destination), spec.nonce));
    CHECK_FALSE(node.lab.has_seen(*stranger, back.nonce));
}

TEST_CASE("a pod and its gateway") {
    if (!may_run())
        return;
    for (const bool accept : {true, false}) {
        Node node(kPods + (accept ? kHostAccept : ""), {"203.0.113.7"});
        node.lab.give_node(address("192.168.7.1"), "lo");
        PacketSpec ping;
        ping.protocol = net::kIcmp;
        ping.source = address("10.9.0.1");
        ping.destination = address("192.168.7.1");
        CHECK(node.passes(ping, ping.source) == accept); // the answer comes back
        CHECK(node.kernel_agrees());
    }
}

TEST_CASE("a pod's neighbour discovery and multicast listener reports reach its node") {
    if (!may_run())
        return;
    Node node(kPods, {"203.0.113.7"});
    const auto forged = [&] {
        return node.counted("source_check", "forged source or unknown interface");
    };
    const auto before = forged();
    const std::size_t pod = node.host_of(address("10.9.0.1"));
    PacketSpec spec;
    spec.protocol = net::kIcmpV6;
    spec.source = address("fe80::42"); // no policy names link-local addresses
    spec.destination = address("fe80::1");
    for (const int type : {130, 131, 132, 133, 135, 136}) {
        spec.icmp_type = static_cast<std::uint8_t>(type);
        REQUIRE(node.lab.send(pod, make_packet(spec), address("2001:db8::1")));
    }
    CHECK(forged() == before);
    // An echo request is not what routers need, and Felix has MLDv2 reports not among it.
    for (const int type : {128, 143}) {
        spec.icmp_type = static_cast<std::uint8_t>(type);
        REQUIRE(node.lab.send(pod, make_packet(spec), address("2001:db8::1")));
    }
    CHECK(forged() == before + 2);
}

TEST_CASE("a service with DNAT and masquerade, before and after a change of policy") {
    if (!may_run())
        return;
    Node node(kPods + db_policy("web", "5353"), {"203.0.113.7"});
    for (const char* name : {"web", "db"})
        for (const backends::DispatchEntry& entry : node.image.dispatch)
            if (entry.address == address(name == std::string("web") ? "10.9.0.1" : "10.9.0.2"))
                node.lab.give_node(address("192.168.7.1"), entry.interface);
    load_service();
    const PacketSpec query = udp("10.9.0.1", "10.96.0.1", 53);
    CHECK(node.passes(query, address("10.9.0.2")));
    CHECK(answered(node, "10.9.0.2", "10.9.0.1"));
    CHECK_FALSE(node.passes(udp("10.9.0.3", "10.96.0.1", 53), address("10.9.0.2")));

    // Still allowed: the answer comes first and is judged by the mirrored program.
    node.change_policy(kPods + db_policy("web", "5353"), backends::Generation{2});
    CHECK(answered(node, "10.9.0.2", "10.9.0.1"));
    CHECK(node.passes(query, address("10.9.0.2")));

    // Denied now: neither direction of the established flow goes on.
    node.change_policy(kPods + db_policy("other", "5353"), backends::Generation{3});
    CHECK_FALSE(answered(node, "10.9.0.2", "10.9.0.1"));
    CHECK_FALSE(node.passes(query, address("10.9.0.2")));
    CHECK(node.passes(udp("10.9.0.3", "10.96.0.1", 53), address("10.9.0.2")));
    CHECK(node.kernel_agrees());
}

TEST_CASE("pods come while the rules are loaded") {
    if (!may_run())
        return;
    const std::string rules = db_policy("web", "5353");
    Node node(kPods + rules, {"203.0.113.7"});
    // The same labels: a known identity. Nothing but addresses and interfaces changes.
    const std::string known = kPods + pod("web2", "web", "10.9.0.4") + rules;
    const backends::Plan plan = node.change_by_plan(known);
    REQUIRE(plan.steps.size() == 1);
    CHECK_FALSE(plan.judges_anew);
    CHECK(plan.forget == std::vector{address("10.9.0.4")});
    CHECK(node.passes(udp("10.9.0.4", "10.9.0.2", 5353), address("10.9.0.2")));
    CHECK_FALSE(node.passes(udp("10.9.0.4", "10.9.0.2", 5354), address("10.9.0.2")));
    CHECK(node.kernel_agrees());
    // Labels and a peer that no pod had before: a new identity.
    const std::string fresh = known + pod("db2", "db", "10.9.0.5") + pod("job", "job", "10.9.0.6");
    CHECK_FALSE(node.change_by_plan(fresh).judges_anew);
    CHECK(node.passes(udp("10.9.0.1", "10.9.0.5", 5353), address("10.9.0.5")));
    CHECK_FALSE(node.passes(udp("10.9.0.6", "10.9.0.5", 5353), address("10.9.0.5")));
    CHECK(node.passes(udp("10.9.0.6", "10.9.0.3", 5353), address("10.9.0.3")));
    CHECK(node.kernel_agrees());
}

TEST_CASE("a flow is judged once, also when nothing answers it") {
    if (!may_run())
        return;
    Node node(kPods + db_policy("web", "5353"), {"203.0.113.7"});
    const auto judged = [&] {
        std::uint64_t out = 0;
        for (const auto& [name, program] : node.image.programs)
            for (const auto& [number, cell] : program->cells)
                out += node.counted(name + "_c" + std::to_string(number),
                                    "slot " + std::to_string(cell.slot));
        return out;
    };
    for (int i = 0; i < 3; ++i)
        CHECK(node.passes(udp("10.9.0.1", "10.9.0.2", 5353), address("10.9.0.2")));
    CHECK(judged() == 2); // by egress and by ingress
}

TEST_CASE("rules loaded over other rules leave nothing of them") {
    if (!may_run())
        return;
    Node node(kPods + db_policy("web", "5353"), {"203.0.113.7"});
    CHECK_FALSE(node.passes(udp("10.9.0.3", "10.9.0.2", 5353), address("10.9.0.2")));
    node.change_policy(kPods + db_policy("other", "5354"), backends::Generation{2});
    CHECK(node.kernel_agrees());
    CHECK(node.passes(udp("10.9.0.3", "10.9.0.2", 5354), address("10.9.0.2")));
    CHECK_FALSE(node.passes(udp("10.9.0.1", "10.9.0.2", 5353), address("10.9.0.2")));
}

TEST_CASE("a file of a bundle is loaded with a number that no other load had") {
    if (!may_run())
        return;
    Node node(kPods + db_policy("web", "5353"), {"203.0.113.7"});
    const std::string file = backends::compile(node.image)->text;
    const auto loads = [&](std::optional<std::uint32_t> number) {
        return runtime::nft_load(file, number).ok();
    };
    const std::uint32_t first = 0x10000, second = 0x20000;
    CHECK_FALSE(loads(std::nullopt));
    CHECK_FALSE(loads(first)); // the node does not say which numbers are free
    REQUIRE(runtime::nft_load(backends::free_generations()).ok());
    CHECK_FALSE(runtime::nft_load(backends::free_generations()).ok()); // not a second time
    CHECK(loads(first));
    CHECK_FALSE(loads(first));
    CHECK_FALSE(loads(0));
    CHECK_FALSE(loads(1));          // bits that are not ours
    CHECK_FALSE(loads(0x10000000)); // "was denied"
    CHECK(loads(second));
    CHECK_FALSE(loads(first));
    CHECK(node.kernel_agrees());
    // Gone from conntrack and put back: it may come again.
    REQUIRE(runtime::nft_load("add element inet polecat_generations free { 0x00010000 }\n").ok());
    CHECK(loads(first));
    CHECK(loads(backends::Generation{backends::Generation::kLast}.bits()));
    REQUIRE(runtime::nft_load("delete table inet polecat_generations\n").ok());
}

TEST_CASE("pods whose labels change are judged anew") {
    if (!may_run())
        return;
    const std::string rules = db_policy("web", "5353");
    Node node(kPods + rules, {"203.0.113.7"});
    CHECK(node.passes(udp("10.9.0.1", "10.9.0.2", 5353), address("10.9.0.2")));
    const std::string swapped = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n" +
                                pod("web", "other", "10.9.0.1") + pod("db", "db", "10.9.0.2") +
                                pod("other", "web", "10.9.0.3") + rules;
    CHECK(node.change_by_plan(swapped).judges_anew);
    CHECK(node.kernel_agrees());
    // Also the flow that was allowed.
    CHECK_FALSE(node.passes(udp("10.9.0.1", "10.9.0.2", 5353), address("10.9.0.2")));
    CHECK(node.passes(udp("10.9.0.3", "10.9.0.2", 5353), address("10.9.0.2")));
}

TEST_CASE("workloads send no VXLAN and no IPIP, and interfaces may have other prefixes") {
    if (!may_run())
        return;
    const auto felix = [](const std::string& spec) {
        return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
               "default}, spec: {" +
               spec + "}}\n---\n";
    };
    PacketSpec ipip;
    ipip.protocol = net::kIpIp;
    ipip.source = address("10.9.0.1");
    ipip.destination = address("10.9.0.3");
    const PacketSpec vxlan = udp("10.9.0.1", "10.9.0.3", 4789);
    {
        Node node(kPods, {"203.0.113.7"});
        CHECK_FALSE(node.passes(vxlan, vxlan.destination));
        CHECK_FALSE(node.passes(ipip, ipip.destination));
        CHECK(node.passes(udp("10.9.0.1", "10.9.0.3", 4790), vxlan.destination));
    }
    Node node(kPods + felix("interfacePrefix: 'tap,eni', vxlanPort: 4790, "
                            "allowIPIPPacketsFromWorkloads: true"),
              {"203.0.113.7"});
    CHECK(node.image.dispatch.front().interface.starts_with("tap"));
    CHECK(node.kernel_agrees());
    CHECK(node.passes(vxlan, vxlan.destination));
    CHECK(node.passes(ipip, ipip.destination));
    CHECK_FALSE(node.passes(udp("10.9.0.1", "10.9.0.3", 4790), vxlan.destination));
}

TEST_CASE("answers to ICMP requests have the request's code") {
    if (!may_run())
        return;
    const auto policy = [](const std::string& code) {
        return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: db, "
               "namespace: shop}, spec: {selector: app == 'db', types: [Ingress], ingress: "
               "[{action: Allow, protocol: ICMP, icmp: {type: 8, code: " +
               code + "}}]}}\n---\n";
    };
    Node node(kPods + policy("3"), {"203.0.113.7"});
    PacketSpec echo;
    echo.protocol = net::kIcmp;
    echo.icmp_type = 8;
    echo.icmp_code = 3;
    echo.source = address("10.9.0.1");
    echo.destination = address("10.9.0.2");
    CHECK(node.passes(echo, echo.destination));
    node.change_policy(kPods + policy("3"),
                       backends::Generation{2}); // the answer comes first, to the mirrored program
    CHECK(answered(node, "10.9.0.2", "10.9.0.1"));
    CHECK(node.passes(echo, echo.destination));
    node.change_policy(kPods + policy("0"), backends::Generation{3});
    CHECK_FALSE(answered(node, "10.9.0.2", "10.9.0.1"));
}
