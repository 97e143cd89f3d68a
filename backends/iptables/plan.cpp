// Sets first, since rules may ask only those that are there; each change of a member is one of its
// own, so what was judged while they came is judged again by the switch, under the next number.
#include "backends/iptables/plan.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "backends/iptables/crossing.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

namespace {

constexpr const char* kIpset = "ipset restore";

const char* restore_of(net::Family family) {
    return family == net::Family::V4 ? "iptables-restore --noflush" : "ip6tables-restore --noflush";
}

/// Who may send comes last and goes first: predicates (0), who runs which program (1), who is there
/// at all (2).
int rank_of(const Set& set) {
    if (set.name == filter_layout::pods_set(set.family))
        return 2;
    return set.type == Set::Type::NetInterfaces ? 1 : 0;
}

std::vector<Member> missing(const Set& of, const Set& in) {
    std::vector<Member> out;
    std::set_difference(of.members.begin(), of.members.end(), in.members.begin(), in.members.end(),
                        std::back_inserter(out));
    return out;
}

/// Sets that rules of these chains ask.
std::set<std::string> asked_by(const Table& table, std::initializer_list<const char*> chains) {
    std::set<std::string> out;
    for (const char* name : chains)
        if (const Chain* chain = table.find(name))
            for (const Rule& rule : chain->rules)
                if (const auto* in = match_of<InSet>(rule))
                    out.insert(in->set);
    return out;
}
constexpr std::initializer_list<const char*> kDispatch{"polecat-from", "polecat-from-r",
                                                       "polecat-to", "polecat-to-r"};

/// Single addresses that are in any set.
std::set<net::Address> addresses_of(const Ruleset& rules) {
    std::set<net::Address> out;
    for (const Set& set : rules.sets)
        for (const Member& member : set.members)
            if (member.nets.prefix == net::width(set.family))
                out.insert(member.nets.base);
    return out;
}

/// Files of chains don't say them: whoever loads those hooks them.
std::vector<HookRule> held_hooks(const Table& table) {
    return table.hooks ? *table.hooks : hooks_of(table);
}

/// Those that are not among `others`, wherever they stand there.
std::vector<HookRule> lacking(std::vector<HookRule> hooks, const std::vector<HookRule>& others) {
    std::erase_if(hooks, [&](const HookRule& hook) {
        return std::any_of(others.begin(), others.end(), [&](const HookRule& other) {
            return std::tie(hook.table, hook.of, hook.chain) ==
                   std::tie(other.table, other.of, other.chain);
        });
    });
    return hooks;
}

std::string deletions_in(In table, const Table& from, const Table& to) {
    std::string unhooked, flushed, deleted;
    for (const HookRule& hook : lacking(held_hooks(from), hooks_of(to)))
        if (hook.table == table)
            unhooked += fmt::format("-D {} -j {}\n", hook.of, hook.chain);
    for (const Chain& chain : from.chains)
        if (chain.table == table && to.find(chain.name, table) == nullptr) {
            flushed += "-F " + chain.name + "\n";
            deleted += "-X " + chain.name + "\n";
        }
    return unhooked.empty() && flushed.empty()
               ? ""
               : fmt::format("*{}\n{}{}{}COMMIT\n", to_string(table), unhooked, flushed, deleted);
}

class FilterPlanner {
  public:
    FilterPlanner(const Ruleset& from, Ruleset to, bool judges_anew) : from_(from) {
        out_.judges_anew = judges_anew;
        out_.result = std::move(to);
    }

    Plan run() {
        const std::set<net::Address> before = addresses_of(from_), now = addresses_of(out_.result);
        std::set_symmetric_difference(before.begin(), before.end(), now.begin(), now.end(),
                                      std::back_inserter(others_));
        change_sets();
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            out_.judges_anew =
                out_.judges_anew || !changed_chains(family).chains.empty() ||
                !missing_hooks(from_.table(family), out_.result.table(family)).empty();
        find_forgotten();
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            change_over(family);
        leave_sets();
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            delete_chains(family);
        destroy_sets();
        if (!out_.steps.empty())
            out_.steps.front().next_number = out_.judges_anew;
        return std::move(out_);
    }

  private:
    void step(std::string what, std::string command, std::string text) {
        if (!text.empty())
            out_.steps.push_back({std::move(what), std::move(command), std::move(text), work_, {}});
        work_ = {};
    }

    /// Of an address that was nobody's before, or is nobody's now, no flow was judged by another
    /// name.
    void look_at(const Set& set, const Member& member) {
        const bool single = member.nets.prefix == net::width(set.family);
        if (!single || !std::binary_search(others_.begin(), others_.end(), member.nets.base))
            out_.judges_anew = true;
    }

