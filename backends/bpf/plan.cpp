#include "backends/bpf/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "backends/bpf/in_place.h"
#include "backends/iptables/layout.h"
#include "backends/iptables/plan.h"

namespace polecat::bpf {

namespace {

using Members = std::vector<iptables::Member>;

/// Which both have; `is` is sorted, as listings are not.
Members in_both(Members was, const Members& is) {
    std::sort(was.begin(), was.end());
    Members out;
    std::set_intersection(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(out));
    return out;
}

class BpfPlanner {
  public:
    BpfPlanner(const Held& from, const Image& tables, const Node& to, const std::string& pins,
               bool alone)
        : from_(from), tables_(tables), rules_(rules_around(to, pins)), alone_(alone),
          held_(from.rules) {
        out_.judges_anew =
            from.unfinished || from.tables.empty() || !iptables::is_one_generation(from.rules);
    }

    Plan run() {
        shut_out();
        change_host_sets();
        change_tables();
        let_in();
        change_rules();
        step(Plan::Step::Kind::Sets, "destroy sets that no rule asks", destructions());
        std::sort(out_.forget.begin(), out_.forget.end());
        out_.forget.erase(std::unique(out_.forget.begin(), out_.forget.end()), out_.forget.end());
        return std::move(out_);
    }

  private:
    const Members& held_members(const iptables::Set& set) const {
        static const Members kNone;
        const iptables::Set* const was = from_.rules.find_set(set.name);
        return was == nullptr ? kNone : was->members;
    }
    void step(Plan::Step::Kind kind, std::string what, std::string text,
              net::Family family = net::Family::V4) {
        if (!text.empty())
            out_.steps.push_back({kind, std::move(what), std::move(text), family, {}, {}});
    }

    static bool is_of_pods(const iptables::Set& set) {
        return set.type == iptables::Set::Type::NetInterfaces;
    }
    static std::vector<iptables::Member> missing(const Members& of, const Members& in) {
        Members out;
        std::set_difference(of.begin(), of.end(), in.begin(), in.end(), std::back_inserter(out));
        return out;
    }

    /// Those that rules of host endpoints ask. Tables do not always say so where a member is
    /// another: that this is under way is said first.
    void change_host_sets() {
        std::string created, others;
        for (const iptables::Set& set : rules_.sets) {
            const iptables::Set* const was = from_.rules.find_set(set.name);
            if (is_of_pods(set))
                continue;
            if (was == nullptr) {
                created += iptables::create_line(set);
                for (const iptables::Member& each : set.members)
                    created += iptables::member_line("add", set, each);
                continue;
            }
            Members held = was->members;
            std::sort(held.begin(), held.end());
            for (const auto& [verb, members] : {std::pair{"add", missing(set.members, held)},
                                                {"del", missing(held, set.members)}})
                for (const iptables::Member& each : members) {
                    others += iptables::member_line(verb, set, each);
                    host_members_.push_back(each.nets);
                }
        }
        if ((!others.empty() || !destructions().empty()) && !from_.tables.empty())
            out_.steps.push_back(
                {Plan::Step::Kind::Words, "note that sets change", "", net::Family::V4, {}, {}});
        step(Plan::Step::Kind::Sets, "sets that rules of host endpoints ask", created + others);
    }

    void shut_out() {
        std::vector<iptables::Set> smaller;
        for (iptables::Set set : rules_.sets) {
            if (!is_of_pods(set))
                continue;
            const std::size_t before = held_members(set).size();
            set.members = in_both(held_members(set), set.members);
            if (set.members.size() != before || from_.rules.find_set(set.name) == nullptr)
                smaller.push_back(std::move(set));
        }
        step(Plan::Step::Kind::Sets, "shut out addresses that go", iptables::print(smaller));
    }

    void change_tables() {
        if (from_.tables == tables_.tables)
            return;
        if (const auto words = in_place(from_.tables, tables_.tables)) {
            out_.judges_anew = out_.judges_anew || words->judges_anew;
            out_.forget = words->moved;
            out_.steps.push_back({Plan::Step::Kind::Words,
                                  "change addresses in the tables in use",
                                  "",
                                  net::Family::V4,
                                  words->words,
                                  {}});
            return;
        }
        out_.judges_anew = true;
        out_.steps.push_back({Plan::Step::Kind::Tables,
                              "write other tables and turn to them",
                              "",
                              net::Family::V4,
                              {},
                              {}});
    }

