// IP pools: ranges that collide, and pools that don't fit the nodes and namespaces they are for.
// Sources: libcalico-go/lib/ipam, kube-controllers/pkg/controllers/ippool.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "support/diag/fix.h"
#include "support/listed.h"

namespace polecat::lint {

using net::AddressSet;
using net::Family;

namespace {

/// Blocks that a node may hold where IPAMConfiguration does not say.
constexpr std::int64_t kBlocksOfNode = 20;
/// The kubelet's default of --max-pods.
constexpr std::int64_t kPodsOfNode = 110;

bool intersect(const net::Cidr& a, const net::Cidr& b) {
    return a.contains(b.base) || b.contains(a.base);
}

struct TakenRange {
    const char* cidr;
    const char* what;
};
/// Addresses that no pod can have. Link-local ones are refused when the pool is read.
constexpr TakenRange kTaken[] = {{"0.0.0.0/8", "this network, 0.0.0.0/8"},
                                 {"127.0.0.0/8", "the loopback range 127.0.0.0/8"},
                                 {"224.0.0.0/4", "the multicast range 224.0.0.0/4"},
                                 {"::1/128", "the loopback address ::1"},
                                 {"ff00::/8", "the multicast range ff00::/8"}};

std::uint64_t power_of_two(unsigned bits) {
    return bits < 63 ? std::uint64_t{1} << bits : ~std::uint64_t{0};
}

class IpamChecker {
  public:
    IpamChecker(Context& context, Diagnostics& out)
        : cluster_(context.cluster), out_(out), pools_(pools_of(cluster_)),
          nodes_(nodes_of(cluster_)), calico_ipam_(calico_gives_addresses(cluster_)),
          whole_(context.extent.is_whole()),
          configuration_(policy::default_object(cluster_, "IPAMConfiguration")) {
        for (const policy::OtherObject& each : cluster_.others) {
            if (each.kind == "IPReservation")
                for (const At<net::Cidr>& cidr : each.spec.cidrs("reservedCIDRs"))
                    reserved_ = reserved_ | AddressSet::of(*cidr);
        }
    }

    void run() {
        overlaps();
        for (const Pool& pool : pools_) {
            taken_ranges(pool);
            node_addresses(pool);
            service_ranges(pool);
            if (calico_ipam_ && pool.serves()) {
                selects_nobody(pool);
                too_few_blocks(pool);
            }
        }
        if (calico_ipam_) {
            nodes_without_pool();
            blocks_too_small();
            windows_nodes();
        }
        reservations();
    }

  private:
    diag::Diagnostic& report(Code code, const Pool& pool,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, pool.span, args).about(pool.object);
    }

    // --- ranges ----------------------------------------------------------------------------------

    void overlaps() {
        for (std::size_t i = 0; i < pools_.size(); ++i) {
            std::vector<std::string> names;
            Span first;
            for (std::size_t j = 0; j < i; ++j)
                // A disabled pool stands in nobody's way.
                if (!pools_[i].disabled && !pools_[j].disabled &&
                    intersect(pools_[i].cidr, pools_[j].cidr)) {
                    first = names.empty() ? pools_[j].span : first;
                    names.push_back(pools_[j].shown());
                }
            if (!names.empty())
                report(
                    Code::PoolOverlap, pools_[i],
                    {pools_[i].shown(), (names.size() == 1 ? "pool " : "pools ") + listed(names)})
                    .with_label(first, "the other one")
                    .with_hint("calicoctl and Calico's API server refuse the second one; written "
                               "past them "
                               "as a resource of Kubernetes, it is left unused while the older one "
                               "serves");
        }
    }

    diag::Diagnostic& overlap(const Pool& pool, const std::string& what, const char* hint) {
        return report(Code::PoolOverlap, pool, {pool.shown(), what}).with_hint(hint);
    }

    void taken_ranges(const Pool& pool) {
        for (const TakenRange& each : kTaken)
            if (!pool.disabled &&
                intersect(pool.cidr, *net::parse_cidr(each.cidr, net::CidrForm::Strict)))
                overlap(pool, each.what, "no pod can have such an address");
    }

    /// Addresses of load balancers may well be of the nodes' network.
    void node_addresses(const Pool& pool) {
        if (pool.disabled || pool.for_load_balancers)
            return;
        std::vector<std::string> inside;
        for (const NodeView& node : nodes_)
            for (const net::Address& address : node.addresses)
                if (pool.cidr.contains(address) && !reserved_.contains(address))
                    inside.push_back(fmt::format("{} of {}", net::to_string(address), node.name));
        if (!inside.empty())
            overlap(pool, "addresses of nodes: " + listed(inside),
                    "take a range beside the nodes' network: a pod may get a node's address");
        else
            node_networks(pool);
    }

