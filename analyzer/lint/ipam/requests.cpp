// Who asks for addresses: annotations of the CNI plugin that it refuses, pools that pods can't
// leave the cluster from, rules that mean pods by their address. Sources: cni-plugin/pkg/k8s,
// libcalico-go/lib/ipam.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "ir/net/special.h"
#include "ir/policy/felix.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using net::AddressSet;
using net::Family;

namespace {

class IpamRequestsChecker {
  public:
    IpamRequestsChecker(Context& context, Diagnostics& out)
        : context_(context), cluster_(context.cluster), out_(out), pools_(pools_of(cluster_)),
          requests_(requests_of(cluster_)) {}

    void run() {
        if (calico_gives_addresses(cluster_))
            for (const AddressRequest& request : requests_)
                check(request);
        for (const Pool& pool : pools_)
            no_way_back(pool);
        each_rule(context_, [&](const RuleView& view) {
            nets_in_pools(view, view.rule.source);
            nets_in_pools(view, view.rule.destination);
        });
    }

  private:
    diag::Diagnostic& report(Code code, const AddressRequest& request,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, request.span, args).about(request.object);
    }

    // --- annotations -----------------------------------------------------------------------------

    void check(const AddressRequest& request) {
        if (!request.understood)
            return;
        if (!request.items) {
            report(Code::RequestMalformed, request,
                   {"cni.projectcalico.org/" + request.annotation, request.text})
                .with_hint("write it as '[\"a\", \"b\"]'");
            return;
        }
        const bool by_address =
            request.annotation == "ipAddrs" || request.annotation == "floatingIPs";
        for (const std::string& item : *request.items)
            if (by_address)
                check_address(request, item);
            else
                check_pool(request, item,
                           request.annotation == "ipv4pools" ? Family::V4 : Family::V6);
        if (request.annotation == "floatingIPs")
            check_floating(request);
    }

    void check_pool(const AddressRequest& request, const std::string& asked, Family family) {
        const bool by_cidr = net::parse_cidr(asked, net::CidrForm::Masked).has_value();
        const Pool* found = pool_asked_for(pools_, asked);
        if (found == nullptr) {
            if (all_known(family, by_cidr) && !made_by_calico(asked))
                unknown_pool(request, asked);
            return;
        }
        if (found->disabled)
            report(Code::PoolDisabled, request, {asked, request.object})
                .with_label(found->span, "the pool");
        else if (found->cidr.family() != family)
            unfit(request, asked, *found,
                  family == Family::V4 ? "is a pool of IPv6" : "is a pool of IPv4");
        else if (!found->for_pods)
            unfit(request, asked, *found, "is not for pods: allowedUses lacks Workload");
    }

    void unfit(const AddressRequest& request, const std::string& asked, const Pool& pool,
               const char* why) {
        report(Code::PoolUnfit, request, {request.object, asked, why})
            .with_label(pool.span, "the pool");
    }

    void unknown_pool(const AddressRequest& request, const std::string& asked) {
        std::vector<std::string_view> names;
        for (const Pool& pool : pools_)
            names.push_back(pool.name);
        auto& diagnostic = report(Code::PoolUnknown, request, {request.object, asked});
        if (const auto near = diag::nearest(asked, names))
            diagnostic.with_hint("did you mean `" + *near + "`?");
        else
            diagnostic.with_hint("its pods get no address: add the IPPool");
    }

    /// Whether a pool that is not in the input can't be there: some of its family are, and each of
    /// them has a name.
    bool all_known(Family family, bool by_cidr) const {
        bool any = false;
        for (const Pool& pool : pools_) {
            any = any || pool.cidr.family() == family;
            if (pool.name.empty() && !by_cidr)
                return false;
        }
        return any;
    }

    /// Pools that calico-node and the operator make when there is none.
    static bool made_by_calico(const std::string& name) {
        return name == "default-ipv4-ippool" || name == "default-ipv6-ippool";
    }

