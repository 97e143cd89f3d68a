#include "driver/verify/filter_differences.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "backends/iptables/layout.h"
#include "backends/iptables/plan.h"
#include "driver/rollout/filter.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

constexpr net::Family kBothFamilies[] = {net::Family::V4, net::Family::V6};

const char* family_words(net::Family family) {
    return family == net::Family::V4 ? "" : " (IPv6)";
}

std::string names_of_programs(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& each : names)
        out += (out.empty() ? "" : " and ") + each;
    return out.empty() ? "none" : out;
}

/// "ingress[0] of NetworkPolicy shop/db: -p tcp -j RETURN"; of rules of the frame without a colon.
std::string words_of(iptables::Rule rule) {
    const std::string what = std::exchange(rule.comment, {});
    const std::size_t slot = what.starts_with("slot ") ? what.find(": ") : std::string::npos;
    const std::string by = slot == std::string::npos ? what : what.substr(slot + 2);
    return (by.empty() ? "" : by + ": ") + iptables::rule_text(rule);
}

/// What tells a rule from those of another program: not which number or program it has.
std::string said_by_rule(iptables::Rule rule, const std::string& program) {
    if (rule.target.kind == iptables::Target::Kind::Log)
        rule.target.name.clear();
    if (const std::size_t at = rule.target.name.find(program); at != std::string::npos)
        rule.target.name.erase(at, program.size());
    return words_of(std::move(rule));
}

/// Whose rules say for packets in a flow's own direction what they are of.
std::vector<std::string> rules_of_program(const iptables::Ruleset& rules,
                                          const std::string& program) {
    std::vector<std::string> out;
    for (const net::Family family : kBothFamilies)
        for (const iptables::Chain& chain : rules.table(family).chains)
            if (program_of_chain(chain.name) == program && !chain.name.ends_with('r') &&
                !chain.name.ends_with('t'))
                for (const iptables::Rule& rule : chain.rules)
                    if (!rule.comment.empty())
                        out.push_back(said_by_rule(rule, program));
    return out;
}

/// The first that the others lack; empty: none.
std::string first_missing(const std::vector<std::string>& of,
                          const std::vector<std::string>& others) {
    const std::set<std::string> there(others.begin(), others.end());
    const auto found =
        std::find_if(of.begin(), of.end(), [&](const auto& each) { return !there.contains(each); });
    return found == of.end() ? "" : *found;
}

/// By which programs an address of a pod is judged.
struct Judged {
    bool is_known = false; ///< whether it may send at all
    std::set<std::string> egress, ingress;
    bool operator==(const Judged&) const = default;
};
using PodPlace = std::pair<std::string, net::Cidr>; ///< interface first

class FilterComparison {
  public:
    FilterComparison(const iptables::Ruleset& rules, const iptables::Ruleset& policy,
                     const NameAt& name_at)
        : rules_(rules), policy_(policy), name_at_(name_at) {}

    std::vector<Difference> run() {
        compare_pods();
        for (const net::Family family : kBothFamilies)
            compare_chains(family);
        compare_sets();
        return std::move(out_);
    }

  private:
    void say(std::string what, std::string interface = {}) {
        out_.push_back({std::move(interface), std::move(what), {}});
    }
    std::string named(const net::Cidr& nets) const {
        const std::string name =
            nets.prefix == net::width(nets.family()) ? name_at_(nets.base) : "";
        const std::string text = nets.prefix == net::width(nets.family())
                                     ? net::to_string(nets.base)
                                     : net::to_string(nets);
        return name.empty() ? text : fmt::format("{} ({})", name, text);
    }

    // --- pods ------------------------------------------------------------------------------------

    /// Sets that rules ask for who runs a program: others may have been left by an earlier policy.
    static std::set<std::string> dispatching(const iptables::Ruleset& rules) {
        std::set<std::string> out;
        for (const net::Family family : kBothFamilies)
            for (const char* name :
                 {"polecat-from", "polecat-from-r", "polecat-to", "polecat-to-r"})
                if (const iptables::Chain* chain = rules.table(family).find(name))
                    for (const iptables::Rule& rule : chain->rules)
                        if (const auto* in = iptables::match_of<iptables::InSet>(rule))
                            out.insert(in->set);
        return out;
    }

    static std::map<PodPlace, Judged> pods_of(const iptables::Ruleset& rules,
                                              const iptables::Ruleset& other) {
        namespace layout = iptables::filter_layout;
        const std::set<std::string> asked = dispatching(rules);
        std::map<PodPlace, Judged> out;
        for (const iptables::Set& set : rules.sets) {
            if (set.type != iptables::Set::Type::NetInterfaces ||
                (!asked.contains(set.name) && other.find_set(set.name) == nullptr))
                continue;
            const std::string program = program_of_set(set.name);
            const bool egress = set.name == layout::runs_set(program, true, set.family);
            for (const iptables::Member& each : set.members) {
                Judged& pod = out[{each.interface, each.nets}];
                if (set.name == layout::pods_set(set.family))
                    pod.is_known = true;
                else
                    (egress ? pod.egress : pod.ingress).insert(program);
            }
        }
        return out;
    }