    /// The network that a Calico Node is attached to: its neighbours there need no route.
    void node_networks(const Pool& pool) {
        for (const policy::Node& node : cluster_.nodes)
            for (const char* field : {"bgp.ipv4Address", "bgp.ipv6Address"}) {
                const auto text = node.is_calico ? node.spec.text(field) : std::nullopt;
                const auto network =
                    text ? net::parse_cidr(text->value, net::CidrForm::Masked) : std::nullopt;
                if (!network || network->prefix == net::width(network->family()) ||
                    !intersect(pool.cidr, *network))
                    continue;
                report(Code::PoolOverlap, pool,
                       {pool.shown(), fmt::format("the network {} of node {}",
                                                  net::to_string(*network), node.meta.name)})
                    .with_label(text->span, "the node's address with its network")
                    .with_hint("hosts of that network look for the pods beside them, not behind "
                               "a node: take another range")
                    .severity = diag::Severity::Warning;
                return;
            }
    }

    void service_ranges(const Pool& pool) {
        if (pool.disabled)
            return;
        for (const policy::OtherObject& each : cluster_.others) {
            const bool bgp = each.kind == "BGPConfiguration";
            const auto& spec = bgp ? each.spec : each.around;
            const std::string list = bgp ? "serviceClusterIPs" : "serviceCIDRs";
            if (!bgp && each.kind != "Installation")
                continue;
            for (std::size_t i = 0; i < spec.size(list); ++i) {
                const auto range = spec.cidr(fmt::format("{}[{}]{}", list, i, bgp ? ".cidr" : ""));
                if (range && intersect(pool.cidr, **range)) {
                    overlap(pool,
                            fmt::format("the service range {} of {} {}", net::to_string(**range),
                                        each.kind, each.meta.name),
                            "take a range beside the services'")
                        .with_fact("pool", net::to_string(pool.cidr))
                        .with_fact("services", net::to_string(**range));
                    return;
                }
            }
        }
        std::vector<std::string> inside;
        for (const policy::Service& service : cluster_.services)
            for (const net::Address& address : service.cluster_ips)
                if (pool.cidr.contains(address))
                    inside.push_back(fmt::format("{} of {}/{}", net::to_string(address),
                                                 service.meta.space, service.meta.name));
        if (!inside.empty())
            overlap(pool, "addresses of services: " + listed(inside),
                    "take a range beside the services'");
    }

    // --- nodes and namespaces --------------------------------------------------------------------

    static bool selects(const Pool& pool, const NodeView& node) {
        return !pool.node_selector || pool.node_selector->parsed.matches(node.labels);
    }

    void selects_nobody(const Pool& pool) {
        // `!all()` is how a pool was kept for those who ask for it by name.
        if (pool.node_selector &&
            pool.node_selector->parsed == selector::Selector::negate(selector::Selector::all()))
            return;
        if (!nodes_.empty() && std::none_of(nodes_.begin(), nodes_.end(),
                                            [&](const auto& node) { return selects(pool, node); }))
            report(Code::PoolForNobody, pool, {pool.shown(), "node"});
        if (whole_ && !cluster_.namespaces.empty() && pool.namespace_selector &&
            std::none_of(
                cluster_.namespaces.begin(), cluster_.namespaces.end(),
                [&](const policy::Namespace& each) { return selects_namespace(pool, each); }))
            report(Code::PoolForNobody, pool, {pool.shown(), "namespace"});
    }

    static bool selects_namespace(const Pool& pool, const policy::Namespace& space) {
        return pool.namespace_selector->parsed.matches(space.meta.labels);
    }

    bool served(const NodeView& node, const Pool* but = nullptr,
                std::optional<Family> family = {}) const {
        return std::any_of(pools_.begin(), pools_.end(), [&](const Pool& pool) {
            return &pool != but && pool.serves() && selects(pool, node) &&
                   (!family || pool.cidr.family() == *family);
        });
    }

    void nodes_without_pool() {
        std::vector<std::string> without;
        const NodeView* first = nullptr;
        for (const NodeView& node : nodes_)
            if (!served(node)) {
                without.push_back(node.name);
                first = first == nullptr ? &node : first;
            }
        if (first != nullptr && !pools_.empty())
            out_.report(Code::NodeWithoutPool, first->span,
                        {counted(without.size(), "node"), listed(without)})
                .about("Node " + first->name)
                .with_hint("pods there must ask for a pool by name, or get no address");
    }

    // --- blocks ----------------------------------------------------------------------------------

