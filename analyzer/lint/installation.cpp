// How the cluster is installed: encapsulation, MTU, Typha.
// Sources: felix/dataplane/linux/int_dataplane.go (MTU), tigera/operator, charts/calico.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"

namespace polecat::lint {

namespace {

/// What an encapsulation adds to a packet, and the field of FelixConfiguration that sizes its
/// device.
struct Tunnel {
    const char* name;
    std::int64_t overhead;
    const char* mtu_field;
    bool (*used)(const std::vector<Pool>& pools, const policy::Settings& felix);
};

bool any_pool(const std::vector<Pool>& pools, bool (*holds)(const Pool&), net::Family family) {
    return std::any_of(pools.begin(), pools.end(), [&](const Pool& pool) {
        return holds(pool) && pool.cidr.family() == family;
    });
}

constexpr Tunnel kTunnels[] = {
    {"IPIP", 20, "ipipMTU",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_ipip, net::Family::V4); }},
    {"VXLAN", 50, "vxlanMTU",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_vxlan, net::Family::V4); }},
    {"VXLAN over IPv6", 70, "vxlanMTUV6",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_vxlan, net::Family::V6); }},
    {"WireGuard", 60, "wireguardMTU",
     [](const auto&, const auto& felix) { return felix.is_true("wireguardEnabled"); }},
    {"WireGuard over IPv6", 80, "wireguardMTUV6",
     [](const auto&, const auto& felix) { return felix.is_true("wireguardEnabledV6"); }},
};

constexpr std::int64_t kEthernet = 1500;
/// Nodes that one Typha serves well: "one replica per 100 to 200 nodes".
constexpr std::int64_t kNodesOfTypha = 200;

class InstallationChecker {
  public:
    InstallationChecker(Context& context, Diagnostics& out)
        : context_(context), cluster_(context.cluster), out_(out), pools_(pools_of(cluster_)),
          nodes_(nodes_of(cluster_)) {
        for (const policy::OtherObject& each : cluster_.others) {
            if (each.kind == "FelixConfiguration" && each.meta.name == "default")
                felix_ = &each;
            if (each.kind == "Installation")
                installation_ = &each;
        }
    }

    void run() {
        for (const Pool& pool : pools_) {
            bpf_with_ipip(pool);
            dropped_by_cloud(pool);
        }
        mtu();
        for (const policy::Workload& each : cluster_.workloads)
            typha(each);
    }

  private:
    diag::Diagnostic& report(Code code, const Pool& pool,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, pool.span, args).about(pool.object);
    }

    void bpf_with_ipip(const Pool& pool) {
        if (context_.dataplane() == Dataplane::Bpf && uses_ipip(pool))
            report(Code::BpfWithIpip, pool, {pool.shown()})
                .with_hint("take VXLAN, or no encapsulation");
    }

    /// Azure's network carries TCP, UDP and ICMP only.
    void dropped_by_cloud(const Pool& pool) {
        if (uses_ipip(pool) && on_azure())
            report(Code::CloudDropsEncapsulation, pool,
                   {pool.shown(),
                    pool.encapsulation == Encapsulation::Ipip ? "IPIP" : "IPIP between subnets",
                    "Azure's network"})
                .with_hint("take VXLAN");
    }

    bool on_azure() const {
        if (installation_ != nullptr && installation_->around.is("kubernetesProvider", "AKS"))
            return true;
        return std::any_of(nodes_.begin(), nodes_.end(), [](const NodeView& node) {
            return std::any_of(node.labels.begin(), node.labels.end(), [](const auto& label) {
                return label.first.starts_with("kubernetes.azure.com/");
            });
        });
    }

    // --- MTU -------------------------------------------------------------------------------------

    /// Pods' MTU against each tunnel that their packets may take. What the network below carries is
    /// not in manifests.
    void mtu() {
        const auto given = installation_ == nullptr ? std::optional<At<std::int64_t>>()
                                                    : installation_->spec.integer("mtu");
        if (!given || given->value == 0)
            return;
        const policy::Settings none;
        const policy::Settings& felix = felix_ == nullptr ? none : felix_->spec;
        const Tunnel* widest = nullptr;
        for (const Tunnel& tunnel : kTunnels) {
            if (!tunnel.used(pools_, felix))
                continue;
            const auto device = felix.integer(tunnel.mtu_field);
            if (device && device->value != 0 && device->value < given->value)
                out_.report(Code::MtuTooLarge, given->span,
                            {std::to_string(given->value), tunnel.name,
                             std::to_string(device->value), tunnel.mtu_field})
                    .about("Installation " + installation_->meta.name)
                    .with_label(device->span, "of FelixConfiguration default")
                    .with_hint("leave one of them out");
            if (widest == nullptr || tunnel.overhead > widest->overhead)
                widest = &tunnel;
        }
        if (widest == nullptr)
            return;
        const std::int64_t needed = given->value + widest->overhead;
        // More than Ethernet's for pods themselves says that the network carries more.
        if (given->value <= kEthernet && needed > kEthernet)
            out_.report(Code::MtuNeedsLarger, given->span,
                        {std::to_string(given->value), widest->name, std::to_string(needed)})
                .about("Installation " + installation_->meta.name)
                .with_hint("at most " + std::to_string(kEthernet - widest->overhead) +
                           " on such a network, or leave mtu out: Felix finds it");
    }

    // --- Typha -----------------------------------------------------------------------------------

    void typha(const policy::Workload& each) {
        if (each.kind != "Deployment" || each.meta.name != "calico-typha" || !each.replicas ||
            each.replicas->value <= 0 || nodes_.empty())
            return;
        const std::int64_t replicas = each.replicas->value;
        const auto nodes = static_cast<std::int64_t>(nodes_.size());
        std::string why;
        if (replicas > nodes)
            why = "each needs a node of its own";
        else if (nodes > replicas * kNodesOfTypha)
            why = fmt::format("one serves up to {}", kNodesOfTypha);
        if (!why.empty())
            out_.report(Code::TyphaReplicas, each.replicas->span,
                        {std::to_string(replicas), std::to_string(nodes), why})
                .about(fmt::format("Deployment {}/{}", each.meta.space, each.meta.name));
    }

    Context& context_;
    const policy::Cluster& cluster_;
    Diagnostics& out_;
    const std::vector<Pool> pools_;
    const std::vector<NodeView> nodes_;
    const policy::OtherObject* felix_ = nullptr;
    const policy::OtherObject* installation_ = nullptr;
};

} // namespace

void check_installation(Context& context, Diagnostics& out) {
    InstallationChecker(context, out).run();
}

} // namespace polecat::lint
