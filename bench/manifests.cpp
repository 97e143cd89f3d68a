#include "bench/manifests.h"

#include <vector>

#include <fmt/format.h>

#include "tests/random_cluster.h"

namespace polecat::bench {

namespace {

using testing::Random;

const std::vector<std::string> kTiers{"frontend", "backend", "db", "cache", "worker"};
const std::vector<std::string> kTeams{"red",  "blue", "green", "teal",
                                      "gold", "grey", "pink",  "lime"};
const std::vector<std::string> kEnvs{"prod", "stage", "dev", "test"};
const std::vector<int> kPorts{22,   53,   80,   123,  443,  3000, 3306,
                              5432, 6379, 8080, 8443, 9090, 9092, 27017};

class Writer {
  public:
    Writer(std::size_t pods, std::size_t policies, std::uint64_t seed, std::size_t nodes)
        : random_(seed), pods_(pods), policies_(policies),
          nodes_(nodes != 0 ? nodes : std::max<std::size_t>(2, pods / 30)),
          spaces_(std::max<std::size_t>(3, pods / 40)), apps_(std::max<std::size_t>(4, pods / 4)) {}

    std::string write() {
        for (std::size_t i = 0; i < spaces_; ++i)
            out_ += fmt::format("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n"
                                "  labels:\n    env: {}\n    team: {}\n",
                                space(i), random_.pick(kEnvs), random_.pick(kTeams));
        for (std::size_t i = 0; i < apps_; ++i)
            tiers_.push_back(random_.pick(kTiers));
        for (std::size_t i = 0; i < pods_; ++i)
            add_pod(i);
        for (std::size_t i = 0; i < 10 + policies_ / 10; ++i)
            blocks_.push_back(block());
        for (std::size_t i = 0; i < policies_; ++i)
            add_policy(i);
        return std::move(out_);
    }

  private:
    static std::string space(std::size_t i) { return fmt::format("ns-{:04}", i); }
    std::string app(std::size_t i) const { return fmt::format("app-{:03}", i / spaces_); }

    void add_pod(std::size_t i) {
        const std::size_t of = i % apps_;
        out_ +=
            fmt::format("---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {}-{:05}\n"
                        "  namespace: {}\n  labels:\n    app: {}\n    tier: {}\n    version: v{}\n",
                        app(of), i, space(of % spaces_), app(of), tiers_[of], 1 + random_.below(3));
        if (random_.chance(30))
            out_ += "    canary: \"true\"\n";
        if (random_.chance(20))
            out_ += "    pci: in\n";
        out_ += fmt::format(
            "spec:\n  nodeName: node-{:04}\n  containers:\n  - name: main\n"
            "    image: img\n    ports:\n    - name: http\n      containerPort: {}\n"
            "      protocol: TCP\nstatus:\n  phase: Running\n  podIP: 10.{}.{}.{}\n",
            i % nodes_, of % 2 == 0 ? 80 : 8080, 128 + i / 65536, i / 256 % 256, i % 256);
    }