    /// Every node takes at least one block, of those pools that select it.
    void too_few_blocks(const Pool& pool) {
        if (pool.namespace_selector || pool.block_size < pool.cidr.prefix)
            return;
        const std::uint64_t blocks = power_of_two(pool.block_size - pool.cidr.prefix);
        const auto only_here = static_cast<std::uint64_t>(
            std::count_if(nodes_.begin(), nodes_.end(), [&](const NodeView& node) {
                return selects(pool, node) && !served(node, &pool, pool.cidr.family());
            }));
        if (blocks >= only_here)
            return;
        const unsigned bits = net::width(pool.cidr.family()) - pool.block_size;
        auto& diagnostic = report(Code::PoolExhaustion, pool,
                                  {pool.shown(), std::to_string(blocks),
                                   std::to_string(power_of_two(bits)), std::to_string(only_here)});
        const bool strict =
            configuration_ != nullptr && configuration_->spec.is_true("strictAffinity");
        diagnostic.with_hint(strict ? "strictAffinity is on, so nodes without a block get nothing: "
                                      "take smaller blocks or a larger pool"
                                    : "nodes without a block borrow single addresses, each a "
                                      "route: take smaller blocks or a larger pool");
        if (strict)
            diagnostic.severity = diag::Severity::Error;
    }

    /// A node holds so many blocks and borrows nothing beyond, so small ones limit its pods.
    void blocks_too_small() {
        std::int64_t limit = kBlocksOfNode;
        if (configuration_ != nullptr)
            if (const auto given = configuration_->spec.integer("maxBlocksPerHost"))
                limit = given->value == 0 ? limit : given->value;
        for (const Family family : {Family::V4, Family::V6}) {
            const Pool* largest = nullptr;
            for (const Pool& pool : pools_)
                if (pool.serves() && pool.cidr.family() == family &&
                    (largest == nullptr || pool.block_size < largest->block_size))
                    largest = &pool;
            if (largest == nullptr)
                continue;
            const unsigned bits = net::width(family) - largest->block_size;
            if (bits > 16 || limit * (std::int64_t{1} << bits) >= kPodsOfNode)
                continue;
            report(Code::BlocksTooSmall, *largest,
                   {std::to_string(limit), std::to_string(std::int64_t{1} << bits),
                    largest->shown(), std::to_string(limit * (std::int64_t{1} << bits))})
                .with_hint("a kubelet takes 110 pods unless its maxPods says less");
        }
    }

    std::optional<diag::Fix> strict_affinity() const {
        const char* what = "give Windows nodes addresses of their own";
        if (const auto said = configuration_->spec.boolean("strictAffinity"))
            return diag::replace_text(said->span, "false", "true", what);
        return diag::add_to_object(configuration_->meta.span, "spec", "{strictAffinity: true}",
                                   what);
    }

    void windows_nodes() {
        if (configuration_ == nullptr || configuration_->spec.is_true("strictAffinity"))
            return;
        for (const NodeView& node : nodes_)
            if (is_windows(node)) {
                out_.report(Code::WindowsBorrows, configuration_->meta.span, {node.name})
                    .about("IPAMConfiguration " + configuration_->meta.name)
                    .with_hint("set strictAffinity: true")
                    .with_fix(strict_affinity());
                return;
            }
    }

    // --- reservations ----------------------------------------------------------------------------

    void reservations() {
        for (const policy::OtherObject& each : cluster_.others) {
            if (each.kind != "IPReservation")
                continue;
            for (const At<net::Cidr>& cidr : each.spec.cidrs("reservedCIDRs"))
                if (outside_pools(*cidr))
                    out_.report(Code::ReservationOutside, cidr.span, {net::to_string(*cidr)})
                        .about("IPReservation " + each.meta.name);
        }
        for (const Pool& pool : pools_)
            if (pool.serves() && reserved_.contains(AddressSet::of(pool.cidr)))
                report(Code::ReservationTakesAll, pool, {pool.shown()})
                    .with_hint("to give addresses on request only, set assignmentMode: Manual");
    }

    /// Only where pools of the family are known.
    bool outside_pools(const net::Cidr& cidr) const {
        bool any = false;
        for (const Pool& pool : pools_) {
            any = any || pool.cidr.family() == cidr.family();
            if (intersect(pool.cidr, cidr))
                return false;
        }
        return any;
    }

    const policy::Cluster& cluster_;
    Diagnostics& out_;
    const std::vector<Pool> pools_;
    const std::vector<NodeView> nodes_;
    const bool calico_ipam_;
    const bool whole_; ///< namespaces that are not in the input are not there
    AddressSet reserved_;
    const policy::OtherObject* configuration_;
};

} // namespace

void check_ipam(Context& context, Diagnostics& out) {
    IpamChecker(context, out).run();
}

} // namespace polecat::lint
