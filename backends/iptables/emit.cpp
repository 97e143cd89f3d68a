// Chains and sets of a node: what every packet meets before and after the programs.
#include "backends/iptables/iptables.h"

#include <set>

#include <fmt/format.h>

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
        add_hooks();
        add_known_flows();
        add_forward();
        add_input();
        add_dispatch();
        for (const auto& [name, program] : image_.programs)
            if (program.family == family_)
                for (const bool reply : {false, true})
                    add_program(name, program, reply);
        return std::move(out_);
    }

  private:
    static Rule plain(std::vector<Match> matches, Kind kind, std::string name = {}) {
        return {std::move(matches), {}, {kind, std::move(name), {}}};
    }
    static Rule jump(std::vector<Match> matches, std::string chain) {
        return plain(std::move(matches), Kind::Jump, std::move(chain));
    }
    static Rule go_to(std::vector<Match> matches, std::string chain) {
        return plain(std::move(matches), Kind::Goto, std::move(chain));
    }
    static Rule drop(std::vector<Match> matches, std::string why) {
        return {std::move(matches), std::move(why), {Kind::Drop, {}, {}}};
    }
    static Rule remember(bool denied) { return {{}, {}, {Kind::SetFlowMark, {}, {denied, {}}}}; }

    void chain(std::string name, std::vector<Rule> rules) {
        out_.chains.push_back({std::move(name), std::move(rules)});
    }

    void for_workloads(std::vector<Rule>& rules, bool incoming, const Rule& rule) const {
        for (const std::string& prefix : image_.interface_prefixes) {
            rules.push_back(rule);
            rules.back().matches.insert(rules.back().matches.begin(),
                                        InterfaceIs{incoming, prefix + "+"});
        }
    }

    /// Packets between other interfaces are none of our business.
    void add_hooks() {
        std::vector<Rule> forward, input;
        for_workloads(forward, true, go_to({}, "polecat-workload"));
        for_workloads(forward, false, go_to({}, "polecat-workload"));
        for_workloads(input, true, go_to({}, "polecat-host"));
        chain("polecat-forward", std::move(forward));
        chain("polecat-input", std::move(input));
    }

    /// A flow that this generation has judged is not judged again, whatever its direction.
    void add_known_flows() {
        chain("polecat-known", {drop({iptables::FlowState{true, false, false}}, "invalid"),
                                plain({iptables::FlowMarkIs{{false, {}}}}, Kind::Accept),
                                drop({iptables::FlowMarkIs{{true, {}}}}, "flow was denied"),
                                drop({iptables::FlowState{false, true, false}},
                                     "related to a flow that is not allowed")});
        chain("polecat-deny", {remember(true), plain({}, Kind::Drop)});
        chain("polecat-allow", {remember(false), plain({}, Kind::Accept)});
        chain("polecat-source",
              {plain({iptables::InSet{false, pods_set(family_), true, true}}, Kind::Return),
               drop({}, "forged source or unknown interface")});
        std::vector<Rule> encapsulation;
        if (image_.dropped_vxlan_port)
            encapsulation.push_back(drop(
                {iptables::ProtocolIs{false, net::kUdp},
                 iptables::PortIn{
                     false, false, {{*image_.dropped_vxlan_port, *image_.dropped_vxlan_port}}}},
                "VXLAN from a workload"));
        if (image_.drops_ipip)
            encapsulation.push_back(
                drop({iptables::ProtocolIs{false, net::kIpIp}}, "IPIP from a workload"));
        chain("polecat-encap", std::move(encapsulation));
    }

    void add_forward() {
        std::vector<Rule> rules, replies;
        for_workloads(rules, true, jump({}, "polecat-source"));
        rules.push_back(jump({}, "polecat-known"));
        rules.push_back(go_to({iptables::IsReply{}}, "polecat-reply"));
        for_workloads(rules, true, jump({}, "polecat-encap"));
        for_workloads(rules, true, jump({}, "polecat-from"));
        for_workloads(rules, false, jump({}, "polecat-to"));
        rules.push_back(go_to({}, "polecat-allow"));
        chain("polecat-workload", std::move(rules));
        for_workloads(replies, false, jump({}, "polecat-from-r"));
        for_workloads(replies, true, jump({}, "polecat-to-r"));
        replies.push_back(go_to({}, "polecat-allow"));
        chain("polecat-reply", std::move(replies));
    }

    /// Neighbour discovery and multicast listeners always; answers to the host; then the pod's
    /// egress program and defaultEndpointToHostAction.
    void add_input() {
        std::vector<Rule> rules;
        if (family_ == net::Family::V6)
            for (const int type : {130, 131, 132, 133, 135, 136})
                rules.push_back(
                    plain({iptables::ProtocolIs{false, net::kIcmpV6},
                           iptables::IcmpIs{false, true, static_cast<std::uint8_t>(type), {}}},
                          Kind::Accept));
        rules.push_back(jump({}, "polecat-source"));
        rules.push_back(
            plain({iptables::FlowState{false, true, true}, iptables::IsReply{}}, Kind::Accept));
        rules.push_back(jump({}, "polecat-known"));
        rules.push_back(jump({}, "polecat-encap"));
        rules.push_back(jump({}, "polecat-from"));
        if (image_.to_host == policy::HostAction::Drop)
            rules.push_back(drop({}, "defaultEndpointToHostAction Drop"));
        else if (image_.to_host == policy::HostAction::Accept)
            rules.push_back(go_to({}, "polecat-allow"));
        chain("polecat-host", std::move(rules));
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
        iptables::Set& made = sets[name];
        made.name = name;
        made.what = what;
        made.type = iptables::Set::Type::NetInterfaces;
        made.family = family;
        return made;
    };
    set(pods_set(family), "pods of this node");
    for (const FilteredPod& pod : image.pods) {
        if (pod.nets.family() != family)
            continue;
        const iptables::Member member{pod.nets, 0, 0, pod.interface};
        set(pods_set(family), "pods of this node").members.push_back(member);
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

std::string filter_hooks() {
    return "*filter\n-I FORWARD -j polecat-forward\n-I INPUT -j polecat-input\nCOMMIT\n";
}

} // namespace polecat::iptables
