// Rules whose own side names somebody else: the destination of what a workload gets, and the source
// of what it sends, is the workload.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using decision::ObjectId;
using policy::EntityRule;
using policy::Policy;
using selector::Selector;

namespace {

class OwnSideChecker {
  public:
    OwnSideChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {
        for (const policy::Workload& each : context.cluster.workloads)
            if (each.pod_annotations.contains("cni.projectcalico.org/allowedSourcePrefixes"))
                sends_for_others_.insert(each.meta.space + "/" + each.meta.name);
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            if (*view.policy.apply_on_forward || *view.policy.pre_dnat || *view.policy.do_not_track)
                return;
            const EntityRule& own =
                view.direction == Direction::Ingress ? view.rule.destination : view.rule.source;
            by_labels(view, own);
            by_addresses(view, own);
        });
    }

  private:
    /// A host endpoint may have several addresses, and sees packets that are for others; some pods
    /// may send from addresses of others. nullopt: the policy governs such, or nothing.
    std::optional<std::vector<ObjectId>> governed(const RuleView& view) {
        std::vector<ObjectId> out;
        for (const ObjectId id : context_.select(policy::subject_of(view.policy))) {
            const Object& object = context_.object(id);
            if (object.kind == Object::Kind::NetworkSet)
                continue;
            if (object.kind == Object::Kind::HostEndpoint ||
                (view.direction == Direction::Egress && sends_for_others_.contains(object.name)))
                return std::nullopt;
            out.push_back(id);
        }
        return out.empty() ? std::nullopt : std::optional(out);
    }

    void by_labels(const RuleView& view, const EntityRule& own) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto named = policy::peers_of(own, space);
        const auto pods = named ? governed(view) : std::nullopt;
        const auto meant = pods ? context_.select(*named) : std::vector<ObjectId>{};
        if (meant.empty()) // said elsewhere
            return;
        if (std::any_of(pods->begin(), pods->end(),
                        [&](ObjectId id) { return may_be_one_of(id, meant); }))
            return;
        const Selector subject = policy::subject_of(view.policy);
        if (analyzer::find_labels({subject, *named}, {}).kind == analyzer::LabelAnswer::Kind::No)
            report(view, own.span, pods->size(), "");
        else if (const auto known = context_.extent.known(Selector::all_of({subject, *named}),
                                                          policy::Ends::Endpoints))
            report(view, own.span, pods->size(), *known);
    }

    /// An address is what every endpoint and network set that has it is.
    bool may_be_one_of(ObjectId id, const std::vector<ObjectId>& meant) const {
        const Object& object = context_.object(id);
        return std::any_of(meant.begin(), meant.end(), [&](ObjectId each) {
            const Object& other = context_.object(each);
            if (each == id || other.kind == Object::Kind::NetworkSet)
                return each == id || !object.addresses_known ||
                       std::any_of(
                           object.addresses.begin(), object.addresses.end(),
                           [&](const auto& address) { return other.nets.contains(address); });
            return std::any_of(object.addresses.begin(), object.addresses.end(),
                               [&](const auto& address) { return has(other, address); });
        });
    }

    static bool has(const Object& object, const net::Address& address) {
        return std::find(object.addresses.begin(), object.addresses.end(), address) !=
               object.addresses.end();
    }

    void by_addresses(const RuleView& view, const EntityRule& own) {
        const auto pods = own.nets.empty() ? std::nullopt : governed(view);
        if (!pods)
            return;
        std::vector<net::Cidr> list;
        for (const At<net::Cidr>& net : own.nets)
            list.push_back(*net);
        const auto nets = net::AddressSet::of(list);
        if (std::any_of(pods->begin(), pods->end(),
                        [&](ObjectId id) { return may_lie_in(context_.object(id), nets); }))
            return;
        if (!may_be_free(nets))
            report(view, own.nets.front().span, pods->size(), "");
        else if (const auto known = context_.extent.known(policy::subject_of(view.policy),
                                                          policy::Ends::Endpoints))
            report(view, own.nets.front().span, pods->size(), *known);
    }

    bool may_lie_in(const Object& object, const net::AddressSet& nets) const {
        if (object.addresses_known)
            return std::any_of(object.addresses.begin(), object.addresses.end(),
                               [&](const net::Address& each) { return nets.contains(each); });
        return may_be_free(nets);
    }

    /// A pod that the input does not show may have such an address: it is in a pool, and it is not
    /// a single one that somebody has.
    bool may_be_free(const net::AddressSet& nets) const {
        const net::AddressSet& pools = context_.lowered.world.pools;
        if (!pools.empty() && !pools.intersects(nets))
            return false;
        return std::any_of(nets.ranges().begin(), nets.ranges().end(), [&](const net::Range& each) {
            return each.first != each.last || !context_.lowered.world.is_held(each.first);
        });
    }

    /// `known`: what that takes for granted; empty: nothing.
    void report(const RuleView& view, const Span& span, std::size_t governed,
                const std::string& known) {
        const bool ingress = view.direction == Direction::Ingress;
        auto& diagnostic =
            out_.report(Code::PeerMatchesNothing, span.known() ? span : view.rule.span,
                        {rule_name(view), ingress ? "destination" : "source",
                         "no endpoint that the policy governs"});
        diagnostic.about(name_of(view.policy))
            .with_note(fmt::format("an {} rule is for packets that come {} the policy's own "
                                   "endpoints, and this names none of them ({})",
                                   ingress ? "ingress" : "egress", ingress ? "to" : "from",
                                   counted(governed, "endpoint")))
            .with_hint(fmt::format("the other end is the {}", ingress ? "source" : "destination"));
        if (!known.empty())
            diagnostic.with_note("assumes that " + known);
    }

    Context& context_;
    Diagnostics& out_;
    /// Pods that may send from addresses that aren't theirs.
    std::set<std::string> sends_for_others_;
};

} // namespace

void check_own_side(Context& context, Diagnostics& out) {
    OwnSideChecker(context, out).run();
}

} // namespace polecat::lint