    void let_in() {
        std::vector<iptables::Set> larger;
        for (const iptables::Set& set : rules_.sets) {
            if (!is_of_pods(set))
                continue;
            Members was = held_members(set);
            std::sort(was.begin(), was.end());
            Members others;
            std::set_symmetric_difference(was.begin(), was.end(), set.members.begin(),
                                          set.members.end(), std::back_inserter(others));
            for (const iptables::Member& each : others)
                if (each.nets.prefix == net::width(set.family))
                    out_.forget.push_back(each.nets.base);
                else
                    out_.judges_anew = true;
            if (in_both(was, set.members) != set.members)
                larger.push_back(set);
        }
        step(Plan::Step::Kind::Sets, "let in addresses that come", iptables::print(larger));
        for (const net::Cidr& each : host_members_) // of addresses that stay, or of ranges
            out_.judges_anew = out_.judges_anew || each.prefix != net::width(each.family()) ||
                               std::count(out_.forget.begin(), out_.forget.end(), each.base) == 0;
    }

    /// Sets change before and after.
    void cross_over() {
        for (iptables::Plan& way : iptables::plans_on_the_way(held_, rules_)) {
            bool numbered = way.judges_anew;
            for (iptables::Plan::Step& taken : way.steps) {
                if (taken.command.starts_with("ipset"))
                    continue;
                const bool deletes = taken.text.find("\n-X ") != std::string::npos;
                step(deletes ? Plan::Step::Kind::Deletes : Plan::Step::Kind::Rules,
                     std::move(taken.what), std::move(taken.text),
                     taken.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4);
                out_.steps.back().next_number = std::exchange(numbered, false);
            }
            held_ = std::move(way.result);
            out_.judges_anew = true;
        }
    }

    bool is_held(const iptables::Table& table, net::Family family) const {
        return std::all_of(table.chains.begin(), table.chains.end(), [&](const auto& chain) {
            const iptables::Chain* const was = held_.table(family).find(chain.name, chain.table);
            return was != nullptr && iptables::unnumbered(*was) == chain;
        });
    }

    /// With the chains of their table: what the last table judged for good came by all hooks.
    std::vector<iptables::HookRule> hooks_lacking(net::Family family) const {
        return iptables::missing_hooks(held_.table(family), rules_.table(family));
    }

    /// All of a family's: they are few, whatever the policy of workloads is.
    void change_rules() {
        if (alone_)
            cross_over();
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            left_[family] = iptables::deletions(held_.table(family), rules_.table(family));
            out_.judges_anew = out_.judges_anew || !left_[family].empty() ||
                               !hooks_lacking(family).empty() ||
                               !is_held(rules_.table(family), family);
        }
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (out_.judges_anew) {
                step(Plan::Step::Kind::Rules, "rules, under the next number",
                     iptables::print(rules_.table(family), hooks_lacking(family)), family);
                out_.steps.back().next_number = family == net::Family::V4;
            }
        for (auto& [family, text] : left_)
            step(Plan::Step::Kind::Deletes, "delete chains that nothing leads to", std::move(text),
                 family);
    }

    /// That rules asked until now, those of another target as well. What else is there may be the
    /// other variant's, unless a load did not come to its end.
    std::string destructions() const {
        std::set<std::string> asked;
        for (const iptables::Table* table : {&from_.rules.v4, &from_.rules.v6})
            for (const iptables::Chain& chain : table->chains)
                for (const iptables::Rule& rule : chain.rules)
                    if (const auto* in = iptables::match_of<iptables::InSet>(rule))
                        asked.insert(in->set);
        std::string out;
        for (const iptables::Set& set : from_.rules.sets)
            if (rules_.find_set(set.name) == nullptr &&
                set.name.starts_with(iptables::filter_layout::name("polecat", set.family)) &&
                (from_.unfinished || asked.contains(set.name)))
                out += "destroy " + set.name + "\n";
        return out;
    }

    const Held& from_;
    const Image& tables_;
    const iptables::Ruleset rules_;
    const bool alone_;
    iptables::Ruleset held_;                  ///< of rules, by the steps until here
    std::vector<net::Cidr> host_members_;     ///< that come into sets or go out of them
    std::map<net::Family, std::string> left_; ///< by whom else: they judge, and put old numbers
    Plan out_;
};

} // namespace

Plan plan(const Held& from, const Image& tables, const Node& to, const std::string& pins,
          bool alone) {
    return BpfPlanner(from, tables, to, pins, alone).run();
}

} // namespace polecat::bpf
