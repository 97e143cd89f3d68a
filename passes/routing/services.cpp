// Which addresses of services are announced, and by which nodes.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "passes/lowering/parts.h"
#include "passes/routing/parts.h"

namespace polecat::passes::routing_parts {

namespace {

using routing::PrefixLine;

bool is_single(const net::Cidr& cidr) {
    return cidr.prefix == net::width(cidr.family());
}

net::Cidr host_route(const net::Address& address) {
    return {address, static_cast<std::uint8_t>(net::width(address.family))};
}

class Services {
  public:
    Services(const Input& input, routing::ClusterRouting& into) : input_(input), into_(into) {
        cluster_ = ranges("serviceClusterIPs");
        if (const auto& given = input.options.cluster_ip_ranges) {
            cluster_.clear();
            for (const net::Cidr& cidr : *given)
                cluster_.push_back({cidr, {}});
        }
        external_ = ranges("serviceExternalIPs");
        balancer_ = ranges("serviceLoadBalancerIPs");
        aggregate_ = !input.settings().is("serviceLoadBalancerAggregation", "Disabled");
        for (routing::NodeIndex i = 0; i < into_.nodes.size(); ++i)
            by_kubernetes_name_.emplace(into_.nodes[i].name, i);
        for (const policy::Node& node : input_.cluster.nodes)
            add_reference(node);
        for (const policy::ServiceEndpoints& slice : input_.cluster.service_endpoints)
            if (slice.is_slice && !slice.service.empty())
                slices_[slice.meta.space + "/" + slice.service].push_back(&slice);
    }

    void run() {
        announce_ranges();
        for (const policy::Service& service : input_.cluster.services)
            announce(service);
        for (routing::FamilyShared* shared : {&into_.v4, &into_.v6})
            for (std::vector<PrefixLine>* list :
                 {&shared->announced_ranges, &shared->kept_from_kernel, &shared->services,
                  &shared->reflected})
                sort_lines(*list);
        for (routing::BgpNode& node : into_.nodes)
            sort_lines(node.services);
    }

  private:
    std::vector<PrefixLine> ranges(const std::string& list) const {
        std::vector<PrefixLine> out;
        for (std::size_t i = 0; i < input_.settings().size(list); ++i) {
            const std::string at = fmt::format("{}[{}].cidr", list, i);
            if (const auto cidr = input_.settings().cidr(at)) // `{}` is passed over
                out.push_back({cidr->value, input_.configured(at)});
        }
        return out;
    }

    /// EndpointSlices name nodes as Kubernetes does.
    void add_reference(const policy::Node& node) {
        const auto own = into_.find(node.meta.name);
        for (std::size_t i = 0; own && i < node.spec.size("orchRefs"); ++i) {
            const std::string at = fmt::format("orchRefs[{}].", i);
            const auto name = node.spec.text(at + "nodeName");
            if (name && node.spec.is(at + "orchestrator", "k8s"))
                by_kubernetes_name_.insert_or_assign(name->value, *own);
        }
    }

    static void sort_lines(std::vector<PrefixLine>& lines) {
        std::stable_sort(lines.begin(), lines.end(), [](const PrefixLine& a, const PrefixLine& b) {
            return a.prefix < b.prefix;
        });
        lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    }

    routing::FamilyShared& of(const PrefixLine& line) { return into_.of(line.prefix.family()); }

    void announce_ranges() {
        const auto announce = [&](const PrefixLine& line) {
            of(line).announced_ranges.push_back(line);
            of(line).kept_from_kernel.push_back(line);
        };
        std::for_each(cluster_.begin(), cluster_.end(), announce);
        for (const PrefixLine& line : external_)
            if (!is_single(line.prefix))
                announce(line);
        for (const PrefixLine& line : balancer_)
            if (aggregate_ && !is_single(line.prefix))
                announce(line);
        for (const auto* list : {&balancer_, &external_})
            for (const PrefixLine& line : *list)
                of(line).reflected.push_back(line);
    }

    // --- one service -----------------------------------------------------------------------------

    static bool allowed(const std::vector<PrefixLine>& ranges, const net::Address& address,
                        bool as_single = false) {
        return std::any_of(ranges.begin(), ranges.end(), [&](const PrefixLine& range) {
            return range.prefix.contains(address) && (!as_single || is_single(range.prefix));
        });
    }

    /// As the API server fills it in: for services that are reached from outside.
    static std::string policy_of(const policy::Service& service) {
        if (!service.external_traffic_policy.empty())
            return service.external_traffic_policy;
        return service.type != "ClusterIP" || !service.external_ips.empty() ? "Cluster" : "";
    }