    void compare_pods() {
        const auto rules = pods_of(rules_, policy_), policy = pods_of(policy_, rules_);
        for (const auto& [place, wanted] : policy)
            if (const auto held = rules.find(place); held == rules.end()) {
                say(named(place.second) + " is missing", place.first);
                tell(wanted);
            } else if (held->second != wanted) {
                compare_pod(place, held->second, wanted);
            }
        for (const auto& [place, held] : rules)
            if (!policy.contains(place)) {
                say(named(place.second) + " is let in here, and the policy has no such pod",
                    place.first);
                tell(held);
            }
    }

    void tell(const Judged& pod) {
        told_.insert(pod.egress.begin(), pod.egress.end());
        told_.insert(pod.ingress.begin(), pod.ingress.end());
    }

    void compare_pod(const PodPlace& place, const Judged& held, const Judged& wanted) {
        tell(held);
        tell(wanted);
        const std::string name = named(place.second);
        if (held.is_known != wanted.is_known)
            say(held.is_known ? name + " may send, and the policy does not know it"
                              : name + " is not in the set of those that may send",
                place.first);
        for (const auto& [direction, rules, policy] :
             {std::tuple{"egress", &held.egress, &wanted.egress},
              std::tuple{"ingress", &held.ingress, &wanted.ingress}})
            if (*rules != *policy)
                say(fmt::format("{} of {}: {}", direction, name, programs_differ(*rules, *policy)),
                    place.first);
    }

    std::string programs_differ(const std::set<std::string>& rules,
                                const std::set<std::string>& policy) const {
        std::string out = fmt::format("the rules run program {}, the policy has {}",
                                      names_of_programs(rules), names_of_programs(policy));
        if (rules.size() != 1 || policy.size() != 1)
            return out;
        const auto held = rules_of_program(rules_, *rules.begin()),
                   wanted = rules_of_program(policy_, *policy.begin());
        const std::string more = first_missing(held, wanted), less = first_missing(wanted, held);
        if (!more.empty())
            out += "; only the rules have `" + more + "`";
        if (!less.empty())
            out += "; only the policy has `" + less + "`";
        return more.empty() && less.empty() ? out + "; the same rules, or in another order" : out;
    }

    // --- chains ----------------------------------------------------------------------------------

    /// Whether a chain is of a program that the other side knows nothing of: who runs it is told.
    static bool is_foreign(const iptables::Chain& chain, const iptables::Table& other) {
        const std::string program = program_of_chain(chain.name);
        return !program.empty() && std::none_of(other.chains.begin(), other.chains.end(),
                                                [&](const iptables::Chain& each) {
                                                    return program_of_chain(each.name) == program;
                                                });
    }

    void compare_chains(net::Family family) {
        const auto &rules = rules_.table(family), &policy = policy_.table(family);
        for (const iptables::Chain& chain : policy.chains)
            if (const iptables::Chain* held = rules.find(chain.name, chain.table); held != nullptr)
                compare_chain(*held, chain, family);
        for (const iptables::Chain& chain : policy.chains)
            if (rules.find(chain.name, chain.table) == nullptr &&
                !(is_foreign(chain, rules) && told_.contains(program_of_chain(chain.name))))
                say(fmt::format("{} is missing", chain_words(chain, family)));
        for (const iptables::Chain& chain : rules.chains)
            if (policy.find(chain.name, chain.table) == nullptr && !is_foreign(chain, policy))
                say(fmt::format("{} is there, and the policy has none",
                                chain_words(chain, family)));
    }

    static std::string chain_words(const iptables::Chain& chain, net::Family family) {
        return fmt::format("chain {} of table {}{}", chain.name, iptables::to_string(chain.table),
                           family_words(family));
    }

    /// Without rules that ask who runs a program that the other side does not have.
    static std::vector<iptables::Rule> comparable(const iptables::Chain& chain,
                                                  const iptables::Ruleset& other) {
        std::vector<iptables::Rule> out = iptables::unnumbered(chain).rules;
        std::erase_if(out, [&](const iptables::Rule& rule) {
            const auto* in = iptables::match_of<iptables::InSet>(rule);
            return in != nullptr && !program_of_set(in->set).empty() &&
                   other.find_set(in->set) == nullptr;
        });
        return out;
    }

    void compare_chain(const iptables::Chain& held, const iptables::Chain& wanted,
                       net::Family family) {
        const auto rules = comparable(held, policy_), policy = comparable(wanted, rules_);
        if (rules == policy)
            return;
        const auto [more, less] =
            std::mismatch(rules.begin(), rules.end(), policy.begin(), policy.end());
        const auto words = [](auto rule, const auto& of) {
            return rule == of.end() ? "nothing" : "`" + words_of(*rule) + "`";
        };
        std::string out =
            fmt::format("{}: rule {} is {}, the policy has {}", chain_words(wanted, family),
                        more - rules.begin() + 1, words(more, rules), words(less, policy));
        if (more != rules.end() && less != policy.end())
            if (const std::string one = program_of_chain(more->target.name),
                other = program_of_chain(less->target.name);
                one != other && !one.empty() && !other.empty()) {
                out += ": " + programs_differ({one}, {other});
                told_.insert({one, other});
            }
        say(std::move(out));
    }

