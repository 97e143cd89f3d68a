// docs/iptables.md (changes of host endpoints' policy) has the order and why it is that.
#include "backends/iptables/crossing.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>

#include "backends/iptables/frame_host.h"
#include "backends/iptables/iptables.h"
#include "backends/iptables/levels.h"
#include "backends/iptables/plan.h"

namespace polecat::iptables {

using Kind = Target::Kind;

namespace {

constexpr const char *kEarly = "polecat-early", *kEarlyKnown = "polecat-early-known",
                     *kTaken = "polecat-taken";

bool leads(const Rule& rule) {
    return rule.target.kind == Kind::Jump || rule.target.kind == Kind::Goto;
}

bool changes_bit(const Rule& rule) {
    return rule.target.kind == Kind::SetFlowBit || rule.target.kind == Kind::ClearFlowBit;
}

void put(Table& to, Chain chain) {
    for (Chain& each : to.chains)
        if (each.table == chain.table && each.name == chain.name) {
            each = std::move(chain);
            return;
        }
    to.chains.push_back(std::move(chain));
}

Table without(Table table, In in) {
    std::erase_if(table.chains, [&](const Chain& each) { return each.table == in; });
    return table;
}

/// With the chains of one table from another.
Table with(Table table, In in, const Table& other) {
    table = without(std::move(table), in);
    for (const Chain& each : other.chains)
        if (each.table == in)
            table.chains.push_back(each);
    return table;
}

bool same(In in, const Table& a, const Table& b) {
    return with({}, in, a).chains == with({}, in, b).chains;
}

/// A chain and what it leads to, but for what denies.
void collect(const Table& table, In in, const std::string& name,
             std::map<std::string, Chain>& out) {
    const Chain* const found = table.find(name, in);
    if (found == nullptr || name == "polecat-deny" || !out.emplace(name, *found).second)
        return;
    for (const Rule& rule : found->rules)
        if (leads(rule))
            collect(table, in, rule.target.name, out);
}
std::map<std::string, Chain> led_to(const Table& table, In in, const std::string& name) {
    std::map<std::string, Chain> out;
    collect(table, in, name, out);
    return out;
}

/// These under names of their own: with `end` behind the usual ones. `alter`: what else changes.
void put_copies(Table& to, const std::map<std::string, Chain>& chains, const std::string& end,
                const std::function<void(Chain&)>& alter = {}) {
    for (const auto& [name, of] : chains) {
        Chain chain = of;
        chain.name += end;
        for (Rule& rule : chain.rules)
            if (leads(rule) && chains.contains(rule.target.name))
                rule.target.name += end;
        if (alter)
            alter(chain);
        put(to, std::move(chain));
    }
}

/// Puts one bit where the other was.
void replace_bit(std::vector<Rule>& rules, FlowBit was, FlowBit is) {
    for (Rule& rule : rules) {
        if (changes_bit(rule) && rule.target.bit == was)
            rule.target.bit = is;
        for (Match& match : rule.matches)
            if (auto* bit = std::get_if<FlowBitIs>(&match); bit != nullptr && bit->bit == was)
                bit->bit = is;
    }
}

/// Of one family.
class Crossing {
  public:
    Crossing(const Table& from, const Table& to) : to_(to) {
        for (const Chain& each : from.chains)
            from_.chains.push_back(unnumbered(each));
        changes_raw_ = !same(In::Raw, from_, to_);
        const bool was = from_.find(kEarly, In::Mangle) != nullptr,
                   is = to_.find(kEarly, In::Mangle) != nullptr;
        changes_early_ = led_to(from_, In::Mangle, kEarly) != led_to(to_, In::Mangle, kEarly);
        two_bits_ = was && is && (changes_early_ || changes_raw_);
        early_comes_ = !was && is;
    }

    bool is_needed() const { return changes_raw_ || changes_early_; }

    std::vector<Table> run() const {
        std::vector<Table> out;
        const auto next = [&](In in, const Table& other) {
            out.push_back(with(out.empty() ? from_ : out.back(), in, other));
        };
        next(In::Mangle, two_bits_ ? asking_both() : early_comes_ ? asking_new() : from_);
        next(In::Raw, changes_raw_ ? untracking_both() : to_);
        next(In::Filter, two_bits_ ? believing_next() : to_);
        next(In::Mangle, two_bits_ ? setting_both() : to_);
        next(In::Raw, to_);
        next(In::Filter, to_);
        next(In::Mangle, to_);
        return out;
    }

  private:
    /// Untracked policy of both: what either denies is dropped, what either takes leaves conntrack.
    Table untracking_both() const {
        Table out = to_;
        for (const Chain& each : from_.chains)
            if (each.table == In::Raw && out.find(each.name, In::Raw) == nullptr)
                put(out, each);
        for (const char* stage : {kRawIn.chain, kRawOut.chain}) {
            if (from_.find(stage, In::Raw) == nullptr || to_.find(stage, In::Raw) == nullptr)
                continue;
            put_copies(out, led_to(from_, In::Raw, stage), "o");
            put_copies(out, led_to(to_, In::Raw, stage), "n");
            put(out, {stage,
                      {jump({}, std::string(stage) + "o"), jump({}, std::string(stage) + "n")},
                      In::Raw});
        }
        return out;
    }

