// Where Calico's BGP does something else than the manifests seem to say (docs/routing.md).
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"
#include "analyzer/lint/pools.h"
#include "support/diag/fix.h"
#include "support/listed.h"

namespace polecat::lint {

namespace {

using policy::OtherObject;

constexpr std::string_view kExclude = "node.kubernetes.io/exclude-from-external-load-balancers";

bool is_agents_namespace(const std::string& space) {
    return space == "kube-system" || space == "calico-system";
}

class Surprises {
  public:
    Surprises(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        for (const BgpPeer& peer : bgp_.peers) {
            password(*peer.object, "password");
            address_form(peer);
            ignored_fields(peer);
            for (const At<std::string>& name : peer.spec().texts("filters"))
                used_filters_.insert(name.value);
        }
        for (const OtherObject* filter : bgp_.filters)
            if (used_filters_.contains(filter->meta.name))
                for (const char* list : {"exportV4", "exportV6"})
                    exports(*filter, list);
        if (bgp_.configuration == nullptr)
            return;
        password(*bgp_.configuration, "nodeMeshPassword");
        if (bgp_.mesh() == true && bgp_.carries_pods())
            mesh();
        exclusion();
    }

  private:
    // --- passwords -------------------------------------------------------------------------------

    /// That a Secret is in no manifest says nothing: few are.
    void password(const OtherObject& object, const std::string& field) {
        const auto name = object.spec.text(field + ".secretKeyRef.name");
        const auto key = object.spec.text(field + ".secretKeyRef.key");
        if (!name || !key)
            return;
        const policy::Secret *seen = nullptr, *elsewhere = nullptr;
        for (const policy::Secret& secret : bgp_.cluster.secrets) {
            if (secret.meta.name != name->value)
                continue;
            if (!is_agents_namespace(secret.meta.space))
                elsewhere = &secret;
            else if (secret.has(key->value))
                return;
            else
                seen = &secret;
        }
        if (seen == nullptr && elsewhere == nullptr)
            return;
        const std::string problem =
            seen != nullptr ? fmt::format("has no key `{}`", key->value)
                            : fmt::format("is in namespace {}, where calico-node does not look",
                                          elsewhere->meta.space);
        auto& diagnostic =
            out_.report(Code::SessionWithoutPassword, seen != nullptr ? key->span : name->span,
                        {name->value, problem});
        diagnostic.about(about(object))
            .with_label((seen != nullptr ? seen : elsewhere)->meta.span, "the Secret")
            .with_note("Calico then makes the sessions without a password");
        std::vector<std::string_view> keys;
        for (std::size_t i = 0; seen != nullptr && i < seen->keys.size(); ++i)
            keys.push_back(seen->keys[i].value);
        if (const auto near = diag::nearest(key->value, keys))
            diagnostic.with_hint("did you mean `" + *near + "`?");
    }

    // --- BGPPeers --------------------------------------------------------------------------------

    void address_form(const BgpPeer& peer) {
        const auto text = peer.spec().text("peerIP");
        if (!text || !peer.address || peer.remote.empty())
            return;
        const std::string plain = net::to_string(peer.address->value);
        const std::string shortest =
            !text->value.starts_with('[')
                ? plain + (peer.port != 0 ? fmt::format(":{}", peer.port) : "")
                : fmt::format("[{}]", plain) + text->value.substr(text->value.find(']') + 1);
        const BgpNode& node = bgp_.node(peer.remote.front());
        if (text->value.find(plain) != std::string::npos || !node.in_calico)
            return;
        out_.report(Code::PeerAddressForm, text->span, {text->value, node.name, shortest})
            .about(about(*peer.object))
            .with_label(node.span, "the node")
            .with_fix(diag::replace_text(text->span, text->value, shortest,
                                         "write the address in its shortest form"));
    }

    void ignored_fields(const BgpPeer& peer) {
        const bool by_selector = peer.spec().has("peerSelector");
        if (!by_selector && !peer.to_workloads)
            return;
        const std::string why = by_selector
                                    ? "it counts for a neighbour that peerIP names, and this one "
                                      "has a peerSelector"
                                    : "sessions to workloads do not use it";
        std::vector<const char*> fields{"localASNumber", "numAllowedLocalASNumbers"};
        if (peer.to_workloads)
            fields = {"password",    "maxRestartTime", "keepaliveTime",
                      "ttlSecurity", "nextHopMode",    "keepOriginalNextHop",
                      "reachableBy", "sourceAddress",  "numAllowedLocalASNumbers"};
        for (const char* field : fields)
            if (peer.spec().span(field).known())
                out_.report(Code::PeerFieldIgnored, peer.spec().span(field),
                            {field, peer.name(), why})
                    .about(about(*peer.object));
    }

