// Default deny that forgets DNS: the most frequent way to break an application with policy.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/egress_fixes.h"
#include "analyzer/lint/rules/dns_lookups.h"
#include "analyzer/lint/rules/failed_dns_rules.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Identity;
using decision::Object;
using decision::Program;

namespace {

class DnsChecker {
  public:
    DnsChecker(Context& context, net::Family family, Diagnostics& out)
        : context_(context), family_(family), out_(out), ends_(context.ends(family)),
          lookups_(context, ends_), servers_(lookups_.servers()),
          failed_(context, out, [this](const policy::Port& port) { return is_of_dns(port); }) {
        for (const policy::Workload& each : context.cluster.workloads)
            if (each.dns_policy == "Default" || each.dns_policy == "None")
                with_own_resolvers_.insert(each.meta.span);
    }

    void run() {
        std::map<std::pair<std::uint32_t, Identity>, Lookups> known;
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i) {
            const analyzer::EndGroup& group = ends_.list()[i];
            // A host asks by failsafe ports, and rarely the cluster's DNS.
            if (!group.egress || servers_.groups.contains(i) || is_host(context_, group))
                continue;
            auto& view = context_.view(*group.egress);
            const auto [place, added] =
                known.try_emplace({group.egress->value, view.own(ends_.identity(i))});
            if (added)
                place->second = lookups_.of(view, place->first.second);
            if (place->second.needs_names)
                note(group, place->second);
        }
        report(Code::DnsMissing, without_udp_);
        report(Code::DnsTcpMissing, without_tcp_);
        report(Code::NodeLocalDnsMissed, without_local_);
        tell_at_slips();
    }

  private:
    struct Hit {
        decision::PolicyBlock policy;
        std::vector<std::string> endpoints;
        std::vector<decision::ObjectId> objects;
        bool sure = true; ///< the resolvers that they ask are known
    };
    using Hits = std::map<policy::PolicyName, Hit>;

    void note(const analyzer::EndGroup& group, const Lookups& lookups) {
        for (const decision::ObjectId id : group.objects) {
            const auto* program = program_of(id);
            if (program == nullptr)
                continue;
            const bool asks_elsewhere = with_own_resolvers_.contains(context_.object(id).span);
            const bool sure = !asks_elsewhere && !servers_.groups.empty();
            const Lookups::Ways ways =
                lookups.pods | lookups.local | (sure ? Lookups::Ways{} : lookups.elsewhere);
            if (lookups_.has_node_local() && lookups.pods.udp && !lookups.local.udp)
                note(id, *program, sure, without_local_);
            // Who lets it ask others may have given it these in a way that no manifest shows.
            if (!ways.udp || !ways.tcp)
                note(id, *program, sure && !lookups.chosen.udp,
                     ways.udp ? without_tcp_ : without_udp_);
        }
    }

    void note(decision::ObjectId id, const decision::GroupProgram& program, bool sure, Hits& hits) {
        if (&hits == &without_udp_)
            if (const auto slip = failed_.slip_of(program))
                return cut_off_[*slip].push_back(context_.object(id).name);
        const decision::PolicyBlock& policy = isolating(program);
        Hit& hit = hits[policy.policy];
        hit.policy = policy;
        hit.endpoints.push_back(context_.object(id).name);
        hit.objects.push_back(id);
        hit.sure = hit.sure && sure;
    }

    /// Of an endpoint that policies govern. One family is enough to ask over; who has both asks
    /// over IPv4.
    const decision::GroupProgram* program_of(decision::ObjectId id) const {
        if (family_ == net::Family::V6 && context_.ends(net::Family::V4).group_of(id))
            return nullptr;
        const auto* program =
            context_.lowered.find(id, decision::Direction::Egress, decision::Hook::Normal, family_);
        return program == nullptr || program->slots.policies().empty() ? nullptr : program;
    }

