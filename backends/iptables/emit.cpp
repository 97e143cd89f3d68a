// Chains and sets of a node: programs, and which of them a packet meets.
#include "backends/iptables/iptables.h"

#include <set>

#include <fmt/format.h>

#include "backends/iptables/frame.h"
#include "backends/iptables/layout.h"
#include "backends/iptables/mirror.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

/// Chains of one family.
class FilterEmitter {
  public:
    FilterEmitter(const FilterImage& image, net::Family family) : image_(image), family_(family) {}

    iptables::Table run() {
        out_.chains = frame({image_.to_host, image_.interface_prefixes, image_.dropped_vxlan_port,
                             image_.drops_ipip},
                            family_);
        add_dispatch();
        for (const auto& [name, program] : image_.programs)
            if (program.family == family_)
                for (const bool reply : {false, true})
                    add_program(name, program, reply);
        return std::move(out_);
    }

  private:
    void chain(std::string name, std::vector<Rule> rules) {
        out_.chains.push_back({std::move(name), std::move(rules)});
    }

    /// One set for each program, so that pods come and go without a change of rules.
    void add_dispatch() {
        for (const bool reply : {false, true})
            for (const bool egress : {true, false}) {
                std::set<std::string> programs;
                for (const FilteredPod& pod : image_.pods)
                    if (pod.nets.family() == family_)
                        programs.insert(egress ? pod.egress : pod.ingress);
                std::vector<Rule> rules;
                for (const std::string& program : programs)
                    rules.push_back(
                        go_to({iptables::InSet{false, runs_set(program, egress, family_),
                                               egress != reply, true}},
                              stage_chain(program, 0, reply)));
                rules.push_back(drop({}, "unknown workload interface or address"));
                chain(std::string(egress ? "polecat-from" : "polecat-to") + (reply ? "-r" : ""),
                      std::move(rules));
            }
    }

    void add_program(const std::string& name, const FilterProgram& program, bool reply) {
        for (std::size_t i = 0; i < program.stages.size(); ++i) {
            const FilterStage& stage = program.stages[i];
            const std::string next = stage_chain(name, i + 1, reply);
            std::vector<Rule> rules;
            for (const FilterRule& each : stage.rules)
                rules.push_back({reply ? mirrored(each.matches) : each.matches,
                                 fmt::format("slot {}: {}", each.slot, each.what),
                                 target_of(each, name, next)});
            Target end{Kind::Goto, "polecat-deny", {}};
            if (stage.end == FilterStage::End::Next)
                end.name = next;
            else if (stage.end == FilterStage::End::Allow)
                end = {Kind::Return, {}, {}};
            rules.push_back({{}, fmt::format("slot {}: {}", stage.slot, stage.what), end});
            chain(stage_chain(name, i, reply), std::move(rules));
        }
    }

    /// All chains of a program are gone to, so that what it allows returns to who asked it.
    static Target target_of(const FilterRule& rule, const std::string& program,
                            const std::string& next) {
        switch (rule.action) {
        case decision::Action::Allow:
            return {Kind::Return, {}, {}};
        case decision::Action::Pass:
            return {Kind::Goto, next, {}};
        case decision::Action::Log:
            return {Kind::Log, log_prefix(program, rule.slot), {}};
        case decision::Action::Deny:
            break;
        }
        return {Kind::Goto, "polecat-deny", {}};
    }

    const FilterImage& image_;
    net::Family family_;
    iptables::Table out_;
};

void add_pod_sets(const FilterImage& image, net::Family family, iptables::Ruleset& out) {
    std::map<std::string, iptables::Set> sets;
    const auto set = [&](const std::string& name, const std::string& what) -> iptables::Set& {
        return sets.try_emplace(name, set_of_endpoints(name, what, family)).first->second;
    };
    set(pods_set(family), kPodsText);
    for (const FilteredPod& pod : image.pods) {
        if (pod.nets.family() != family)
            continue;
        const iptables::Member member{pod.nets, 0, 0, pod.interface};
        set(pods_set(family), kPodsText).members.push_back(member);
        for (const bool egress : {true, false}) {
            const std::string& program = egress ? pod.egress : pod.ingress;
            set(runs_set(program, egress, family),
                (egress ? "whose egress is " : "whose ingress is ") + program)
                .members.push_back(member);
        }
    }
    for (auto& [name, made] : sets)
        out.sets.push_back(std::move(made));
}

} // namespace

iptables::Ruleset emit(const FilterImage& image) {
    iptables::Ruleset out;
    for (const auto& [name, set] : image.sets)
        out.sets.push_back(set);
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        add_pod_sets(image, family, out);
        out.table(family) = FilterEmitter(image, family).run();
    }
    out.sort();
    return out;
}

} // namespace polecat::iptables
