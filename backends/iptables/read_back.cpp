// Recovers what a node's chains and sets say. Only what tells images apart is read; then the image
// is written again, and whatever differs from what was read is refused.
#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "backends/iptables/iptables.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

struct NotOurs {
    std::string why;
};

template <class Wanted> const Wanted* match_of(const Rule& rule) {
    for (const iptables::Match& match : rule.matches)
        if (const auto* found = std::get_if<Wanted>(&match))
            return found;
    return nullptr;
}

class FilterReader {
  public:
    explicit FilterReader(const iptables::Ruleset& rules) : rules_(rules) {}

    FilterImage run() {
        read_settings();
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            read_programs(family);
            read_pods(family);
        }
        for (const iptables::Set& set : rules_.sets)
            if (set.type != iptables::Set::Type::NetInterfaces)
                out_.sets.emplace(set.name, set);
        return std::move(out_);
    }

  private:
    const std::vector<Rule>& rules_of(net::Family family, const std::string& chain) const {
        const iptables::Chain* found = rules_.table(family).find(chain);
        if (found == nullptr)
            throw NotOurs{"there is no chain " + chain};
        return found->rules;
    }

    void read_settings() {
        out_.interface_prefixes.clear();
        for (const Rule& rule : rules_of(net::Family::V4, "polecat-input")) {
            const auto* interface = match_of<iptables::InterfaceIs>(rule);
            if (interface == nullptr || !interface->name.ends_with('+'))
                throw NotOurs{"chain polecat-input is for workloads' interfaces"};
            out_.interface_prefixes.push_back(
                interface->name.substr(0, interface->name.size() - 1));
        }
        out_.dropped_vxlan_port.reset();
        out_.drops_ipip = false;
        for (const Rule& rule : rules_of(net::Family::V4, "polecat-encap"))
            if (const auto* ports = match_of<iptables::PortIn>(rule))
                out_.dropped_vxlan_port = ports->ports.front().first;
            else
                out_.drops_ipip = true;
        const auto& host = rules_of(net::Family::V4, "polecat-host");
        const Kind last = host.empty() ? Kind::Log : host.back().target.kind;
        out_.to_host = last == Kind::Drop   ? policy::HostAction::Drop
                       : last == Kind::Goto ? policy::HostAction::Accept
                                            : policy::HostAction::Return;
    }

    /// "slot 3: ingress[0] of NetworkPolicy shop/web".
    static std::pair<std::uint32_t, std::string> comment_of(const Rule& rule) {
        const std::string& text = rule.comment;
        const std::size_t colon = text.find(": ");
        std::uint32_t slot = 0;
        if (!text.starts_with("slot ") || colon == std::string::npos ||
            std::from_chars(text.data() + 5, text.data() + colon, slot).ptr != text.data() + colon)
            throw NotOurs{"a rule of a program says of which slot it is: `" + text + "`"};
        return {slot, text.substr(colon + 2)};
    }

    void read_programs(net::Family family) {
        for (std::size_t stage = 0, found = 1; found > 0; ++stage) {
            found = 0;
            const std::string end = "-" + std::to_string(stage);
            for (const iptables::Chain& chain : rules_.table(family).chains) {
                const std::string_view start = "polecat-p";
                if (!chain.name.starts_with(start) || !chain.name.ends_with(end) ||
                    chain.name.size() != start.size() + 12 + end.size())
                    continue;
                ++found;
                FilterProgram& program = out_.programs[chain.name.substr(8, 13)];
                program.family = family;
                program.stages.push_back(stage_of(chain));
            }
        }
    }

    static FilterStage stage_of(const iptables::Chain& chain) {
        FilterStage out;
        if (chain.rules.empty())
            throw NotOurs{"chain " + chain.name + " is empty"};
        for (const Rule& rule : chain.rules) {
            auto [slot, what] = comment_of(rule);
            out.rules.push_back({rule.matches, action_of(rule.target), slot, std::move(what)});
        }
        FilterRule& last = out.rules.back();
        out.slot = last.slot;
        out.what = last.what;
        out.end = last.action == decision::Action::Allow  ? FilterStage::End::Allow
                  : last.action == decision::Action::Deny ? FilterStage::End::Deny
                                                          : FilterStage::End::Next;
        out.rules.pop_back();
        return out;
    }

    static decision::Action action_of(const Target& target) {
        if (target.kind == Kind::Return)
            return decision::Action::Allow;
        if (target.kind == Kind::Log)
            return decision::Action::Log;
        return target.name == "polecat-deny" ? decision::Action::Deny : decision::Action::Pass;
    }

    void read_pods(net::Family family) {
        const std::string before = name("polecat", family);
        std::map<std::pair<std::string, net::Cidr>, FilteredPod> pods;
        for (const iptables::Set& set : rules_.sets)
            for (const bool egress : {true, false}) {
                const std::string start = before + (egress ? "from-" : "to-");
                if (set.type != iptables::Set::Type::NetInterfaces || !set.name.starts_with(start))
                    continue;
                for (const iptables::Member& member : set.members) {
                    FilteredPod& pod = pods[{member.interface, member.nets}];
                    pod.interface = member.interface;
                    pod.nets = member.nets;
                    (egress ? pod.egress : pod.ingress) = set.name.substr(start.size());
                }
            }
        for (auto& [place, pod] : pods)
            out_.pods.push_back(std::move(pod));
        std::sort(out_.pods.begin(), out_.pods.end());
    }

    const iptables::Ruleset& rules_;
    FilterImage out_;
};