    /// PreDNAT policy of both, each with a bit of its own for what it takes. It is not asked of
    /// what untracked policy of both took.
    Table asking_both() const {
        Table out = from_;
        put_copies(out, led_to(from_, In::Mangle, kEarlyIn.chain), "o");
        put_copies(out, led_to(to_, In::Mangle, kEarlyIn.chain), "n", [](Chain& chain) {
            replace_bit(chain.rules, FlowBit::Early, FlowBit::EarlyNext);
        });
        put(out, {kEarly, {go_to({}, kEarlyKnown)}, In::Mangle});
        std::vector<Rule> rules = known_of(from_);
        if (from_.find(kRawIn.chain, In::Mangle) != nullptr &&
            to_.find(kRawIn.chain, In::Mangle) != nullptr) {
            put_copies(out, led_to(from_, In::Mangle, kRawIn.chain), "u", [](Chain& chain) {
                for (Rule& rule : chain.rules)
                    if (rule.target.name == std::string(kTaken) + "u")
                        rule.target.name = std::string(kRawIn.chain) + "v";
            });
            put_copies(out, led_to(to_, In::Mangle, kRawIn.chain), "v");
            rules.push_back(
                jump({FlowState{false, false, false, true}}, std::string(kRawIn.chain) + "u"));
        }
        for (const FlowBit bit : {FlowBit::Early, FlowBit::EarlyNext})
            rules.push_back({{}, {}, {Kind::ClearFlowBit, {}, {}, bit}});
        for (const char* end : {"o", "n"})
            rules.push_back(jump({}, std::string(kEarlyIn.chain) + end));
        put(out, {kEarlyKnown, std::move(rules), In::Mangle});
        return out;
    }

    /// What comes first there: flows that are known, and packets that are not asked about.
    static std::vector<Rule> known_of(const Table& table) {
        std::vector<Rule> out = table.find(kEarlyKnown, In::Mangle)->rules;
        const auto asks = std::find_if(out.begin(), out.end(), [](const Rule& each) {
            const auto* state = match_of<FlowState>(each);
            return each.matches.empty() || (state != nullptr && state->untracked);
        });
        out.erase(asks, out.end());
        return out;
    }

    /// PreDNAT policy that comes; nothing goes by what it takes yet.
    Table asking_new() const {
        Table out = from_;
        for (const auto& [name, chain] : led_to(to_, In::Mangle, kEarly))
            put(out, chain);
        if (const Chain* deny = to_.find("polecat-deny", In::Mangle))
            put(out, *deny);
        return out;
    }

    Table believing_next() const {
        Table out = to_;
        for (Chain& each : out.chains)
            if (each.table == In::Filter)
                replace_bit(each.rules, FlowBit::Early, FlowBit::EarlyNext);
        return out;
    }

    /// So that who goes by either is told.
    Table setting_both() const {
        Table out = to_;
        for (Chain& each : out.chains) {
            if (each.table != In::Mangle)
                continue;
            std::vector<Rule> rules;
            for (const Rule& rule : each.rules) {
                rules.push_back(rule);
                if (!changes_bit(rule) || rule.target.bit != FlowBit::Early)
                    continue;
                rules.back().target.bit = FlowBit::EarlyNext;
                rules.push_back(rule);
            }
            each.rules = std::move(rules);
        }
        return out;
    }

    Table from_;
    const Table& to_;
    bool changes_raw_ = false, changes_early_ = false, two_bits_ = false, early_comes_ = false;
};

/// Sets of pods are those of the programs that table filter has.
std::vector<Set> sets_on_the_way(const Ruleset& own, const Ruleset& other) {
    std::vector<Set> out = own.sets;
    for (const Set& each : other.sets)
        if (each.type != Set::Type::NetInterfaces && own.find_set(each.name) == nullptr)
            out.push_back(each);
    return out;
}

/// Whoever judges workloads.
bool has_whole_frame(const Ruleset& rules) {
    try {
        const Frame settings = read_frame(rules);
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            for (const Chain& each : frame(settings, family, first_chain)) {
                const Chain* const found = rules.table(family).find(each.name, each.table);
                if (found == nullptr || unnumbered(*found) != each)
                    return false;
            }
        return is_one_generation(rules);
    } catch (const std::runtime_error&) { // of read_frame()
        return false;
    }
}

} // namespace

std::vector<Ruleset> crossing(const Ruleset& from, const Ruleset& to) {
    if (!has_whole_frame(from))
        return {};
    const Crossing v4(from.v4, to.v4), v6(from.v6, to.v6);
    if (!v4.is_needed() && !v6.is_needed())
        return {};
    std::vector<Table> ways4 = v4.run(), ways6 = v6.run();
    std::vector<Ruleset> out;
    for (std::size_t i = 0; i < ways4.size(); ++i) {
        if (levels_of(ways4[i]) > kMostLevels || levels_of(ways6[i]) > kMostLevels)
            return {};
        const bool filters_are_new = i >= 2;
        out.push_back({filters_are_new ? sets_on_the_way(to, from) : sets_on_the_way(from, to),
                       std::move(ways4[i]), std::move(ways6[i])});
        out.back().sort();
    }
    return out;
}

} // namespace polecat::iptables
