#include "backends/bpf/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "backends/bpf/in_place.h"
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
    BpfPlanner(const Held& from, const Image& tables, const backends::NodeImage& to,
               const std::string& pins)
        : from_(from), tables_(tables), rules_(rules_around(to, pins)) {
        out_.judges_anew = from.unfinished || from.tables.empty();
    }

    Plan run() {
        shut_out();
        change_tables();
        let_in();
        change_rules();
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
            out_.steps.push_back({kind, std::move(what), std::move(text), family, {}});
    }

    void shut_out() {
        std::vector<iptables::Set> smaller;
        for (iptables::Set set : rules_.sets) {
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
            out_.steps.push_back({Plan::Step::Kind::Words, "change addresses in the tables in use",
                                  "", net::Family::V4, words->words});
            return;
        }
        out_.judges_anew = true;
        out_.steps.push_back({Plan::Step::Kind::Tables,
                              "write other tables and turn to them",
                              "",
                              net::Family::V4,
                              {}});
    }

    void let_in() {
        std::vector<iptables::Set> larger;
        for (const iptables::Set& set : rules_.sets) {
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
    }

    bool is_held(const iptables::Table& table, net::Family family) const {
        return std::all_of(table.chains.begin(), table.chains.end(), [&](const auto& chain) {
            const iptables::Chain* const was =
                from_.rules.table(family).find(chain.name, chain.table);
            return was != nullptr && iptables::unnumbered(*was) == chain;
        });
    }

    /// All of a family's: they are the same few whatever the policy is.
    void change_rules() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            left_[family] = iptables::deletions(from_.rules.table(family), rules_.table(family));
            out_.judges_anew = out_.judges_anew || !left_[family].empty() ||
                               !is_held(rules_.table(family), family);
        }
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (out_.judges_anew)
                step(Plan::Step::Kind::Rules, "rules, under the next number",
                     iptables::print(rules_.table(family)), family);
        for (auto& [family, text] : left_)
            step(Plan::Step::Kind::Deletes, "delete chains that nothing leads to", std::move(text),
                 family);
    }

    const Held& from_;
    const Image& tables_;
    const iptables::Ruleset rules_;
    std::map<net::Family, std::string> left_; ///< by whom else: they judge, and put old numbers
    Plan out_;
};

} // namespace

Plan plan(const Held& from, const Image& tables, const backends::NodeImage& to,
          const std::string& pins) {
    return BpfPlanner(from, tables, to, pins).run();
}

} // namespace polecat::bpf
