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
    explicit PolicyWriter(std::uint64_t seed) : random_(seed) {}

    std::string policies() {
        std::string out;
        for (int i = 0; i < 4; ++i) {
            std::string rules;
            for (std::size_t n = 1 + random_.below(3); n > 0; --n)
                rules += (rules.empty() ? "" : ", ") + rule();
            const std::string kind = random_.pick<std::string>({"ingress", "egress"});
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
    std::string rule() {
        std::string out = "{action: " + random_.pick<std::string>({"Allow", "Deny", "Pass"});
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