    std::string block() {
        const int prefix = random_.pick<int>({8, 12, 16, 16, 20, 24, 24, 24, 28});
        const int first = random_.pick<int>({20, 34, 52, 104, 142, 172, 192, 203});
        const auto bits = static_cast<std::uint32_t>(random_.next() & 0xffffff);
        const std::uint32_t address =
            ((static_cast<std::uint32_t>(first) << 24) | bits) & (~0u << (32 - prefix));
        return fmt::format("{}.{}.{}.{}/{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                           address & 255, prefix);
    }

    std::string pod_selector() {
        switch (random_.below(20)) {
        case 0:
            return "{}";
        case 1:
        case 2:
            return fmt::format("{{matchLabels: {{tier: {}, version: v{}}}}}", random_.pick(kTiers),
                               1 + random_.below(3));
        case 3:
        case 4:
            return fmt::format(
                "{{matchExpressions: [{{key: tier, operator: In, values: [{}, {}]}}]}}",
                kTiers[random_.below(2)], kTiers[2 + random_.below(3)]);
        case 5:
            return fmt::format(
                "{{matchExpressions: [{{key: version, operator: NotIn, values: [v{}]}}]}}",
                1 + random_.below(3));
        case 6:
            return "{matchExpressions: [{key: canary, operator: Exists}]}";
        case 7:
        case 8:
        case 9:
        case 10:
            return fmt::format("{{matchLabels: {{tier: {}}}}}", random_.pick(kTiers));
        default:
            return fmt::format("{{matchLabels: {{app: {}}}}}", app(random_.below(apps_)));
        }
    }

    std::string space_selector() {
        switch (random_.below(4)) {
        case 0:
            return fmt::format("{{matchLabels: {{env: {}}}}}", random_.pick(kEnvs));
        case 1:
            return fmt::format("{{matchLabels: {{team: {}}}}}", random_.pick(kTeams));
        case 2:
            return fmt::format("{{matchLabels: {{kubernetes.io/metadata.name: {}}}}}",
                               space(random_.below(spaces_)));
        default:
            return fmt::format(
                "{{matchExpressions: [{{key: team, operator: In, values: [{}, {}]}}]}}",
                kTeams[random_.below(4)], kTeams[4 + random_.below(4)]);
        }
    }

    std::string rule(bool egress) {
        std::string out;
        const std::size_t peers = random_.below(4);
        for (std::size_t i = 0; i < peers; ++i) {
            out += i == 0 ? (egress ? "to: [" : "from: [") : ", ";
            const std::size_t kind = random_.below(100);
            out += kind < 35   ? "{podSelector: " + pod_selector() + "}"
                   : kind < 55 ? "{namespaceSelector: " + space_selector() + "}"
                   : kind < 80 ? "{namespaceSelector: " + space_selector() +
                                     ", podSelector: " + pod_selector() + "}"
                               : "{ipBlock: {cidr: " + random_.pick(blocks_) + "}}";
        }
        out += peers == 0 ? "" : "]";
        const std::size_t ports = random_.below(4);
        for (std::size_t i = 0; i < ports; ++i) {
            out += i == 0 ? (out.empty() ? "ports: [" : ", ports: [") : ", ";
            const std::size_t kind = random_.below(100);
            out += kind < 60   ? fmt::format("{{protocol: {}, port: {}}}",
                                           random_.chance(75) ? "TCP" : "UDP", random_.pick(kPorts))
                   : kind < 80 ? std::string("{protocol: TCP, port: 8000, endPort: 8100}")
                   : egress    ? std::string("{protocol: TCP, port: 443}")
                               : std::string("{protocol: TCP, port: http}");
        }
        return "{" + out + (ports == 0 ? "}" : "]}");
    }

    void add_policy(std::size_t i) {
        const std::size_t kind = random_.below(10);
        const bool ingress = kind < 5 || kind >= 7, egress = kind >= 5;
        out_ +=
            fmt::format("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n"
                        "  name: np-{:05}\n  namespace: {}\nspec:\n  podSelector: {}\n"
                        "  policyTypes: [{}]\n",
                        i, space(i % spaces_), random_.chance(15) ? "{}" : pod_selector(),
                        ingress && egress ? "Ingress, Egress"
                        : ingress         ? "Ingress"
                                          : "Egress");
        for (const bool out : {false, true}) {
            if (!(out ? egress : ingress))
                continue;
            out_ += out ? "  egress:\n" : "  ingress:\n";
            std::size_t rules = random_.below(4);
            if (rules == 0)
                out_ += "    []\n";
            for (; rules > 0; --rules)
                out_ += "  - " + rule(out) + "\n";
        }
    }

    Random random_;
    std::size_t pods_, policies_, nodes_, spaces_, apps_;
    std::vector<std::string> tiers_, blocks_;
    std::string out_;
};

} // namespace

std::string cluster_manifests(std::size_t pods, std::size_t policies, std::uint64_t seed,
                              std::size_t nodes) {
    return Writer(pods, policies, seed, nodes).write();
}

std::string many_blocks(std::size_t blocks) {
    Random random(3);
    std::string out;
    for (std::size_t i = 0; i < 29; ++i)
        out +=
            fmt::format("---\n{{apiVersion: v1, kind: Pod, metadata: {{name: p{}, labels: {{app: "
                        "a{}}}}}, spec: {{containers: []}}}}\n",
                        i, i % 5);
    out += "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: blocks}\n"
           "spec:\n  podSelector: {matchLabels: {app: a0}}\n  policyTypes: [Egress]\n  egress:\n";
    for (std::size_t i = 0; i < blocks; ++i)
        out += fmt::format(
            "  - to: [{{ipBlock: {{cidr: {}.{}.{}.0/24}}}}]\n    ports: [{{protocol: "
            "TCP, port: {}}}]\n",
            20 + random.below(180), random.below(256), random.below(256), random.pick(kPorts));
    return out;
}

} // namespace polecat::bench
