// Real packets over three nodes with kube-proxy's rules, an overlay between them or none: the
// source and destination that policy sees are those that judge_flow says.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/kernel/node.h"
#include "tests/kernel/three_nodes.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;

namespace {

/// `certain`: the manifests tell the source. Otherwise it is one of several that are followed.
void compare(ThreeNodes& nodes, const std::string& from, const std::string& to, std::uint16_t port,
             bool certain = true) {
    INFO(from, " -> ", to, " ", port);
    const std::string seen = nodes.sees(from, to, port);
    INFO("policy sees: ", seen.empty() ? "nothing" : seen);
    const auto judged = [&](const std::string& rules) {
        return nodes.judged(from, to, port, rules);
    };
    if (seen.empty()) {
        const Verdict verdict = judged("{action: Allow}");
        CHECK(verdict != Verdict::Allow);
        CHECK((verdict == Verdict::Deny || !certain));
        return;
    }
    const std::string source = seen.substr(0, seen.find(' '));
    const std::string number = seen.substr(seen.rfind(' ') + 1);
    const std::string match =
        fmt::format("protocol: UDP, source: {{nets: [{}/32]}}, destination: {{nets: [{}/32], "
                    "ports: [{}]}}}}",
                    source, nodes.is_for_host(port) ? "192.0.2.11" : "10.244.1.10", number);
    const Verdict only = judged("{action: Allow, " + match);
    const Verdict others = judged("{action: Deny, " + match + ", {action: Allow}");
    CHECK((only == Verdict::Allow || (!certain && only == Verdict::Depends)));
    CHECK((others == Verdict::Deny || (!certain && others == Verdict::Depends)));
}

std::string text(const Setting& setting) {
    return fmt::format("tunnel {}, natOutgoing {}, external {}, internal {}, pods' range {}",
                       setting.tunnel, setting.nat_outgoing, setting.external, setting.internal,
                       setting.knows_pods ? "known" : "not known");
}

std::vector<Setting> settings() {
    return {{false, true, "Cluster", "Cluster", true}, {true, true, "Cluster", "Cluster", true},
            {true, false, "Cluster", "Cluster", true}, {true, true, "Cluster", "Cluster", false},
            {false, true, "Local", "Cluster", true},   {true, true, "Local", "Cluster", true},
            {false, false, "Local", "Local", true}};
}

} // namespace

TEST_CASE("pods, services' addresses and node ports: what policy sees of real packets") {
    if (!may_run())
        return;
    for (const Setting& setting : settings()) {
        INFO(text(setting));
        ThreeNodes nodes(setting);
        for (const char* pod : {"near", "far", "web"}) { // the last one asks itself
            compare(nodes, pod, kClusterAddress, 80);
            compare(nodes, pod, kExternalAddress, 80);
            compare(nodes, pod, kBalancerAddress, 80);
            for (const char* node : {"n1", "n2", "n3"})
                compare(nodes, pod, node, 30080);
        }
        compare(nodes, "near", "10.244.1.10", 8080);
        compare(nodes, "far", "10.244.1.10", 8080);
        compare(nodes, "far", "192.0.2.11", 9090);
        compare(nodes, "far", kHostClusterAddress, 90);
        for (const char* node : {"n1", "n2", "n3"})
            compare(nodes, "far", node, 30090);
    }
}

TEST_CASE("hosts: what policy sees of their packets to pods and services elsewhere") {
    if (!may_run())
        return;
    for (const Setting& setting : settings()) {
        INFO(text(setting));
        ThreeNodes nodes(setting);
        for (const char* host : {"n2", "n3"}) {
            compare(nodes, host, "10.244.1.10", 8080);
            compare(nodes, host, kClusterAddress, 80, false); // whether kube-proxy knows pods
            compare(nodes, host, kExternalAddress, 80);
            for (const char* node : {"n1", "n2", "n3"}) {
                compare(nodes, host, node, 30080);
                compare(nodes, host, node, 30090);
            }
        }
        for (const char* node : {"n2", "n3"}) // there and back
            compare(nodes, "n1", node, 30080);
    }
}

TEST_CASE("from outside, in at every node: what policy sees") {
    if (!may_run())
        return;
    for (const Setting& setting : settings()) {
        INFO(text(setting));
        ThreeNodes nodes(setting);
        for (const char* node : {"n1", "n2", "n3"}) {
            compare(nodes, "outside", node, 30080);
            compare(nodes, "outside", node, 30090);
            nodes.enter_at(node);
            compare(nodes, "outside", kClusterAddress, 80, false); // an advertised one
            compare(nodes, "outside", kExternalAddress, 80, false);
            // A load balancer sends to nodes that answer.
            if (setting.external != "Local" || std::string(node) == "n1")
                compare(nodes, "outside", kBalancerAddress, 80, false);
        }
    }
}