/// The generation and texts of sets are not policy.
iptables::Ruleset comparable(iptables::Ruleset rules) {
    for (iptables::Set& set : rules.sets)
        set.what.clear();
    for (iptables::Table* table : {&rules.v4, &rules.v6})
        for (iptables::Chain& chain : table->chains)
            for (Rule& rule : chain.rules) {
                rule.target.mark.generation.reset();
                for (iptables::Match& match : rule.matches)
                    if (auto* mark = std::get_if<iptables::FlowMarkIs>(&match))
                        mark->mark.generation.reset();
            }
    return rules;
}

/// Where two differ, for people.
std::string difference(const iptables::Ruleset& found, const iptables::Ruleset& wanted) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        for (const iptables::Chain& chain : found.table(family).chains)
            if (const auto* other = wanted.table(family).find(chain.name);
                other == nullptr || *other != chain)
                return "chain " + chain.name + " is not as it is written";
        for (const iptables::Chain& chain : wanted.table(family).chains)
            if (found.table(family).find(chain.name) == nullptr)
                return "there is no chain " + chain.name;
    }
    for (const iptables::Set& set : found.sets)
        if (const auto* other = wanted.find_set(set.name); other == nullptr || *other != set)
            return "set " + set.name + " is not as it is written";
    return "a set is missing";
}

/// All rules know one generation.
bool is_one_generation(const iptables::Ruleset& rules) {
    std::set<std::optional<std::uint16_t>> seen;
    for (const iptables::Table* table : {&rules.v4, &rules.v6})
        for (const iptables::Chain& chain : table->chains)
            for (const Rule& rule : chain.rules) {
                if (rule.target.kind == Kind::SetFlowMark)
                    seen.insert(rule.target.mark.generation);
                if (const auto* mark = match_of<iptables::FlowMarkIs>(rule))
                    seen.insert(mark->mark.generation);
            }
    return seen.size() == 1;
}

} // namespace

Result<FilterImage> read_back(const iptables::Ruleset& ruleset) {
    try {
        FilterImage image = FilterReader(ruleset).run();
        if (!is_one_generation(ruleset))
            return Error{"rules know more than one generation"};
        for (const auto& [name, program] : image.programs)
            if (program.stages.back().end == FilterStage::End::Next)
                return Error{"program " + name + " goes on to what is not there"};
        const iptables::Ruleset found = comparable(ruleset), wanted = comparable(emit(image));
        if (found != wanted)
            return Error{difference(found, wanted)};
        return image;
    } catch (const NotOurs& failure) {
        return Error{failure.why};
    }
}

} // namespace polecat::iptables
