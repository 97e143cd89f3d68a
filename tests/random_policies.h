/// Policies over a small universe of labels and addresses, for tests about endpoints that could
/// exist. Seeded, as tests/random_cluster.h.
#pragma once

#include <string>

#include "tests/random_cluster.h"

namespace polecat::testing {

inline std::string policy_text(const std::string& name, int order, const std::string& spec,
                               const std::string& tier = "default") {
    return "---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " +
           tier + "." + name + "}, spec: {tier: " + tier + ", order: " + std::to_string(order) +
           ", " + spec + "}}\n";
}

inline const std::string kTierAndSpace =
    "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
    "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: 10}}\n";

class PolicyWriter {
  public:
    /// `rich`: rules ask for named ports, ICMP, requests, services and domains as well.
    /// All are of one direction then.
    explicit PolicyWriter(std::uint64_t seed, bool rich = false)
        : random_(seed), rich_(rich), egress_(seed % 2 == 0) {}

    std::string policies() {
        std::string out;
        for (int i = 0; i < 4; ++i) {
            std::string rules;
            for (std::size_t n = 1 + random_.below(3); n > 0; --n)
                rules += (rules.empty() ? "" : ", ") + rule();
            std::string kind = random_.pick<std::string>({"ingress", "egress"});
            if (rich_)
                kind = egress_ ? "egress" : "ingress";

            out += policy_text("p" + std::to_string(i), i,
                               "selector: \"" + selector() + "\", types: [" +
                                   (kind == "ingress" ? "Ingress" : "Egress") + "], " + kind +
                                   ": [" + rules + "]",
                               i < 2 && random_.chance(50) ? "t" : "default");
        }
        return out;
    }

  private:
    std::string selector() {
        return random_.pick<std::string>({"all()", "all()", "has(a)", "!has(a)", "a == 'x'",
                                          "a != 'x'", "a in {'x', 'y'}", "b == 'x'",
                                          "a == 'x' && b == 'x'", "a == 'x' || has(b)"});
    }
    std::string special() {
        if (random_.chance(20))
            return random_.pick<std::string>({"protocol: ICMP", "protocol: ICMP, icmp: {type: 8}",
                                              "protocol: ICMP, icmp: {type: 8, code: 0}",
                                              "protocol: ICMP, notICMP: {type: 8}"});
        if (egress_ && random_.chance(30))
            return "destination: {" +
                   random_.pick<std::string>(
                       {"services: {name: w, namespace: s}", "services: {name: v, namespace: s}"}) +
                   "}";
        const std::string ports =
            random_.pick<std::string>({"[80]", "[web]", "[80, web]", "[web, db]", "['1:100']"});
        std::string out = "protocol: " + random_.pick<std::string>({"TCP", "TCP", "UDP"}) + ", " +
                          random_.pick<std::string>({"source", "destination", "destination"}) +
                          ": {" + random_.pick<std::string>({"ports: ", "ports: ", "notPorts: "}) +
                          ports;
        if (random_.chance(30))
            out += ", selector: \"" + selector() + "\"";
        return out + "}";
    }

    /// Requests and domains stand in Allow rules only.
    std::string allowed() {
        if (egress_)
            return "destination: {domains: [" +
                   random_.pick<std::string>({"a.example", "a.example, b.example"}) + "]}";
        return "http: {" +
               random_.pick<std::string>({"methods: [GET]", "methods: [GET, PUT]",
                                          "paths: [{prefix: /a}]",
                                          "methods: [GET], paths: [{exact: /a/b}]"}) +
               "}";
    }

    std::string rule() {
        std::string out = "{action: " + random_.pick<std::string>({"Allow", "Deny", "Pass"});
        if (rich_ && random_.chance(15))
            return "{action: Allow, " + allowed() + "}";
        if (rich_ && random_.chance(60))
            return out + ", " + special() + "}";
        if (random_.chance(30))
            out += ", protocol: " + random_.pick<std::string>({"TCP", "UDP"});
        for (const char* side : {"source", "destination"}) {
            std::string end;
            if (random_.chance(35))
                end += "selector: \"" + selector() + "\"";
            if (random_.chance(15))
                end += (end.empty() ? "" : ", ") + ("notSelector: \"" + selector() + "\"");
            if (random_.chance(15))
                end += (end.empty() ? "" : ", ") + std::string("nets: [") +
                       random_.pick<std::string>({"203.0.113.0/24", "203.0.113.0/25"}) + "]";
            if (!end.empty())
                out += std::string(", ") + side + ": {" + end + "}";
        }
        return out + "}";
    }

    Random random_;
    bool rich_, egress_;
};

/// For these policies a pod for each set of labels over a, b and absent, x, y, in each part of the
/// address space.
inline std::string every_pod() {
    std::string out;
    int number = 0;
    for (const std::string a : {"", "a: 'x'", "a: 'y'"})
        for (const std::string b : {"", "b: 'x'", "b: 'y'"})
            for (const std::string net : {"10.0.0.", "10.0.1.", "203.0.113.", "203.0.113.1"}) {
                const std::string id = std::to_string(10 + ++number);
                out += "---\n{apiVersion: v1, kind: Pod, metadata: {name: p" + id +
                       ", namespace: s, labels: {" + a + (a.empty() || b.empty() ? "" : ", ") + b +
                       "}}, spec: {nodeName: node0, containers: []}, status: {podIP: " + net + id +
                       "}}\n";
            }
    return out;
}

} // namespace polecat::testing