    /// The last policy that has a say: what it does not allow is denied.
    const decision::PolicyBlock& isolating(const decision::GroupProgram& program) const {
        const Program& of = context_.lowered.program(program.program);
        const decision::PolicyBlock* found = &program.slots.policies().front();
        for (const decision::PolicyBlock& each : program.slots.policies())
            if (!each.staged && of.stages[each.stage].end == decision::StageEnd::Deny)
                found = &each;
        return *found;
    }

    std::string server_name() const {
        return servers_.groups.empty()
                   ? "the cluster's DNS"
                   : context_.object(ends_.list()[servers_.groups.begin()->first].objects.front())
                         .name;
    }

    /// One mistake, told where it was made.
    void tell_at_slips() {
        out_.keep_if([&](diag::Diagnostic& each) {
            const auto found = cut_off_.find(each.span);
            if (each.code == Code::SelectorTypo && found != cut_off_.end())
                each.with_note(counted(found->second.size(), "endpoint") +
                               " may send but not ask DNS: " + listed(found->second));
            return true;
        });
    }

    // --- fixes -----------------------------------------------------------------------------------

    /// The endpoints that the policy governs and those of the hit are the same, so that no other
    /// is let out, whatever its family.
    bool governs_only(const policy::PolicyName& key, const Hit& hit) {
        if (governed_.empty())
            for (const decision::Group& group : context_.lowered.groups)
                for (const auto& [of, program] : group.programs)
                    for (const decision::PolicyBlock& each : program.slots.policies())
                        if (of.direction == decision::Direction::Egress && !each.staged)
                            governed_[each.policy].insert(group.members.begin(),
                                                          group.members.end());
        return governed_[key].size() == hit.objects.size();
    }