    void check_address(const AddressRequest& request, const std::string& text) {
        const auto address = net::parse_address(text);
        if (!address) {
            report(Code::RequestedAddress, request, {request.object, text, "is no IP address"});
            return;
        }
        const Pool* disabled = nullptr;
        for (const Pool& pool : pools_) {
            if (!pool.cidr.contains(*address))
                continue;
            if (!pool.disabled)
                return;
            disabled = &pool;
        }
        if (disabled != nullptr && request.annotation == "ipAddrs")
            report(Code::RequestedAddress, request,
                   {request.object, text, "lies in the disabled pool " + disabled->shown()})
                .with_label(disabled->span, "the pool");
        else if (disabled == nullptr && all_known(address->family, true))
            report(Code::RequestedAddress, request, {request.object, text, "lies in no pool"});
    }

    /// Felix ignores them unless told otherwise.
    void check_floating(const AddressRequest& request) {
        const policy::OtherObject* felix = policy::default_felix(cluster_);
        if (felix != nullptr && !felix->spec.is("floatingIPs", "Enabled"))
            report(Code::FloatingOff, request, {request.object})
                .with_label(felix->meta.span, "does not say floatingIPs: Enabled")
                .with_fix(enable_floating(*felix));
    }

    static std::optional<diag::Fix> enable_floating(const policy::OtherObject& felix) {
        if (felix.spec.has("floatingIPs")) // it was somebody's choice
            return std::nullopt;
        return diag::add_to_object(felix.meta.span, "spec", "{floatingIPs: Enabled}",
                                   "enable floating addresses");
    }

    // --- out of the cluster ----------------------------------------------------------------------

    /// Pods of a private pool that policy lets out to the internet, and whose address nothing
    /// translates. Where BGP tells routers outside of the pods, those may translate.
    void no_way_back(const Pool& pool) {
        if (pool.nat_outgoing || pool.disabled || !pool.for_pods ||
            !net::private_addresses().contains(AddressSet::of(pool.cidr)) || peers_outside())
            return;
        // The cluster's repository has no pods, and policies of other repositories let them out.
        if (!has_pods())
            return report_for_all(pool);
        auto& ends = context_.ends(pool.cidr.family());
        std::vector<std::string> leaving;
        bool any = false, any_isolated = false; // of the pool's pods
        for (std::uint32_t i = 0; i < ends.list().size(); ++i) {
            const analyzer::EndGroup& group = ends.list()[i];
            if (group.is_outside() || !group.egress)
                continue;
            std::vector<std::string> here;
            for (const decision::ObjectId id : group.objects)
                if (lives_in(context_.object(id), pool))
                    here.push_back(context_.object(id).name);
            any = any || !here.empty();
            if (here.empty() || !isolated(group))
                continue;
            any_isolated = true;
            if (may_leave(ends, i))
                leaving.insert(leaving.end(), here.begin(), here.end());
        }
        if (!leaving.empty())
            report_no_nat(pool, listed(leaving));
        else if (any && !any_isolated)
            report_for_all(pool);
    }

    /// Nobody keeps pods inside, as far as the input shows.
    void report_for_all(const Pool& pool) {
        auto& diagnostic = report_no_nat(pool, "pods of the cluster");
        if (pool.nat_said) // somebody's choice
            diagnostic.severity = diag::Severity::Note;
    }

    diag::Diagnostic& report_no_nat(const Pool& pool, const std::string& who) {
        return out_.report(Code::NoNatOutgoing, pool.span, {pool.shown(), who})
            .about(pool.object)
            .with_hint("set natOutgoing, unless routers outside translate pods' addresses")
            .with_fix(translate(pool));
    }

    /// Pods with addresses of pools, other than those that the cluster itself runs on.
    bool has_pods() const {
        const auto& workloads = cluster_.workloads;
        return std::any_of(workloads.begin(), workloads.end(), [](const policy::Workload& each) {
            return !each.host_network && !is_system_namespace(each.meta.space);
        });
    }

    /// Where `false` is written, it was somebody's choice.
    static std::optional<diag::Fix> translate(const Pool& pool) {
        if (pool.nat_said)
            return std::nullopt;
        return diag::add_to_mapping(pool.span, "", "{natOutgoing: true}",
                                    "translate what leaves the cluster");
    }

