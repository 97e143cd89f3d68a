// Ingress rules with a port at which none of the policy's pods listens, while what their service
// leads to stays closed: a number that is wrong.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/services/front_ports.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using decision::ObjectId;
using policy::Policy;
using policy::Port;

namespace {

class DeafPortsChecker {
  public:
    DeafPortsChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), fronts_(context) {
        for (const policy::Workload& each : context.cluster.workloads)
            workloads_.emplace(each.meta.span, &each);
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            const auto& ports = view.rule.destination.ports;
            if (view.direction != Direction::Ingress || view.rule.action != policy::Action::Allow ||
                ports.empty() || *view.policy.pre_dnat || *view.policy.do_not_track ||
                policy::peers_of(view.rule.destination, ""))
                return;
            for (const Port& port : ports)
                if (const auto* range = std::get_if<net::PortRange>(&port.value);
                    range != nullptr && range->first == range->last)
                    check(view, port, range->first);
        });
    }

  private:
    void check(const RuleView& view, const Port& port, std::uint16_t number) {
        const net::Protocol protocol =
            view.rule.protocol ? **view.rule.protocol : net::Protocol{net::kTcp};
        std::set<std::string> led_to, names;
        for (const ObjectId id : context_.select(policy::subject_of(view.policy))) {
            const auto found = workloads_.find(context_.object(id).span);
            if (found == workloads_.end() || !declares_others(*found->second, protocol, number))
                return;
            names.insert(context_.object(id).name);
            for (const FrontPort* front : fronts_.of(id)) {
                if (front->kind == FrontPort::Kind::NodePort && front->port == number)
                    return; // told as that
                if (front->kind != FrontPort::Kind::Service || front->protocol != protocol)
                    continue;
                if (front->target == number || front->port == number || is_open(id, *front))
                    return; // right, told as a service's port, or not what this rule is for
                led_to.insert(fmt::format("service {} leads to {}", front->owner, front->target));
            }
        }
        const auto known =
            led_to.empty() ? std::nullopt : context_.extent.known_endpoints_of(view.policy);
        if (!known)
            return;
        out_.report(Code::DeafPort, port.span.known() ? port.span : view.rule.span,
                    {rule_name(view), std::to_string(number), listed({names.begin(), names.end()})})
            .about(name_of(view.policy))
            .with_fact("port", std::to_string(number))
            .with_note(listed({led_to.begin(), led_to.end()}, 4) +
                       ", and no rule lets anybody in there")
            .with_note("assumes that " + *known);
    }

    /// Its containers declare ports of the protocol, and another one than that.
    static bool declares_others(const policy::Workload& workload, net::Protocol protocol,
                                std::uint16_t number) {
        bool any = false;
        for (const policy::EndpointPort& each : workload.listens) {
            if (each.protocol == protocol && each.port == number)
                return false;
            any = any || each.protocol == protocol;
        }
        return any;
    }

    /// Some rule lets somebody in to where the service leads.
    bool is_open(ObjectId id, const FrontPort& front) {
        if (!rules_)
            find_rules();
        const auto found = rules_->find(id);
        return found != rules_->end() &&
               std::any_of(found->second.begin(), found->second.end(),
                           [&](const policy::Rule* rule) { return lets_in(*rule, front); });
    }

    void find_rules() {
        std::map<const Policy*, std::vector<const policy::Rule*>> by_policy;
        each_rule(context_, [&](const RuleView& view) {
            if (view.direction == Direction::Ingress && view.rule.action != policy::Action::Log)
                by_policy[&view.policy].push_back(&view.rule);
        });
        rules_.emplace();
        for (const auto& [policy, rules] : by_policy)
            for (const ObjectId id : context_.select(policy::subject_of(*policy))) {
                auto& all = (*rules_)[id];
                all.insert(all.end(), rules.begin(), rules.end());
            }
    }

    static bool lets_in(const policy::Rule& rule, const FrontPort& front) {
        const auto& ports = rule.destination.ports;
        return (!rule.protocol || **rule.protocol == front.protocol) &&
               (ports.empty() || std::any_of(ports.begin(), ports.end(), [&](const Port& port) {
                    const auto* range = std::get_if<net::PortRange>(&port.value);
                    return range == nullptr ||
                           (range->first <= front.target && front.target <= range->last);
                }));
    }

    Context& context_;
    Diagnostics& out_;
    const FrontPorts fronts_;
    std::map<Span, const policy::Workload*> workloads_; ///< by the place of their name
    /// Ingress rules that govern each, made when first asked for.
    std::optional<std::map<ObjectId, std::vector<const policy::Rule*>>> rules_;
};

} // namespace

void check_deaf_ports(Context& context, Diagnostics& out) {
    DeafPortsChecker(context, out).run();
}

} // namespace polecat::lint