    /// Hosts mostly ask resolvers outside of the cluster.
    bool of_pods(const Hit& hit) const {
        return std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
            return context_.object(id).kind == Object::Kind::Workload;
        });
    }

    /// No other tier has a say, which would have to let DNS through as well.
    bool in_one_tier(const Hit& hit) const {
        return std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
            const auto& policies = program_of(id)->slots.policies();
            return std::all_of(policies.begin(), policies.end(), [&](const auto& each) {
                return each.staged || each.stage == hit.policy.stage;
            });
        });
    }

    /// Policies that govern every endpoint of the hit.
    std::vector<decision::PolicyBlock> common_policies(const Hit& hit) const {
        std::vector<decision::PolicyBlock> out;
        for (const decision::PolicyBlock& each : program_of(hit.objects.front())->slots.policies())
            if (!each.staged && std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
                    return governs(each.policy, *program_of(id));
                }))
                out.push_back(each);
        return out;
    }

    /// A policy behind may deny DNS, and a rule before it would let that through.
    bool denied_behind(Code code, const policy::PolicyName& key, const Hit& hit) const {
        std::set<const void*> seen;
        for (const decision::ObjectId id : hit.objects) {
            const decision::Attribution& slots = program_of(id)->slots;
            if (!seen.insert(slots.identity()).second)
                continue;
            bool behind = false;
            for (const decision::PolicyBlock& each : slots.policies()) {
                if (behind && !each.staged &&
                    (may_deny_dns(context_.cluster, each, net::kTcp) ||
                     (code == Code::DnsMissing && may_deny_dns(context_.cluster, each, net::kUdp))))
                    return true;
                behind = behind || each.policy == key;
            }
        }
        return false;
    }

    /// Only one edit that is obvious is one.
    std::optional<diag::Fix> fix_of(Code code, const Hit& hit) {
        const DnsPods pods = servers_.pods.value_or(DnsPods{"kube-system", "k8s-app", "kube-dns"});
        // OpenShift's DNS pods listen on another port.
        if (!servers_.one_kind || !servers_.as_usual() || pods.space.empty() ||
            pods.value == "default" || code == Code::NodeLocalDnsMissed || !of_pods(hit) ||
            !in_one_tier(hit))
            return std::nullopt;
        if (code == Code::DnsMissing && governs_only(hit.policy.policy, hit) &&
            !denied_behind(code, hit.policy.policy, hit))
            return allow_dns(context_.cluster, hit.policy, pods);
        std::optional<diag::Fix> out;
        for (const decision::PolicyBlock& each : common_policies(hit)) {
            if (denied_behind(code, each.policy, hit))
                continue;
            auto fix = code == Code::DnsTcpMissing ? allow_dns_tcp(context_.cluster, each, pods)
                       : is_union(each) && governs_only(each.policy, hit)
                           ? allow_dns(context_.cluster, each, pods)
                           : std::nullopt;
            if (fix && out)
                return std::nullopt;
            if (fix)
                out = std::move(fix);
        }
        return out;
    }

    /// Of these it does not matter which of them allows something.
    static bool is_union(const decision::PolicyBlock& policy) {
        return policy.policy.kind == policy::PolicyKind::KubernetesNetworkPolicy;
    }

    static std::string listed_ports(const std::set<std::uint16_t>& ports, const char* protocol) {
        return fmt::format("{}/{}", fmt::join(ports, ", "), protocol);
    }

    std::string hint_of(Code code) const {
        const DnsPods pods = servers_.pods.value_or(DnsPods{"kube-system", "k8s-app", "kube-dns"});
        return code == Code::NodeLocalDnsMissed
                   ? "allow egress to 169.254.20.10/32 on 53/UDP and 53/TCP, or to the address of "
                     "the DNS service, if pods ask there"
                   : fmt::format("allow egress to the DNS pods (namespace {}, label {}: {}) on {} "
                                 "and {}",
                                 pods.space, pods.label, pods.value,
                                 listed_ports(servers_.ports.udp, "UDP"),
                                 listed_ports(servers_.ports.tcp, "TCP"));
    }

    /// Of the node-local cache, or the first of the DNS pods.
    std::string asked_of(Code code) const {
        const DnsPorts& ports = code == Code::NodeLocalDnsMissed || servers_.groups.empty()
                                    ? kUsualDnsPorts
                                    : servers_.groups.begin()->second;
        return code == Code::DnsTcpMissing ? fmt::format("TCP {}", *ports.tcp.begin())
                                           : fmt::format("UDP {}", *ports.udp.begin());
    }

    bool is_of_dns(const policy::Port& port) const {
        const auto* range = std::get_if<net::PortRange>(&port.value);
        return range == nullptr ||
               std::any_of(
                   servers_.ports.udp.begin(), servers_.ports.udp.end(),
                   [&](std::uint16_t each) { return range->first <= each && each <= range->last; });
    }

    /// The rule that lets the question through over UDP, where there is one; else the policy.
    std::pair<Span, std::string> place_of(Code code, const policy::PolicyName& key,
                                          const Hit& hit) const {
        std::pair<Span, std::string> out{hit.policy.span, policy::to_string(key)};
        if (code != Code::DnsTcpMissing)
            return out;
        const auto asks = [&](const policy::Rule& rule) {
            return rule.action == policy::Action::Allow && rule.protocol &&
                   **rule.protocol == net::kUdp &&
                   std::any_of(rule.destination.ports.begin(), rule.destination.ports.end(),
                               [&](const policy::Port& port) { return is_of_dns(port); });
        };
        each_policy(context_, [&](const policy::OrderedTier&, const policy::Policy& policy) {
            const auto rule = std::find_if(policy.egress.begin(), policy.egress.end(), asks);
            if (rule != policy.egress.end() &&
                governs(policy_name(policy), *program_of(hit.objects.front())))
                out = {rule->span, name_of(policy)};
        });
        return out;
    }

    /// Those of one place are one.
    std::map<std::pair<Span, std::string>, Hit> by_place(Code code, const Hits& hits) const {
        std::map<std::pair<Span, std::string>, Hit> out;
        for (const auto& [key, hit] : hits) {
            const auto [at, added] = out.emplace(place_of(code, key, hit), hit);
            if (added)
                continue;
            Hit& all = at->second;
            all.endpoints.insert(all.endpoints.end(), hit.endpoints.begin(), hit.endpoints.end());
            all.objects.insert(all.objects.end(), hit.objects.begin(), hit.objects.end());
            all.sure = all.sure && hit.sure;
        }
        return out;
    }

    /// A policy that doesn't say its namespace may be of any, and lets pods ask DNS.
    bool is_let_by_unplaced() const {
        bool found = false;
        each_policy(context_, [&](const policy::OrderedTier&, const policy::Policy& policy) {
            found = found || (!policy::is_global(policy.kind) && !policy.meta.space_given &&
                              std::any_of(policy.egress.begin(), policy.egress.end(),
                                          [&](const policy::Rule& rule) {
                                              const auto& ports = rule.destination.ports;
                                              return rule.action == policy::Action::Allow &&
                                                     std::any_of(ports.begin(), ports.end(),
                                                                 [&](const policy::Port& port) {
                                                                     return is_of_dns(port);
                                                                 });
                                          }));
        });
        return found;
    }

    void report(Code code, const Hits& hits) {
        const bool unplaced = code == Code::DnsMissing && is_let_by_unplaced();
        for (const auto& [place, hit] : by_place(code, hits)) {
            if (unplaced && hit.policy.policy.space != "default")
                continue;
            auto& diagnostic =
                out_.report(code, place.first,
                            {counted(hit.endpoints.size(), "endpoint"), listed(hit.endpoints)});
            if (code == Code::DnsMissing && !(hit.sure && is_lost_without_names(hit)))
                diagnostic.severity = diag::Severity::Warning;
            diagnostic.about(place.second)
                .with_witness({hit.endpoints.front(),
                               code == Code::NodeLocalDnsMissed ? "169.254.20.10" : server_name(),
                               asked_of(code)});
            const NarrowedRule* narrowed = code == Code::DnsMissing
                                               ? failed_.narrowed(*program_of(hit.objects.front()))
                                               : nullptr;
            if (narrowed != nullptr)
                diagnostic
                    .with_note(fmt::format("rule {} asks the DNS pods for label `{}` too, which "
                                           "they don't have",
                                           narrowed->rule, narrowed->label))
                    .with_hint("labels that a kustomization adds with commonLabels or "
                               "includeSelectors go to the peers of rules as well: use `labels` "
                               "without includeSelectors");
            else
                diagnostic.with_hint(hint_of(code)).with_fix(fix_of(code, hit));
        }
    }

    /// The pods may send to others that policy knows by their labels or services: only names lead
    /// there. Addresses may be given otherwise.
    bool is_lost_without_names(const Hit& hit) {
        const auto names_pods = [](const policy::Rule& rule) {
            const policy::EntityRule& to = rule.destination;
            return rule.action == policy::Action::Allow &&
                   (to.services || policy::peers_of(to, "").has_value());
        };
        if (naming_pods_.empty())
            each_policy(context_, [&](const policy::OrderedTier&, const policy::Policy& policy) {
                naming_pods_[policy_name(policy)] |=
                    std::any_of(policy.egress.begin(), policy.egress.end(), names_pods);
            });
        const auto& policies = program_of(hit.objects.front())->slots.policies();
        return std::any_of(policies.begin(), policies.end(), [&](const auto& each) {
            return !each.staged && naming_pods_[each.policy];
        });
    }

    Context& context_;
    net::Family family_;
    Diagnostics& out_;
    analyzer::EndGroups& ends_;
    DnsLookups lookups_;
    const DnsServers& servers_;
    std::set<Span> with_own_resolvers_; ///< pods that don't ask the cluster's DNS, by their names
    Hits without_udp_, without_tcp_, without_local_;
    const FailedDnsRules failed_;
    std::map<Span, std::vector<std::string>> cut_off_; ///< by a slip in such a rule
    /// Endpoints whose egress a policy governs; and policies with rules towards pods. Filled when
    /// they are asked for.
    std::map<policy::PolicyName, std::set<decision::ObjectId>> governed_;
    std::map<policy::PolicyName, bool> naming_pods_;
};

} // namespace

void check_dns(Context& context, Diagnostics& out) {
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        DnsChecker(context, family, out).run();
}

} // namespace polecat::lint
