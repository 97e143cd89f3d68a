/// Host endpoints of node0 and policy for them, at random or not.
#pragma once

#include <string>

#include "tests/random_cluster.h"

namespace polecat::testing {

inline std::string felix_of_host(const std::string& to_host) {
    return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
           "default}, spec: {defaultEndpointToHostAction: " +
           to_host + "}}\n---\n";
}

inline std::string host_endpoint(const std::string& interface) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h, labels: "
           "{role: host, app: a}}, spec: {node: node0, interfaceName: \"" +
           interface + "\", expectedIPs: [192.168.7.1, 'fd00:7::1']}}\n---\n";
}

inline std::string host_policy(const std::string& name, const std::string& more) {
    return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " +
           name + "}, spec: {selector: role == 'host', " + more + "}}\n---\n";
}

/// Before all policy of a random cluster. Without it the host finds no neighbour that has an IPv6
/// address.
inline std::string neighbour_discovery() {
    const std::string rules = "[{action: Allow, protocol: ICMPv6, icmp: {type: 135}}, "
                              "{action: Allow, protocol: ICMPv6, icmp: {type: 136}}]";
    return host_policy("discovery", "tier: high, order: -1, types: [Ingress, Egress], ingress: " +
                                        rules + ", egress: " + rules);
}

inline std::string random_rule(Random& random, bool with_pods) {
    const bool v4 = random.chance(70);
    std::string out = "{action: " + random.pick<std::string>({"Allow", "Deny", "Allow", "Log"}) +
                      ", ipVersion: " + (v4 ? "4" : "6") +
                      ", protocol: " + random.pick<std::string>({"TCP", "UDP"});
    const auto end = [&] {
        switch (random.below(with_pods ? 4 : 3)) {
        case 0:
            return std::string(v4 ? "nets: [203.0.113.0/25]" : "nets: ['2001:db8::/32']");
        case 1:
            return std::string(v4 ? "nets: [10.9.0.0/29, 192.168.7.1/32]"
                                  : "nets: ['fd00:9::/125']");
        case 2:
            return std::string();
        default:
            return "selector: app == '" + random.pick<std::string>({"a", "b", "c"}) + "'";
        }
    };
    out += ", source: {" + end() + "}";
    const std::string destination = end();
    return out + ", destination: {" + destination + (destination.empty() ? "" : ", ") + "ports: [" +
           random.pick<std::string>({"80", "53", "'80:443'", "22, 53", "30080"}) + "]}}";
}

inline std::string random_rules(Random& random, bool with_pods) {
    std::string out;
    for (std::size_t i = random.below(4); i > 0; --i)
        out += (out.empty() ? "" : ", ") + random_rule(random, with_pods);
    return "[" + out + "]";
}

/// Policy of the host at some of its hooks; `suffix` of their names.
inline std::string random_host_policies(Random& random, bool untracked,
                                        const std::string& suffix = "") {
    std::string out;
    const auto both = [&] {
        return "types: [Ingress, Egress], ingress: " + random_rules(random, true) +
               ", egress: " + random_rules(random, true);
    };
    for (const std::string name : {"n0", "n1"})
        if (random.chance(60))
            out += host_policy(name + suffix,
                               (random.chance(50) ? "applyOnForward: true, " : "") + both());
    if (random.chance(70))
        out +=
            host_policy("early" + suffix, "preDNAT: true, applyOnForward: true, types: [Ingress], "
                                          "ingress: " +
                                              random_rules(random, false));
    if (untracked && random.chance(70))
        out += host_policy("raw" + suffix, "doNotTrack: true, applyOnForward: true, " + both());
    return out;
}

} // namespace polecat::testing
