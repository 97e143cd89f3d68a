// How the cluster is installed: encapsulation, MTU, Typha.
// Sources: felix/dataplane/linux/int_dataplane.go (MTU), tigera/operator, charts/calico.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/felix.h"
#include "support/listed.h"

namespace polecat::lint {

namespace {

/// What an encapsulation adds to a packet, and the field of FelixConfiguration that sizes its
/// device.
struct Tunnel {
    const char* name;
    std::int64_t overhead;
    const char* mtu_field;
    const char* device;
    bool (*used)(const std::vector<Pool>& pools, const policy::Settings& felix);
};

bool any_pool(const std::vector<Pool>& pools, bool (*holds)(const Pool&), net::Family family) {
    return std::any_of(pools.begin(), pools.end(), [&](const Pool& pool) {
        return holds(pool) && pool.cidr.family() == family;
    });
}

constexpr Tunnel kTunnels[] = {
    {"IPIP", 20, "ipipMTU", "the IPIP device",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_ipip, net::Family::V4); }},
    {"VXLAN", 50, "vxlanMTU", "the VXLAN device",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_vxlan, net::Family::V4); }},
    {"VXLAN over IPv6", 70, "vxlanMTUV6", "the VXLAN device of IPv6",
     [](const auto& pools, const auto&) { return any_pool(pools, uses_vxlan, net::Family::V6); }},
    {"WireGuard", 60, "wireguardMTU", "the WireGuard device",
     [](const auto&, const auto& felix) { return felix.is_true("wireguardEnabled"); }},
    {"WireGuard over IPv6", 80, "wireguardMTUV6", "the WireGuard device of IPv6",
     [](const auto&, const auto& felix) { return felix.is_true("wireguardEnabledV6"); }},
};

constexpr std::int64_t kEthernet = 1500;
/// Nodes that one Typha serves well: "one replica per 100 to 200 nodes".
constexpr std::int64_t kNodesOfTypha = 200;
/// From here on the operator runs three at least (pkg/common/autoscale.go).
constexpr std::int64_t kNodesOfThree = 5;

/// Of Linux: major, minor, patch and the number behind the first dash.
using KernelRelease = std::array<int, 4>;
constexpr KernelRelease kRequired{5, 3, 0, 0}, kRedHat{4, 18, 0, 193}, kAdvised{5, 10, 0, 0};

/// "5.15.0-91-generic"; nullopt: it doesn't begin with a version.
std::optional<KernelRelease> kernel_release(std::string_view text) {
    KernelRelease out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
        if (error != std::errc{})
            return i < 2 ? std::nullopt : std::optional(out);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty() || text.front() != (i < 2 ? '.' : '-'))
            return i < 1 ? std::nullopt : std::optional(out);
        text.remove_prefix(1);
    }
    return out;
}

class InstallationChecker {
  public:
    InstallationChecker(Context& context, Diagnostics& out)
        : context_(context), cluster_(context.cluster), out_(out), pools_(pools_of(cluster_)),
          nodes_(nodes_of(cluster_)) {
        felix_ = policy::default_felix(cluster_);
        for (const policy::OtherObject& each : cluster_.others)
            if (each.kind == "Installation")
                installation_ = &each;
    }

    void run() {
        for (const Pool& pool : pools_) {
            bpf_with_ipip(pool);
            dropped_by_cloud(pool);
        }
        mtu();
        for (const policy::OtherObject& each : cluster_.others)
            if (each.kind == "FelixConfiguration")
                device_mtus(each);
        if (context_.dataplane() == Dataplane::Bpf)
            kernels();
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
            needs_larger(*given, "pods", *widest, "mtu",
                         "Installation " + installation_->meta.name);
    }

    /// The same of the tunnels' devices, in the cluster's FelixConfiguration or a node's own.
    void device_mtus(const policy::OtherObject& felix) {
        const policy::Settings none;
        const policy::Settings& everywhere = felix_ == nullptr ? none : felix_->spec;
        for (const Tunnel& tunnel : kTunnels) {
            const auto given = felix.spec.integer(tunnel.mtu_field);
            if (given && given->value <= kEthernet && given->value + tunnel.overhead > kEthernet &&
                (tunnel.used(pools_, felix.spec) || tunnel.used(pools_, everywhere)))
                needs_larger(*given, tunnel.device, tunnel, tunnel.mtu_field,
                             "FelixConfiguration " + felix.meta.name);
        }
    }

    void needs_larger(const At<std::int64_t>& given, const char* whose, const Tunnel& tunnel,
                      const char* field, const std::string& object) {
        out_.report(Code::MtuNeedsLarger, given.span,
                    {std::to_string(given.value), tunnel.name,
                     std::to_string(given.value + tunnel.overhead), whose})
            .about(object)
            .with_hint(fmt::format("at most {} on such a network, or leave {} out: Felix finds it",
                                   kEthernet - tunnel.overhead, field));
    }

    // --- kernels ---------------------------------------------------------------------------------

    /// Where the kernel is too old, Felix says so in its log and goes on with iptables
    /// (felix/bpf/bpf.go, felix/daemon/daemon.go).
    void kernels() {
        for (const policy::Node& node : cluster_.nodes) {
            const auto release = kernel_release(*node.kernel);
            const bool red_hat = node.kernel->find(".el8") != std::string::npos;
            if (!release || *release >= kAdvised ||
                node.meta.labels.find("kubernetes.io/os") == "windows")
                continue;
            const bool starts = red_hat ? *release >= kRedHat : *release >= kRequired;
            auto& diagnostic =
                out_.report(Code::OldKernel, node.kernel.span,
                            {node.meta.name, *node.kernel,
                             starts ? "is made for 5.10 and later"
                                    : "needs 5.3, or 4.18.0-193 of Red Hat, and iptables enforces "
                                      "policy there instead"});
            diagnostic.about("Node " + node.meta.name);
            if (starts)
                diagnostic.severity = diag::Severity::Note;
        }
    }

    // --- Typha -----------------------------------------------------------------------------------

    void typha(const policy::Workload& each) {
        if (each.kind != "Deployment" || each.meta.name != "calico-typha" || nodes_.empty())
            return;
        // One where the Deployment does not say; 0: Typha is not in use.
        const std::int64_t replicas = each.replicas ? each.replicas->value : 1;
        const auto nodes = static_cast<std::int64_t>(nodes_.size());
        std::string why;
        if (replicas > nodes)
            why = "each needs a node of its own";
        else if (nodes > replicas * kNodesOfTypha)
            why = fmt::format("one serves up to {}", kNodesOfTypha);
        else if (nodes >= kNodesOfThree && replicas < 3)
            why = "three go on serving while one is replaced";
        if (why.empty() || replicas <= 0)
            return;
        auto& diagnostic =
            out_.report(Code::TyphaReplicas, each.replicas ? each.replicas->span : each.meta.span,
                        {std::to_string(replicas), std::to_string(nodes), why})
                .about(fmt::format("Deployment {}/{}", each.meta.space, each.meta.name));
        if (replicas == 1 || nodes == 1) // one serves, several serve
            diagnostic.message = fmt::format(
                "{} serve{} {}: {}", counted(static_cast<std::size_t>(replicas), "Typha replica"),
                replicas == 1 ? "s" : "", counted(nodes_.size(), "node"), why);
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
