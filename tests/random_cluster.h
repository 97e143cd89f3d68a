/// Random clusters as manifests, for tests that compare two ways to the same answer. Seeded: the
/// same seed gives the same text on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/load.h"
#include "passes/lower.h"

namespace polecat::testing {

/// xorshift64*: the standard library's distributions differ between machines.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1Du;
    }
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() >> 33) % count; }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <class T> const T& pick(const std::vector<T>& list) {
        return list[below(list.size())];
    }

  private:
    std::uint64_t state_;
};

struct ClusterShape {
    std::size_t namespaces = 3, pods = 8, policies = 8;
    bool host_endpoints = false; ///< kernel tests have none
    bool http = false;           ///< some Allow rules ask for requests
};

class ClusterWriter {
  public:
    ClusterWriter(std::uint64_t seed, const ClusterShape& shape) : random_(seed), shape_(shape) {}

    std::string write() {
        for (std::size_t i = 0; i < shape_.namespaces; ++i)
            add("{apiVersion: v1, kind: Namespace, metadata: {name: n" + std::to_string(i) +
                ", labels: {env: " + value() + "}}}");
        for (std::size_t i = 0; i < shape_.pods; ++i)
            add_pod(i);
        add("{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: high}, "
            "spec: {order: 10, defaultAction: " +
            std::string(random_.chance(50) ? "Pass" : "Deny") + "}}");
        add("{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: set0, "
            "labels: {app: " +
            value() + "}}, spec: {nets: [203.0.113.0/25, 10.9.0.0/28, '2001:db8:9::/64']}}");
        add("{apiVersion: v1, kind: Service, metadata: {name: s, namespace: n0}, "
            "spec: {selector: {app: " +
            value() + "}, ports: [{port: 80, targetPort: http}]}}");
        for (std::size_t i = 0; i < shape_.policies; ++i)
            random_.chance(35) ? add_kubernetes(i) : add_calico(i);
        if (shape_.host_endpoints)
            add("{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h0, "
                "labels: {app: " +
                value() +
                "}}, spec: {node: node0, interfaceName: eth0, expectedIPs: "
                "[192.168.7.1]}}");
        return std::move(text_);
    }

  private:
    void add(const std::string& document) { text_ += document + "\n---\n"; }
    std::string value() { return random_.pick<std::string>({"a", "b", "c"}); }
    std::string space() { return "n" + std::to_string(random_.below(shape_.namespaces)); }

    void add_pod(std::size_t number) {
        const std::string host = std::to_string(number + 1);
        add("{apiVersion: v1, kind: Pod, metadata: {name: p" + std::to_string(number) +
            ", namespace: " + space() + ", labels: {app: " + value() + ", role: " + value() +
            "}}, spec: {nodeName: node0, containers: [{name: c, image: i, ports: "
            "[{name: http, containerPort: " +
            random_.pick<std::string>({"80", "8080"}) +
            "}, {name: dns, protocol: UDP, containerPort: 53}]}]}, status: {podIPs: "
            "[{ip: 10.9.0." +
            host + "}, {ip: 'fd00:9::" + host + "'}]}}");
    }

    std::string selector() {
        switch (random_.below(6)) {
        case 0:
            return "app == '" + value() + "'";
        case 1:
            return "role in {'" + value() + "', '" + value() + "'}";
        case 2:
            return "app != '" + value() + "'";
        case 3:
            return "has(role) && app == '" + value() + "'";
        case 4:
            return "!(app == '" + value() + "') || role == '" + value() + "'";
        default:
            return "all()";
        }
    }

    std::string entity(bool destination, bool ports, const std::string& family) {
        std::string out;
        const auto put = [&](const std::string& field) {
            out += (out.empty() ? "" : ", ") + field;
        };
        if (random_.chance(40))
            put("selector: \"" + selector() + "\"");
        if (random_.chance(15))
            put("notSelector: \"" + selector() + "\"");
        if (random_.chance(15))
            put("namespaceSelector: \"env == '" + value() + "'\"");
        const bool v4 = family == "4";
        if (random_.chance(25))
            put("nets: [" +
                random_.pick<std::string>(
                    v4 ? std::vector<std::string>{"10.9.0.0/29", "203.0.113.0/24", "0.0.0.0/0",
                                                  "10.9.0.3/32"}
                       : std::vector<std::string>{"'fd00:9::/125'", "'2001:db8::/32'", "'::/0'"}) +
                "]");
        if (random_.chance(12))
            put("notNets: [" +
                std::string(v4 ? "10.9.0.4/30, 203.0.113.64/26" : "'fd00:9::4/126'") + "]");
        if (ports && random_.chance(destination ? 70 : 12))
            put("ports: [" +
                random_.pick<std::string>(
                    {"80", "53", "'80:443'", "8080, 53", "1000, '2000:3000'"}) +
                (destination && random_.chance(25) ? ", http]" : "]"));
        if (ports && random_.chance(8))
            put("notPorts: [443, '8000:9000']");
        return "{" + out + "}";
    }