    bool peers_outside() const {
        return std::any_of(cluster_.others.begin(), cluster_.others.end(),
                           [](const auto& each) { return each.kind == "BGPPeer"; });
    }

    /// Somebody thought of what the endpoint may send.
    bool isolated(const analyzer::EndGroup& group) const {
        for (const Family family : {Family::V4, Family::V6}) {
            const auto* program = context_.lowered.find(
                group.objects.front(), decision::Direction::Egress, decision::Hook::Normal, family);
            if (program != nullptr && program->slots.any_enforced())
                return true;
        }
        return false;
    }

    bool may_leave(analyzer::EndGroups& ends, std::uint32_t group) {
        auto& view = context_.view(*ends.list()[group].egress);
        for (std::uint32_t i = 0; i < ends.list().size(); ++i)
            if (ends.list()[i].is_outside() &&
                !net::special_addresses().contains(ends.list()[i].outside) &&
                view.between(ends.identity(group), ends.identity(i)).sure != 0)
                return true;
        return false;
    }

    bool lives_in(const decision::Object& object, const Pool& pool) const {
        if (object.kind != decision::Object::Kind::Workload)
            return false;
        if (!object.addresses_known)
            return requests_.empty() && is_only(pool);
        return std::any_of(object.addresses.begin(), object.addresses.end(),
                           [&](const net::Address& each) { return pool.cidr.contains(each); });
    }

    /// Gives every pod its address of the family.
    bool is_only(const Pool& pool) const {
        return pool.serves() && std::count_if(pools_.begin(), pools_.end(), [&](const Pool& each) {
                                    return each.serves() &&
                                           each.cidr.family() == pool.cidr.family();
                                }) == 1;
    }

    // --- rules -----------------------------------------------------------------------------------

    /// A part of a pool, other than one that pods were given on request.
    void nets_in_pools(const RuleView& view, const policy::EntityRule& end) {
        for (const At<net::Cidr>& net : end.nets)
            for (const Pool& pool : pools_)
                if (!pool.disabled && pool.for_pods && pool.cidr.contains(net->base) &&
                    net->prefix > pool.cidr.prefix && !is_pool(*net) && !asked_for(*net) &&
                    !is_of_tunnel(*net))
                    out_.report(Code::NetsInPool, net.span, {net::to_string(*net), pool.shown()})
                        .about(name_of(view.policy))
                        .with_label(pool.span, "the pool")
                        .with_hint("select pods by label: an address is given to another pod "
                                   "tomorrow");
    }

    bool is_pool(const net::Cidr& cidr) const {
        return std::any_of(pools_.begin(), pools_.end(),
                           [&](const Pool& each) { return each.cidr == cidr; });
    }

    /// The address of a node's tunnel, which IPAM takes out of a pool: what the node sends has it.
    bool is_of_tunnel(const net::Cidr& cidr) const {
        const auto& nodes = context_.lowered.nodes;
        return cidr.prefix == net::width(cidr.family()) &&
               std::any_of(nodes.begin(), nodes.end(), [&](const decision::NodeInfo& node) {
                   const auto& list = node.tunnel_addresses;
                   return std::any_of(list.begin(), list.end(), [&](const auto& tunnel) {
                       return tunnel.second == cidr.base;
                   });
               });
    }

    bool asked_for(const net::Cidr& cidr) const {
        for (const AddressRequest& request : requests_)
            if (request.annotation == "ipAddrs" && request.items)
                for (const std::string& item : *request.items)
                    if (const auto address = net::parse_address(item))
                        if (cidr.contains(*address))
                            return true;
        return false;
    }

    Context& context_;
    const policy::Cluster& cluster_;
    Diagnostics& out_;
    const std::vector<Pool> pools_;
    const std::vector<AddressRequest> requests_;
};

} // namespace

void check_ipam_requests(Context& context, Diagnostics& out) {
    IpamRequestsChecker(context, out).run();
}

} // namespace polecat::lint