    // --- filters ---------------------------------------------------------------------------------

    static bool asks_nothing(const policy::Settings& spec, const std::string& at) {
        for (const char* field :
             {"cidr", "source", "interface", "communities", "asPathPrefix", "priority"})
            if (spec.span(at + field).known())
                return false;
        return true;
    }

    void exports(const OtherObject& filter, const std::string& list) {
        for (std::size_t i = 0; i < filter.spec.size(list); ++i) {
            const std::string name = fmt::format("{}[{}]", list, i);
            if (!filter.spec.is(name + ".action", "Accept"))
                continue;
            if (asks_nothing(filter.spec, name + "."))
                out_.report(Code::FilterAcceptsAll, filter.spec.span(name + ".action"), {name})
                    .about(about(filter))
                    .with_hint("leave it out: what no rule decides goes on to Calico's own rules, "
                               "which announce pools and services");
            else
                exported_pools(filter, list, i);
        }
    }

    /// A rule with just the pool's CIDR is meant.
    void exported_pools(const OtherObject& filter, const std::string& list, std::size_t index) {
        const std::string at = fmt::format("{}[{}].", list, index);
        const auto range = filter.spec.cidr(at + "cidr");
        if (!range || !filter.spec.is(at + "matchOperator", "In"))
            return;
        for (const Pool& pool : pools_of(bgp_.cluster))
            if (!pool.exported && pool.cidr.prefix > range->value.prefix &&
                range->value.contains(pool.cidr.base) &&
                !rejected_before(filter.spec, list, index, pool.cidr))
                out_.report(Code::FilterExportsPool, range->span,
                            {at.substr(0, at.size() - 1), pool.shown()})
                    .about(about(filter))
                    .with_label(pool.span, "the pool")
                    .with_hint("reject the pool in a rule before this one");
    }

    static bool rejected_before(const policy::Settings& spec, const std::string& list,
                                std::size_t index, const net::Cidr& pool) {
        for (std::size_t i = 0; i < index; ++i) {
            const std::string at = fmt::format("{}[{}].", list, i);
            const auto range = spec.cidr(at + "cidr");
            if (range && spec.is(at + "action", "Reject") && spec.is(at + "matchOperator", "In") &&
                range->value.prefix <= pool.prefix && range->value.contains(pool.base))
                return true;
        }
        return false;
    }

    // --- nodes -----------------------------------------------------------------------------------

    static bool joined(const BgpNode& a, const BgpNode& b) {
        return a.in_calico && b.in_calico && !a.cluster_id && !b.cluster_id && a.name != b.name &&
               ((a.has_family(net::Family::V4) && b.has_family(net::Family::V4)) ||
                (a.has_family(net::Family::V6) && b.has_family(net::Family::V6)));
    }

    /// A neighbour without a number is taken to have that of the node that Calico configures.
    void mesh() {
        const auto cluster = bgp_.cluster_as();
        for (const BgpNode& node : bgp_.nodes) {
            if (!node.as || node.as->value == cluster->value)
                continue;
            std::size_t others = 0;
            const BgpNode* first = nullptr;
            for (const BgpNode& each : bgp_.nodes)
                if (!each.as && joined(node, each) && ++others == 1)
                    first = &each;
            if (first == nullptr)
                continue;
            auto& diagnostic =
                out_.report(Code::MeshOtherAs, node.as->span,
                            {node.name, first->name, std::to_string(node.as->value)});
            diagnostic.about("Node " + node.name)
                .with_label(cluster->span, fmt::format("node {} shows AS {}, the cluster's",
                                                       first->name, cluster->value))
                .with_hint("give every node of the mesh its own number, or none");
            if (others > 1)
                diagnostic.with_note(fmt::format("the same holds of {} with {}", node.name,
                                                 counted(others - 1, "other node")));
        }
    }

    void exclusion() {
        for (const char* list :
             {"serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs"})
            if (bgp_.configuration->spec.size(list) != 0) {
                for (const BgpNode& node : bgp_.nodes)
                    if (const auto value = node.labels.find(kExclude); value && *value != "true")
                        out_.report(Code::ExclusionValue, node.span, {node.name, kExclude})
                            .about("Node " + node.name)
                            .with_label(bgp_.configuration->spec.span(list),
                                        "services are announced");
                return;
            }
    }

    const Bgp& bgp_;
    Diagnostics& out_;
    std::set<std::string> used_filters_;
};

} // namespace

void check_bgp_surprises(const Bgp& bgp, Diagnostics& out) {
    Surprises(bgp, out).run();
}

} // namespace polecat::lint