    void change_sets() {
        std::string created, come[3], gone[3];
        for (const Set& set : out_.result.sets) {
            const Set* was = from_.find_set(set.name);
            std::string& to = was == nullptr ? created : come[rank_of(set)];
            if (was == nullptr) {
                created += create_line(set);
                ++work_.maps_in;
            }
            for (const Member& member : was == nullptr ? set.members : missing(set, *was)) {
                to += member_line("add", set, member);
                ++work_.elements_in;
                if (was != nullptr)
                    look_at(set, member);
            }
            if (was == nullptr)
                continue;
            for (const Member& member : missing(*was, set)) {
                look_at(set, member);
                if (moves_to_new_program(set, member)) {
                    left_ += member_line("del", set, member);
                    ++left_work_.elements_out;
                    moving_.insert(set.family);
                    continue;
                }
                gone[rank_of(set)] += member_line("del", set, member);
                ++work_.elements_out;
            }
        }
        step("members of sets come and go", kIpset,
             created + gone[2] + come[0] + come[1] + gone[1] + gone[0] + come[2]);
    }

    /// Whether a pod leaves this program for one that no rule asks yet: until the switch it must
    /// stay where it is.
    bool moves_to_new_program(const Set& set, const Member& member) const {
        if (rank_of(set) != 1)
            return false;
        const std::string start = set.name.substr(0, set.name.rfind('-') + 1);
        const auto asked = asked_by(from_.table(set.family), kDispatch);
        return std::any_of(out_.result.sets.begin(), out_.result.sets.end(), [&](const Set& other) {
            return other.name.starts_with(start) && !asked.contains(other.name) &&
                   std::binary_search(other.members.begin(), other.members.end(), member);
        });
    }

    /// Of a family where pods move to programs that are new: those are asked before what the pods
    /// leave, as long as they are in both.
    void put_new_first(Chain& dispatch, net::Family family) const {
        const auto asked = asked_by(from_.table(family), kDispatch);
        std::stable_partition(dispatch.rules.begin(), dispatch.rules.end(), [&](const Rule& rule) {
            const auto* in = match_of<InSet>(rule);
            return in != nullptr && !asked.contains(in->set);
        });
    }
    static bool is_dispatch(const Chain& chain) {
        return chain.table == In::Filter &&
               std::find(kDispatch.begin(), kDispatch.end(), chain.name) != kDispatch.end();
    }

    /// Pods that moved leave what they ran, and rules that ask for programs have their usual order.
    void leave_sets() {
        work_ = left_work_;
        step("members leave the programs that they ran", kIpset, left_);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            Table usual;
            for (const auto& [of, chain] : reordered_)
                if (of == family) {
                    usual.chains.push_back(chain);
                    work_.rules_in += chain.rules.size();
                    work_.rules_out += chain.rules.size();
                }
            step("the usual order", restore_of(family), print(usual));
        }
    }

    /// Those that are new or say something else.
    Table changed_chains(net::Family family) const {
        Table out;
        for (const Chain& chain : out_.result.table(family).chains) {
            const Chain* was = from_.table(family).find(chain.name, chain.table);
            if (was == nullptr || unnumbered(*was) != chain)
                out.chains.push_back(chain);
        }
        return out;
    }

    void change_over(net::Family family) {
        Table written;
        for (const Chain& chain : out_.result.table(family).chains) {
            const Chain* was = from_.table(family).find(chain.name, chain.table);
            const bool same = was != nullptr && unnumbered(*was) == chain;
            if (same && !(out_.judges_anew && says_number(chain)))
                continue;
            written.chains.push_back(chain);
            if (moving_.contains(family) && is_dispatch(chain)) {
                put_new_first(written.chains.back(), family);
                if (written.chains.back() != chain)
                    reordered_.emplace_back(family, chain);
            }
            work_.chains_in += was == nullptr ? 1 : 0;
            work_.rules_in += chain.rules.size();
            work_.rules_out += was == nullptr ? 0 : was->rules.size();
        }
        // With the chains of their table: what the last table judged for good came by all hooks.
        step("new chains, and the switch to them", restore_of(family),
             print(written, missing_hooks(from_.table(family), out_.result.table(family))));
    }

    void delete_chains(net::Family family) {
        for (const Chain& chain : from_.table(family).chains)
            if (out_.result.table(family).find(chain.name, chain.table) == nullptr) {
                ++work_.chains_out;
                work_.rules_out += chain.rules.size();
            }
        step("delete chains that nothing leads to", restore_of(family),
             deletions(from_.table(family), out_.result.table(family)));
    }

    void destroy_sets() {
        std::string text;
        for (const Set& set : from_.sets)
            if (out_.result.find_set(set.name) == nullptr) {
                text += "destroy " + set.name + "\n";
                ++work_.maps_out;
                work_.elements_dropped += set.members.size();
            }
        step("destroy sets that no rule asks", kIpset, text);
    }

