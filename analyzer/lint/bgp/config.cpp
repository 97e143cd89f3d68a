// BGPConfiguration and BGPFilter: what counts nowhere, ranges that collide.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/felix.h"

namespace polecat::lint {

namespace {

using policy::OtherObject;

constexpr const char* kServiceLists[] = {"serviceClusterIPs", "serviceExternalIPs",
                                         "serviceLoadBalancerIPs"};

class Config {
  public:
    Config(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        for (const OtherObject* each : bgp_.configurations) {
            name(*each);
            communities(*each);
        }
        if (bgp_.configuration != nullptr)
            for (const char* list : kServiceLists)
                for (std::size_t i = 0; i < bgp_.configuration->spec.size(list); ++i)
                    service_range(fmt::format("{}[{}].cidr", list, i), list);
        else if (!bgp_.peers.empty())
            missing();
        for (const OtherObject* each : bgp_.filters)
            unused_filter(*each);
        cluster_routes();
    }

  private:
    void name(const OtherObject& object) {
        const std::string& name = object.meta.name;
        if (name == "default")
            return;
        if (!name.starts_with("node.")) {
            out_.report(Code::ConfigurationIgnored, object.meta.span, {name})
                .about(about(object))
                .with_hint("name it `default`, or `node.` and the name of a node");
            return;
        }
        for (const char* field :
             {"nodeToNodeMeshEnabled", "asNumber", "serviceClusterIPs", "serviceExternalIPs",
              "serviceLoadBalancerIPs", "nodeMeshPassword", "nodeMeshMaxRestartTime"})
            if (object.spec.span(field).known())
                out_.report(Code::GlobalFieldOnNode, object.spec.span(field), {name, field})
                    .about(about(object))
                    .with_hint(field == std::string_view("asNumber")
                                   ? "the AS number of one node is spec.bgp.asNumber of its Node"
                                   : "set it in BGPConfiguration `default`");
    }

    void missing() {
        out_.report(Code::ConfigurationMissing, bgp_.peers.front().object->meta.span)
            .about(about(*bgp_.peers.front().object))
            .with_hint("write one, so that mesh and AS number are said and not assumed");
    }

    void communities(const OtherObject& object) {
        for (std::size_t i = 0; i < object.spec.size("communities"); ++i) {
            const auto name = object.spec.text(fmt::format("communities[{}].name", i));
            const auto value = object.spec.text(fmt::format("communities[{}].value", i));
            if (name && !advertises(object, name->value) &&
                !(value && advertises(object, value->value)))
                out_.report(Code::CommunityUnused, name->span, {name->value})
                    .about(about(object))
                    .with_hint("name it in prefixAdvertisements, or remove it");
        }
    }

    static bool advertises(const OtherObject& object, const std::string& community) {
        for (std::size_t i = 0; i < object.spec.size("prefixAdvertisements"); ++i)
            for (const auto& each :
                 object.spec.texts(fmt::format("prefixAdvertisements[{}].communities", i)))
                if (each.value == community)
                    return true;
        return false;
    }

    /// Nodes do not program routes inside advertised service ranges: pods there are cut off.
    void service_range(const std::string& path, const char* list) {
        const auto range = bgp_.configuration->spec.cidr(path);
        if (!range)
            return;
        for (const policy::IpPool& pool : bgp_.cluster.pools) {
            const auto& uses = pool.allowed_uses; // pools for load balancers belong there
            const bool for_pods =
                uses.empty() || std::find(uses.begin(), uses.end(), "LoadBalancer") == uses.end();
            if (pool.disabled || !for_pods ||
                !net::AddressSet::of(range->value).intersects(net::AddressSet::of(pool.cidr)))
                continue;
            const std::string services = net::to_string(range->value),
                              cidr = net::to_string(pool.cidr);
            out_.report(Code::ServiceRangeOverlap, range->span,
                        {services, list, fmt::format("pool {} ({})", pool.meta.name, cidr)})
                .about(about(*bgp_.configuration))
                .with_label(pool.meta.span, "here")
                .with_fact("pool", cidr)
                .with_fact("services", services)
                .with_hint("nodes refuse routes inside service ranges that they advertise; make "
                           "the two disjoint");
        }
    }

    /// Which of two daemons makes the routes of a class of pools, where both are told.
    void cluster_routes() {
        constexpr const char* kField = "programClusterRoutes";
        const OtherObject* felix = policy::default_felix(bgp_.cluster);
        const OtherObject* bgp = bgp_.configuration;
        if (felix == nullptr || bgp == nullptr || bgp_.disabled_by() != nullptr)
            return;
        const auto of_felix = felix->spec.text(kField), of_bgp = bgp->spec.text(kField);
        if (!of_felix || !of_bgp)
            return; // what is not told depends on Calico's release
        const auto pools = pools_of(bgp_.cluster);
        for (const bool ipip : {true, false}) {
            const char* only = ipip ? "EnabledIPIPOnly" : "EnabledNoEncapOnly";
            const auto makes = [&](const std::string& value) {
                return value == "Enabled" || value == only;
            };
            const bool used = std::any_of(pools.begin(), pools.end(), [&](const Pool& pool) {
                return ipip ? uses_ipip(pool) : !uses_ipip(pool) && !uses_vxlan(pool);
            });
            if ((used || pools.empty()) && makes(of_felix->value) == makes(of_bgp->value))
                out_.report(
                        Code::ClusterRoutes, of_felix->span,
                        {makes(of_felix->value) ? "both Felix and BIRD" : "neither Felix nor BIRD",
                         ipip ? "with IPIP" : "without encapsulation", of_felix->value,
                         of_bgp->value})
                    .about(about(*felix))
                    .with_label(of_bgp->span, "the other half")
                    .with_hint("let one of them make the routes of each class: EnabledIPIPOnly and "
                               "EnabledNoEncapOnly, or Enabled and Disabled");
        }
    }

    void unused_filter(const OtherObject& filter) {
        for (const BgpPeer& peer : bgp_.peers)
            for (const At<std::string>& each : peer.spec().texts("filters"))
                if (each.value == filter.meta.name)
                    return;
        out_.report(Code::FilterUnused, filter.meta.span, {filter.meta.name}).about(about(filter));
    }

    const Bgp& bgp_;
    Diagnostics& out_;
};

} // namespace

void check_bgp_config(const Bgp& bgp, Diagnostics& out) {
    Config(bgp, out).run();
}

} // namespace polecat::lint