    /// One address listed as such makes host routes of all allowed ones, on every node.
    bool has_single(const policy::Service& service) const {
        const auto single = [&](const std::vector<PrefixLine>& ranges) {
            return [&](const net::Address& each) { return allowed(ranges, each, true); };
        };
        const auto& ingress = service.ingress_ips;
        const auto& external = service.external_ips;
        const auto& wanted = service.load_balancer_ip;
        if (service.type == "LoadBalancer" &&
            ((wanted && allowed(balancer_, *wanted, true)) ||
             std::any_of(ingress.begin(), ingress.end(), single(balancer_))))
            return true;
        return std::any_of(external.begin(), external.end(), single(external_));
    }

    void announce(const policy::Service& service) {
        const auto slices = slices_.find(service.meta.space + "/" + service.meta.name);
        if (service.type == "ExternalName" || service.headless || service.cluster_ips.empty() ||
            (slices == slices_.end() && !is_selecting(service)))
            return;
        const std::string policy = policy_of(service);
        if (policy == "Cluster" && has_single(service))
            return on_every_node(service);
        if (policy != "Local" && aggregate_)
            return; // covered by the ranges
        const auto nodes = slices == slices_.end() ? selected_nodes(service)
                                                   : ready_nodes(service, slices->second);
        if (policy != "Local" && !nodes.empty())
            return on_every_node(service);
        const std::vector<PrefixLine> routes = routes_of(service);
        for (const auto& node : nodes) {
            if (!node)
                continue;
            auto& into = into_.nodes[*node].services;
            into.insert(into.end(), routes.begin(), routes.end());
        }
    }

    /// Of its pods that are ready; nullopt: a node that is not known.
    using Nodes = std::set<std::optional<routing::NodeIndex>>;

    std::optional<routing::NodeIndex> node_of(const std::string& kubernetes_name) const {
        const auto found = by_kubernetes_name_.find(kubernetes_name);
        return found == by_kubernetes_name_.end() ? std::nullopt : std::optional(found->second);
    }

    Nodes ready_nodes(const policy::Service& service,
                      const std::vector<const policy::ServiceEndpoints*>& slices) const {
        Nodes out;
        const auto& families = service.families;
        for (const policy::ServiceEndpoints* slice : slices)
            if (slice->family &&
                std::find(families.begin(), families.end(), *slice->family) != families.end())
                for (const auto& endpoint : slice->endpoints)
                    if (endpoint.ready)
                        out.insert(node_of(endpoint.node));
        return out;
    }

    bool is_selecting(const policy::Service& service) const {
        return !input_.options.slices_are_all && !service.selector.empty();
    }

    /// Without EndpointSlices: as the controller would write them, every pod taken to be ready.
    Nodes selected_nodes(const policy::Service& service) const {
        Nodes out;
        for (const policy::Workload& pod : input_.cluster.workloads)
            if (pod.kind == "Pod" && !pod.finished && !pod.node.empty() &&
                pod.meta.space == service.meta.space && lowering::selects(service, pod))
                out.insert(node_of(pod.node));
        return out;
    }

    void on_every_node(const policy::Service& service) {
        for (const PrefixLine& route : routes_of(service))
            of(route).services.push_back(route);
    }

    std::vector<PrefixLine> routes_of(const policy::Service& service) const {
        std::vector<PrefixLine> out;
        const std::string object =
            fmt::format("Service {}/{}", service.meta.space, service.meta.name);
        const auto add = [&](const net::Address& address, Span span) {
            out.push_back({host_route(address), {object, span.known() ? span : service.meta.span}});
        };
        if (!cluster_.empty())
            for (const net::Address& each : service.cluster_ips)
                add(each, service.cluster_ips_span);
        for (const net::Address& each : service.external_ips)
            if (allowed(external_, each))
                add(each, service.external_ips_span);
        for (const net::Address& each : service.ingress_ips)
            if (allowed(balancer_, each))
                add(each, service.ingress_ips_span);
        return out;
    }

    const Input& input_;
    routing::ClusterRouting& into_;
    std::vector<PrefixLine> cluster_, external_, balancer_; ///< ranges of BGPConfiguration
    bool aggregate_ = true;
    std::map<std::string, routing::NodeIndex> by_kubernetes_name_;
    std::map<std::string, std::vector<const policy::ServiceEndpoints*>> slices_;
};

} // namespace

void add_services(const Input& input, routing::ClusterRouting& into) {
    Services(input, into).run();
}

} // namespace polecat::passes::routing_parts
