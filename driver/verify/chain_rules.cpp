#include "driver/verify/chain_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "backends/iptables/frame.h"
#include "backends/iptables/frame_host.h"
#include "driver/rollout/filter.h"
#include "driver/verify/chain_formula.h"

namespace polecat::driver {

using decision::Direction;
using decision::Hook;
using Kind = iptables::Target::Kind;

namespace {

/// A chain of host endpoints that goes to programs by interface.
struct HostPlace {
    const iptables::HostStage* stage;
    iptables::In table;
    std::string chain;
    bool through = false;
};

/// Untracked policy is asked in other tables as well, of what belongs to no connection.
std::vector<HostPlace> host_places(const iptables::Table& table) {
    using iptables::In;
    std::vector<HostPlace> out;
    const auto add = [&](const iptables::HostStage& stage, In in, const char* chain, bool through) {
        if (table.find(chain, in) != nullptr)
            out.push_back({&stage, in, chain, through});
    };
    for (const iptables::HostStage& stage : iptables::kHostStages) {
        add(stage, stage.table, stage.chain, false);
        if (stage.hook != Hook::Untracked)
            continue;
        for (const In in : {In::Mangle, In::Filter})
            add(stage, in, stage.chain, false);
        if (stage.incoming())
            add(stage, In::Filter, iptables::kRawThrough, true);
    }
    return out;
}

} // namespace

ChainRules::ChainRules(const iptables::Ruleset& rules) : rules_(rules) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        for (const Direction direction : {Direction::Egress, Direction::Ingress})
            for (const bool reply : {false, true})
                read_dispatch(family, direction, reply);
        read_hosts(family);
    }
}

std::string ChainRules::add(ChainProgram program, Direction direction) {
    std::string name = fmt::format("{} of table {}{}", program.chain, to_string(program.table),
                                   program.family == net::Family::V4 ? "" : " (IPv6)");
    directions_[name] = direction;
    programs_.try_emplace(name, std::move(program));
    return name;
}

void ChainRules::read_dispatch(net::Family family, Direction direction, bool reply) {
    const bool egress = direction == Direction::Egress;
    const auto* chain = rules_.table(family).find(
        std::string(egress ? "polecat-from" : "polecat-to") + (reply ? "-r" : ""));
    auto& asked = dispatch_[{family, direction, reply}];
    if (chain == nullptr)
        return;
    for (const iptables::Rule& rule : chain->rules) {
        const auto* in = iptables::match_of<iptables::InSet>(rule);
        if (in == nullptr || rule.matches.size() != 1 || in->negated || !in->pair ||
            in->source != (egress != reply) || rule.target.kind != Kind::Goto)
            break; // nothing behind it is known to be met
        asked.push_back(
            {in->set,
             add({&rules_, family, iptables::In::Filter, rule.target.name, "", reply}, direction)});
    }
}

void ChainRules::read_hosts(net::Family family) {
    for (const HostPlace& place : host_places(rules_.table(family)))
        for (const iptables::Rule& rule :
             rules_.table(family).find(place.chain, place.table)->rules) {
            if (rule.target.kind != Kind::Goto || program_of_chain(rule.target.name).empty())
                continue;
            const auto* interface = iptables::match_of<iptables::InterfaceIs>(rule);
            if (rule.matches.size() != (interface == nullptr ? 0 : 1) ||
                (interface != nullptr && interface->incoming != place.stage->incoming()))
                continue;
            const auto& [chain, table, hook, direction] = *place.stage;
            const std::string name = add({&rules_, family, place.table, rule.target.name,
                                          !iptables::tells(hook) ? ""
                                          : place.through        ? iptables::kOnward
                                                                 : "polecat-taken",
                                          false},
                                         direction);
            hosts_[{interface == nullptr ? "*" : interface->name, {direction, hook, family}}]
                .push_back(name);
            if (interface == nullptr)
                break; // nothing behind it is met
        }
}

std::vector<std::string> ChainRules::of_workload(const std::string& interface, Direction direction,
                                                 const net::Address& address,
                                                 bool other_source) const {
    std::vector<std::string> out;
    for (const bool reply : {false, true}) {
        if (other_source)
            break; // iptables follows none, and says so (PC5081)
        const auto& asked = dispatch_.at({address.family, direction, reply});
        const auto found = std::find_if(asked.begin(), asked.end(), [&](const Asked& each) {
            const iptables::Set* set = rules_.find_set(each.set);
            return set != nullptr && set->type == iptables::Set::Type::NetInterfaces &&
                   std::any_of(set->members.begin(), set->members.end(), [&](const auto& member) {
                       return member.interface == interface && member.nets.contains(address);
                   });
        });
        out.push_back(found == asked.end() ? "" : found->program);
    }
    return out;
}

std::vector<std::string> ChainRules::of_host(const std::string& interface,
                                             const decision::Group::Key& key) const {
    const auto found = hosts_.find({interface, key});
    return found == hosts_.end() ? std::vector<std::string>{""} : found->second;
}

bool ChainRules::is_closed(const std::string& name) const {
    const ChainProgram& program = programs_.at(name);
    const auto* chain = rules_.table(program.family).find(program.chain, program.table);
    if (chain == nullptr || chain->rules.size() != 1)
        return false;
    const iptables::Rule& rule = chain->rules.front();
    return rule.matches.empty() && rule.target.kind == Kind::Goto &&
           rule.target.name == "polecat-deny" &&
           rule.comment.find(": closed: ") != std::string::npos;
}

std::vector<std::unique_ptr<RulesFormula>>
ChainRules::formulas(const std::string& name, const AskedOwn& own, const smt::ExistingEnds& ends) {
    std::vector<std::unique_ptr<RulesFormula>> out;
    out.push_back(std::make_unique<ChainFormula>(programs_.at(name), own,
                                                 directions_.at(name) == Direction::Egress, ends));
    return out;
}

Decided ChainRules::decided(const std::string& name, const decision::Flow& flow) const {
    Decided out = decided_by_chains(programs_.at(name), flow);
    out.program = name;
    return out;
}

} // namespace polecat::driver