    // --- sets ------------------------------------------------------------------------------------

    void compare_sets() {
        for (const iptables::Set& set : policy_.sets) {
            const iptables::Set* held = rules_.find_set(set.name);
            if (held == nullptr && !told_.contains(program_of_set(set.name)))
                say(set_words(set) + " is missing");
            else if (held != nullptr && (held->type != set.type || held->family != set.family))
                say(set_words(set) + " is of another type");
            else if (held != nullptr && set.type != iptables::Set::Type::NetInterfaces) {
                say_members(set, "lacks", set.members, held->members);
                say_members(set, "has more than it should:", held->members, set.members);
            }
        }
        for (const iptables::Set& set : rules_.sets)
            if (policy_.find_set(set.name) == nullptr && program_of_set(set.name).empty())
                say(set_words(set) + " is there, and the policy has none");
    }

    static std::string set_words(const iptables::Set& set) {
        return "set " + set.name + (set.what.empty() ? "" : " (" + set.what + ")");
    }

    void say_members(const iptables::Set& set, const char* verb,
                     const std::vector<iptables::Member>& of,
                     const std::vector<iptables::Member>& others) {
        std::vector<iptables::Member> found;
        std::set_difference(of.begin(), of.end(), others.begin(), others.end(),
                            std::back_inserter(found));
        if (found.empty())
            return;
        std::string first = named(found.front().nets);
        if (found.front().port != 0)
            first += fmt::format(" {} {}", net::to_string_protocol(found.front().protocol),
                                 found.front().port);
        say(fmt::format("{} {} {}{}", set_words(set), verb, first,
                        found.size() == 1 ? "" : fmt::format(" and {} more", found.size() - 1)));
    }

    const iptables::Ruleset &rules_, &policy_;
    const NameAt& name_at_;
    std::set<std::string> told_; ///< programs of which was said who runs them
    std::vector<Difference> out_;
};

/// What is compared of them.
iptables::Ruleset without_numbers(iptables::Ruleset rules) {
    for (iptables::Set& set : rules.sets)
        set.what.clear();
    for (iptables::Table* table : {&rules.v4, &rules.v6}) {
        table->hooks.reset();
        for (iptables::Chain& chain : table->chains)
            chain = iptables::unnumbered(std::move(chain));
    }
    return rules;
}

} // namespace

std::vector<Difference> filter_differences(const iptables::Ruleset& rules,
                                           const iptables::Ruleset& policy, const NameAt& name_at) {
    if (without_numbers(rules) == without_numbers(policy))
        return {};
    auto out = FilterComparison(rules, policy, name_at).run();
    if (out.empty()) // of what nobody runs
        out.push_back({"", "chains or sets are not those of the policy", {}});
    return out;
}

std::vector<Difference> hook_differences(const iptables::Ruleset& listed,
                                         const iptables::Ruleset& policy) {
    std::vector<Difference> out;
    for (const net::Family family : kBothFamilies) {
        const auto wanted = iptables::hooks_of(policy.table(family));
        const auto held = listed.table(family).hooks.value_or(std::vector<iptables::HookRule>{});
        const auto same = [](const iptables::HookRule& one) {
            return [&one](const iptables::HookRule& other) {
                return std::tie(one.table, one.of, one.chain) ==
                       std::tie(other.table, other.of, other.chain);
            };
        };
        const auto say = [&](const iptables::HookRule& hook, const char* what) {
            out.push_back({"",
                           fmt::format("`-A {} -j {}` of table {}{} {}", hook.of, hook.chain,
                                       iptables::to_string(hook.table), family_words(family), what),
                           {}});
        };
        for (const iptables::HookRule& hook : wanted)
            if (const auto found = std::find_if(held.begin(), held.end(), same(hook));
                found == held.end())
                say(hook, "is missing: packets come to no rule of ours");
            else if (!found->is_first)
                say(hook, "is not the first rule: those before it may let packets past policy");
        for (const iptables::HookRule& hook : held)
            if (std::none_of(wanted.begin(), wanted.end(), same(hook)))
                say(hook, "is there, and the policy has none");
    }
    return out;
}

std::size_t take_left_over(iptables::Ruleset& listed, const iptables::Ruleset& policy) {
    std::size_t out = std::erase_if(listed.sets, [&](const iptables::Set& set) {
        return policy.find_set(set.name) == nullptr;
    });
    for (const net::Family family : kBothFamilies)
        out += std::erase_if(listed.table(family).chains, [&](const iptables::Chain& chain) {
            return policy.table(family).find(chain.name, chain.table) == nullptr;
        });
    return out;
}

} // namespace polecat::driver