    std::string rule() {
        const std::string family = random_.pick<std::string>({"4", "6"});
        const std::string action =
            random_.pick<std::string>({"Allow", "Allow", "Deny", "Pass", "Log", "Allow"});
        std::string out = "{action: " + action + ", ipVersion: " + family;
        const std::size_t kind = random_.below(10);
        if (shape_.http && kind < 6 && action == "Allow" && random_.chance(50))
            out += ", protocol: TCP, http: {methods: [" +
                   random_.pick<std::string>({"GET", "GET, POST", "'*'", ""}) + "], paths: [" +
                   random_.pick<std::string>({"{exact: /a}", "{prefix: /a}",
                                              "{prefix: /a/b}, {exact: /c}", "", "{prefix: /}"}) +
                   "]}";
        else if (kind < 6)
            out += ", protocol: " + random_.pick<std::string>({"TCP", "UDP", "SCTP"});
        else if (kind == 6)
            out += std::string(", protocol: ") + (family == "4" ? "ICMP" : "ICMPv6") +
                   ", icmp: {type: " + (family == "4" ? "8" : "128") +
                   (random_.chance(50) ? ", code: 0}" : "}");
        else if (kind == 7)
            out += ", protocol: 47";
        else if (kind == 8)
            out += ", notProtocol: UDP";
        return out + ", source: " + entity(false, kind < 6, family) +
               ", destination: " + entity(true, kind < 6, family) + "}";
    }

    /// HTTP is for ingress only.
    std::string rules(bool egress = false) {
        const bool http = shape_.http;
        shape_.http = http && !egress;
        std::string out;
        for (std::size_t i = random_.below(4); i > 0; --i)
            out += (out.empty() ? "" : ", ") + rule();
        shape_.http = http;
        return "[" + out + "]";
    }

    void add_calico(std::size_t number) {
        const bool global = random_.chance(40);
        const bool high = random_.chance(40), staged = random_.chance(10);
        const std::string kind = std::string(staged ? "Staged" : "") +
                                 (global ? "GlobalNetworkPolicy" : "NetworkPolicy");
        add("{apiVersion: projectcalico.org/v3, kind: " + kind + ", metadata: {name: p" +
            std::to_string(number) + (global ? "}" : ", namespace: " + space() + "}") +
            ", spec: {tier: " + (high ? "high" : "default") + ", order: " +
            std::to_string(random_.below(20)) + ", selector: \"" + selector() + "\", types: " +
            random_.pick<std::string>({"[Ingress]", "[Egress]", "[Ingress, Egress]"}) +
            ", ingress: " + rules() + ", egress: " + rules(true) + "}}");
    }

    std::string peer() {
        switch (random_.below(4)) {
        case 0:
            return "{podSelector: {matchLabels: {app: " + value() + "}}}";
        case 1:
            return "{namespaceSelector: {matchLabels: {env: " + value() + "}}}";
        case 2:
            return "{namespaceSelector: {}, podSelector: {matchLabels: {role: " + value() + "}}}";
        default:
            return "{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.64/26]}}";
        }
    }

    void add_kubernetes(std::size_t number) {
        const std::string port =
            random_.pick<std::string>({"{port: 80}", "{port: http}", "{protocol: UDP, port: 53}",
                                       "{port: 1000, endPort: 2000}", "{protocol: SCTP}"});
        const bool egress = random_.chance(40);
        add("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k" +
            std::to_string(number) + ", namespace: " + space() +
            "}, spec: {podSelector: {matchLabels: {app: " + value() + "}}, policyTypes: [" +
            (egress ? "Egress], egress: [{to: [" : "Ingress], ingress: [{from: [") + peer() + ", " +
            peer() + "], ports: [" + port + "]}]}}");
    }

    Random random_;
    ClusterShape shape_;
    std::string text_;
};

/// The cluster that a text describes; `errors` says what was refused.
struct RandomCluster {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster policy;
    decision::LoweredCluster lowered;
};

inline void load_text(const std::string& text, RandomCluster& out) {
    const FileId file = out.sources.add("random.yaml", text);
    frontend::load_documents(yaml::read_documents(out.sources, file, out.diagnostics), out.policy,
                             out.diagnostics);
    out.lowered = passes::lower(out.policy).cluster;
}

} // namespace polecat::testing