    /// Where flows are judged anew, an address that is new to rules is no matter; one that is new
    /// to the node is, as it may have been somebody else's.
    void find_forgotten() {
        std::set<net::Address> own;
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            for (const Ruleset* rules : {&from_, static_cast<const Ruleset*>(&out_.result)})
                if (const Set* pods = rules->find_set(filter_layout::pods_set(family)))
                    for (const Member& member : pods->members)
                        own.insert(member.nets.base);
        for (const net::Address& each : others_)
            if (!out_.judges_anew || own.contains(each))
                out_.forget.push_back(each);
    }

    const Ruleset& from_;
    std::vector<net::Address> others_; ///< in some set before or after, and not both; sorted
    backends::Work work_, left_work_;  ///< of the step that is being written; of `left_`
    std::string left_;                 ///< members that go after the switch
    std::set<net::Family> moving_;     ///< of `left_`
    std::vector<std::pair<net::Family, Chain>> reordered_; ///< by the switch, as they shall be
    Plan out_;
};

void append(Plan& to, Plan next) {
    to.steps.insert(to.steps.end(), std::make_move_iterator(next.steps.begin()),
                    std::make_move_iterator(next.steps.end()));
    to.judges_anew = to.judges_anew || next.judges_anew;
    for (const net::Address& each : next.forget)
        if (std::find(to.forget.begin(), to.forget.end(), each) == to.forget.end())
            to.forget.push_back(each);
    to.result = std::move(next.result);
}

} // namespace

Chain unnumbered(Chain chain) {
    for (Rule& rule : chain.rules) {
        rule.target.mark.generation.reset();
        for (Match& match : rule.matches)
            if (auto* mark = std::get_if<FlowMarkIs>(&match))
                mark->mark.generation.reset();
    }
    return chain;
}

bool says_number(const Chain& chain) {
    return std::any_of(chain.rules.begin(), chain.rules.end(), [](const Rule& rule) {
        return rule.target.kind == Target::Kind::SetFlowMark ||
               std::any_of(rule.matches.begin(), rule.matches.end(), [](const Match& match) {
                   return std::holds_alternative<FlowMarkIs>(match);
               });
    });
}

std::vector<HookRule> missing_hooks(const Table& from, const Table& to) {
    return lacking(hooks_of(to), held_hooks(from));
}

std::string deletions(const Table& from, const Table& to) {
    std::string text;
    for (const In table : {In::Raw, In::Mangle, In::Filter})
        text += deletions_in(table, from, to);
    return text;
}

Result<Plan> plan(const Ruleset& from, const FilterImage& to, bool alone) {
    for (const Table* table : {&from.v4, &from.v6})
        if (table->find("polecat-forward") == nullptr)
            return Error{"there is no chain polecat-forward"};
    Ruleset wanted = emit(to);
    wanted.sort();
    Plan out;
    out.result = from;
    if (alone)
        for (Plan& each : plans_on_the_way(from, wanted))
            append(out, std::move(each));
    const bool judges_anew = out.judges_anew || !read_back(from).ok();
    append(out, FilterPlanner(out.result, std::move(wanted), judges_anew).run());
    return out;
}

std::vector<Plan> plans_on_the_way(const Ruleset& from, const Ruleset& to) {
    std::vector<Plan> out;
    for (Ruleset& each : crossing(from, to)) {
        Plan made =
            FilterPlanner(out.empty() ? from : out.back().result, std::move(each), false).run();
        for (Plan::Step& step : made.steps)
            step.what = "policy of host endpoints, table by table: " + step.what;
        out.push_back(std::move(made));
    }
    return out;
}

Plan plan_from_nothing(const FilterImage& to) {
    Plan out;
    out.result = emit(to);
    out.judges_anew = true;
    backends::Work sets;
    sets.maps_in = out.result.sets.size();
    for (const Set& set : out.result.sets)
        sets.elements_in += set.members.size();
    out.steps.push_back({"fill all sets", kIpset, print(out.result.sets), sets, true});
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const Table& table = out.result.table(family);
        backends::Work work;
        work.chains_in = table.chains.size();
        for (const Chain& chain : table.chains)
            work.rules_in += chain.rules.size();
        out.steps.push_back({"all chains", restore_of(family), print(table), work, {}});
    }
    return out;
}

backends::Work work_of(const std::string& text) {
    backends::Work out;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        const std::string_view line = std::string_view(text).substr(at);
        out.elements_in += line.starts_with("add ") ? 1 : 0;
        out.elements_out += line.starts_with("del ") ? 1 : 0;
        out.maps_in += line.starts_with("create ") ? 1 : 0;
        out.maps_out += line.starts_with("destroy ") ? 1 : 0;
        out.rules_in += line.starts_with("-A ") ? 1 : 0;
        out.chains_in += line.starts_with(":") ? 1 : 0;
        out.chains_out += line.starts_with("-X ") ? 1 : 0;
        if (text.find('\n', at) == std::string::npos)
            break;
    }
    return out;
}

} // namespace polecat::iptables
