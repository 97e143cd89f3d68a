// Recovers what a node's chains and sets say. Only what tells images apart is read; then the image
// is written again, and whatever differs from what was read is refused.
#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/iptables/cut.h"
#include "backends/iptables/iptables.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

struct NotOurs {
    std::string why;
};

class FilterReader {
  public:
    explicit FilterReader(const iptables::Ruleset& rules) : rules_(rules) {}

    FilterImage run() {
        out_.frame = read_frame(rules_);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            read_programs(family);
            read_pods(family);
        }
        for (const backends::AttachPoint& each : out_.frame.attached) {
            const auto program = out_.programs.find(each.program);
            if (program == out_.programs.end())
                throw NotOurs{"there is no program " + each.program};
            program->second.hook = each.hook;
        }
        for (const iptables::Set& set : rules_.sets)
            if (set.type != iptables::Set::Type::NetInterfaces &&
                set.name != peers_set(set.family) && !is_any_set(set.name))
                out_.sets.emplace(set.name, set);
        return std::move(out_);
    }

  private:
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

    /// Chains of stages, by program, as packets of a flow's own direction meet them. A program that
    /// stands in several tables is read in one of them.
    using Stages = std::map<std::size_t, std::vector<const Chain*>>;

    void read_programs(net::Family family) {
        std::map<std::string, std::pair<In, Stages>> found;
        for (const iptables::Chain& chain : rules_.table(family).chains) {
            const auto [program, stage] = place_of(chain.name);
            if (program.empty())
                continue;
            auto& [table, stages] = found.try_emplace(program, chain.table, Stages{}).first->second;
            if (table == chain.table)
                stages[stage].push_back(&chain);
        }
        for (const auto& [name, stages] : found) {
            FilterProgram& program = out_.programs[name];
            program.family = family;
            for (const auto& [number, chains] : stages.second)
                program.stages.push_back(stage_of(chains));
        }
    }

    /// "p0123456789ab" and 2 of "polecat-p0123456789ab-2" and "polecat-p0123456789ab-2.1f".
    static std::pair<std::string, std::size_t> place_of(std::string_view chain) {
        constexpr std::size_t kStart = 8, kName = 13;
        if (!chain.starts_with("polecat-p") || chain.size() < kStart + kName + 2 ||
            chain[kStart + kName] != '-' || chain.ends_with('r') || chain.ends_with('t'))
            return {};
        const std::string_view rest = chain.substr(kStart + kName + 1);
        std::size_t stage = 0;
        const char* const end = rest.data() + rest.size();
        const auto [stop, error] = std::from_chars(rest.data(), end, stage);
        if (error != std::errc() || (stop != end && *stop != '.'))
            return {};
        return {std::string(chain.substr(kStart, kName)), stage};
    }

    static FilterStage stage_of(const std::vector<const Chain*>& chains) {
        FilterStage out;
        const bool is_tree = chains.size() > 1;
        for (const Chain* chain : chains) {
            if (chain->rules.empty())
                throw NotOurs{"chain " + chain->name + " is empty"};
            for (const Rule& rule : chain->rules) {
                if (is_tree && rule.comment.empty())
                    continue; // leads to others
                auto [slot, what] = comment_of(rule);
                out.rules.push_back({rule.matches, action_of(rule.target), slot, std::move(what)});
            }
            if (!is_tree || !chain->rules.back().comment.empty())
                take_end(out);
        }
        if (is_tree)
            out.rules = in_order(std::move(out.rules));
        return out;
    }

    static void take_end(FilterStage& stage) {
        const FilterRule& last = stage.rules.back();
        stage.slot = last.slot;
        stage.what = last.what;
        stage.end = last.action == decision::Action::Allow  ? FilterStage::End::Allow
                    : last.action == decision::Action::Deny ? FilterStage::End::Deny
                                                            : FilterStage::End::Next;
        stage.rules.pop_back();
    }

    static decision::Action action_of(const Target& target) {
        if (target.kind == Kind::Return)
            return decision::Action::Allow;
        if (target.kind == Kind::Log)
            return decision::Action::Log;
        if (target.name == "polecat-taken")
            return decision::Action::Allow;
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
    for (iptables::Table* table : {&rules.v4, &rules.v6}) {
        table->hooks.reset();
        for (iptables::Chain& chain : table->chains)
            for (Rule& rule : chain.rules) {
                rule.target.mark.generation.reset();
                for (iptables::Match& match : rule.matches)
                    if (auto* mark = std::get_if<iptables::FlowMarkIs>(&match))
                        mark->mark.generation.reset();
            }
    }
    return rules;
}

/// Where two differ, for people.
std::string difference(const iptables::Ruleset& found, const iptables::Ruleset& wanted) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        for (const iptables::Chain& chain : found.table(family).chains)
            if (const auto* other = wanted.table(family).find(chain.name, chain.table);
                other == nullptr || *other != chain)
                return "chain " + chain.name + " is not as it is written";
        for (const iptables::Chain& chain : wanted.table(family).chains)
            if (found.table(family).find(chain.name, chain.table) == nullptr)
                return "there is no chain " + chain.name;
    }
    for (const iptables::Set& set : found.sets)
        if (const auto* other = wanted.find_set(set.name); other == nullptr || *other != set)
            return "set " + set.name + " is not as it is written";
    return "a set is missing";
}

} // namespace

bool is_one_generation(const Ruleset& rules) {
    std::set<std::optional<std::uint16_t>> seen;
    for (const Table* table : {&rules.v4, &rules.v6})
        for (const Chain& chain : table->chains)
            for (const Rule& rule : chain.rules) {
                if (rule.target.kind == Kind::SetFlowMark)
                    seen.insert(rule.target.mark.generation);
                if (const auto* mark = match_of<FlowMarkIs>(rule))
                    seen.insert(mark->mark.generation);
            }
    return seen.size() == 1;
}

Result<FilterImage> read_back(const iptables::Ruleset& ruleset, const Emitter& emitter) {
    try {
        FilterImage image = FilterReader(ruleset).run();
        if (!is_one_generation(ruleset))
            return Error{"rules know more than one generation"};
        for (const auto& [name, program] : image.programs)
            if (program.stages.back().end == FilterStage::End::Next)
                return Error{"program " + name + " goes on to what is not there"};
        for (const FilteredPod& pod : image.pods)
            for (const std::string& name : {pod.egress, pod.ingress})
                if (!image.programs.contains(name))
                    return Error{"no chain is the program of " + net::to_string(pod.nets)};
        const iptables::Ruleset found = comparable(ruleset),
                                wanted = comparable(emitter ? emitter(image) : emit(image));
        if (found != wanted)
            return Error{difference(found, wanted)};
        return image;
    } catch (const NotOurs& failure) {
        return Error{failure.why};
    } catch (const std::runtime_error& failure) { // of read_frame()
        return Error{failure.what()};
    }
}

} // namespace polecat::iptables
