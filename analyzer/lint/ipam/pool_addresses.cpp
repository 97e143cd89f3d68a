// Pods and the pools that are for them: annotations that win over a pool's selectors, addresses of
// no pool. Source: libcalico-go/lib/ipam (determinePools).
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"

namespace polecat::lint {

namespace {

class PoolAddressesChecker {
  public:
    PoolAddressesChecker(Context& context, Diagnostics& out)
        : cluster_(context.cluster), out_(out), pools_(pools_of(cluster_)) {
        for (NodeView& node : nodes_of(cluster_))
            nodes_.emplace(node.name, std::move(node));
    }

    void run() {
        const bool of_nodes = nodes_give_addresses();
        if (!calico_gives_addresses(cluster_) && !of_nodes)
            return;
        if (!of_nodes)
            annotations();
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            outside_pools(family);
        if (of_nodes)
            ranges_of_nodes();
    }

  private:
    // --- annotations -----------------------------------------------------------------------------

    void annotations() {
        for (const AddressRequest& request : requests_of(cluster_))
            if (request.items &&
                (request.annotation == "ipv4pools" || request.annotation == "ipv6pools"))
                for (const std::string& item : *request.items)
                    if (const Pool* pool = pool_asked_for(pools_, item))
                        against_selectors(request, item, *pool);
    }

    /// Selectors of a pool are for those who ask for none.
    void against_selectors(const AddressRequest& request, const std::string& asked,
                           const Pool& pool) {
        if (is_kept_for_requests(pool))
            return;
        const auto leaves_out = [&](const char* field, const std::string& whom) {
            out_.report(Code::PoolAgainstSelector, request.span,
                        {request.object, asked, field, whom})
                .about(request.object)
                .with_label(pool.span, "the pool")
                .with_hint("name only pools whose selectors hold for the pods too, or leave the "
                           "choice to the selectors");
        };
        if (pool.node_selector)
            if (const std::string node = node_left_out(request, pool); !node.empty())
                leaves_out("nodeSelector", node);
        if (pool.namespace_selector)
            for (const policy::Namespace& each : cluster_.namespaces)
                if (each.meta.name == request.space && !selects(pool, each))
                    leaves_out("namespaceSelector", "namespace " + each.meta.name);
    }

    /// `!all()`, the old way to keep a pool for those who ask for it by name.
    static bool is_kept_for_requests(const Pool& pool) {
        return pool.node_selector &&
               pool.node_selector->parsed == selector::Selector::negate(selector::Selector::all());
    }

    /// "node n2 of pod shop/web", where such a pod stands; empty: none is known.
    std::string node_left_out(const AddressRequest& request, const Pool& pool) const {
        if (request.pod != nullptr)
            return node_left_out(*request.pod, pool);
        for (const policy::Workload& pod : cluster_.workloads) {
            const bool own_request =
                pod.pod_annotations.contains("cni.projectcalico.org/" + request.annotation);
            if (pod.meta.space != request.space || pod.host_network || pod.finished || own_request)
                continue;
            if (std::string found = node_left_out(pod, pool); !found.empty())
                return found;
        }
        return "";
    }

    std::string node_left_out(const policy::Workload& pod, const Pool& pool) const {
        const auto node = nodes_.find(pod.node);
        if (node == nodes_.end() || pool.node_selector->parsed.matches(node->second.labels))
            return "";
        return fmt::format("node {} of {}/{}", pod.node, pod.meta.space, pod.meta.name);
    }

    static bool selects(const Pool& pool, const policy::Namespace& space) {
        return pool.namespace_selector->parsed.matches(space.meta.labels);
    }

    // --- addresses -------------------------------------------------------------------------------

    /// Only where pools of the family are known.
    void outside_pools(net::Family family) {
        std::vector<std::string> addresses, pods;
        const policy::Workload* first = nullptr;
        for (const policy::Workload& pod : cluster_.workloads) {
            if (pod.kind != "Pod" || pod.host_network || pod.finished || has_own_address(pod))
                continue;
            for (const At<net::Cidr>& address : pod.addresses)
                if (address->family() == family && outside(*address)) {
                    first = first == nullptr ? &pod : first;
                    addresses.push_back(net::to_string(address->base));
                    pods.push_back(pod.meta.space + "/" + pod.meta.name);
                }
        }
        if (first != nullptr)
            out_.report(Code::PodOutsidePools, first->meta.span, {listed(addresses), listed(pods)})
                .about("Pod " + pods.front())
                .with_hint("give the pool the range that pods have their addresses of, or find out "
                           "who gives them out");
    }

    /// In no pool for pods, although there are some of the family.
    bool outside(const net::Cidr& range) const {
        bool any = false;
        for (const Pool& pool : pools_) {
            if (pool.cidr.family() != range.family() || !pool.for_pods)
                continue;
            any = true;
            if (pool.cidr.contains(range.first()) && pool.cidr.prefix <= range.prefix)
                return false;
        }
        return any;
    }

    /// Calico's host-local IPAM takes addresses of the node's own range.
    bool nodes_give_addresses() const {
        return std::any_of(
            cluster_.others.begin(), cluster_.others.end(), [](const policy::OtherObject& each) {
                return each.kind == "Installation" &&
                       each.around.is("cni.ipam.type", "HostLocal") &&
                       (!each.around.has("cni.type") || each.around.is("cni.type", "Calico"));
            });
    }

    void ranges_of_nodes() {
        for (const policy::Node& node : cluster_.nodes)
            for (const net::Cidr& range : node.pod_cidrs)
                if (outside(range)) {
                    out_.report(Code::PodOutsidePools, node.meta.span,
                                {net::to_string(range), "the pods of node " + node.meta.name})
                        .about("Node " + node.meta.name)
                        .with_hint("host-local IPAM takes addresses of the node's podCIDR: give a "
                                   "pool the range that holds those of all nodes");
                    return;
                }
    }

    /// Addresses past IPAM are outside of pools on purpose.
    static bool has_own_address(const policy::Workload& pod) {
        return pod.pod_annotations.contains("cni.projectcalico.org/ipAddrsNoIpam");
    }

    const policy::Cluster& cluster_;
    Diagnostics& out_;
    const std::vector<Pool> pools_;
    std::map<std::string, NodeView> nodes_;
};

} // namespace

void check_pool_addresses(Context& context, Diagnostics& out) {
    PoolAddressesChecker(context, out).run();
}

} // namespace polecat::lint
