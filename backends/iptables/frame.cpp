#include "backends/iptables/frame.h"

#include "backends/iptables/iptables.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

class FrameMaker {
  public:
    FrameMaker(const Frame& settings, net::Family family) : settings_(settings), family_(family) {}

    std::vector<Chain> run() {
        add_hooks();
        add_known_flows();
        add_forward();
        add_input();
        return std::move(out_);
    }

  private:
    static Rule remember(bool denied) { return {{}, {}, {Kind::SetFlowMark, {}, {denied, {}}}}; }

    void chain(std::string name, std::vector<Rule> rules) {
        out_.push_back({std::move(name), std::move(rules)});
    }

    void for_workloads(std::vector<Rule>& rules, bool incoming, const Rule& rule) const {
        for (const std::string& prefix : settings_.interface_prefixes) {
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
        chain("polecat-known",
              {drop({FlowState{true, false, false}}, "invalid"),
               plain({FlowMarkIs{{false, {}}}}, Kind::Accept),
               drop({FlowMarkIs{{true, {}}}}, "flow was denied"),
               drop({FlowState{false, true, false}}, "related to a flow that is not allowed")});
        chain("polecat-deny", {remember(true), plain({}, Kind::Drop)});
        chain("polecat-allow", {remember(false), plain({}, Kind::Accept)});
        chain("polecat-source", {plain({InSet{false, pods_set(family_), true, true}}, Kind::Return),
                                 drop({}, "forged source or unknown interface")});
        std::vector<Rule> encapsulation;
        if (settings_.dropped_vxlan_port)
            encapsulation.push_back(
                drop({ProtocolIs{false, net::kUdp},
                      PortIn{false,
                             false,
                             {{*settings_.dropped_vxlan_port, *settings_.dropped_vxlan_port}}}},
                     "VXLAN from a workload"));
        if (settings_.drops_ipip)
            encapsulation.push_back(drop({ProtocolIs{false, net::kIpIp}}, "IPIP from a workload"));
        chain("polecat-encap", std::move(encapsulation));
    }

    void add_forward() {
        std::vector<Rule> rules, replies;
        for_workloads(rules, true, jump({}, "polecat-source"));
        rules.push_back(jump({}, "polecat-known"));
        rules.push_back(go_to({IsReply{}}, "polecat-reply"));
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
                rules.push_back(plain({ProtocolIs{false, net::kIcmpV6},
                                       IcmpIs{false, true, static_cast<std::uint8_t>(type), {}}},
                                      Kind::Accept));
        rules.push_back(jump({}, "polecat-source"));
        rules.push_back(plain({FlowState{false, true, true}, IsReply{}}, Kind::Accept));
        rules.push_back(jump({}, "polecat-known"));
        rules.push_back(jump({}, "polecat-encap"));
        rules.push_back(jump({}, "polecat-from"));
        if (settings_.to_host == policy::HostAction::Drop)
            rules.push_back(drop({}, "defaultEndpointToHostAction Drop"));
        else if (settings_.to_host == policy::HostAction::Accept)
            rules.push_back(go_to({}, "polecat-allow"));
        chain("polecat-host", std::move(rules));
    }

    const Frame& settings_;
    net::Family family_;
    std::vector<Chain> out_;
};

} // namespace

std::vector<Chain> frame(const Frame& settings, net::Family family) {
    return FrameMaker(settings, family).run();
}

Set set_of_endpoints(std::string name, std::string what, net::Family family) {
    Set out;
    out.name = std::move(name);
    out.what = std::move(what);
    out.type = Set::Type::NetInterfaces;
    out.family = family;
    return out;
}

std::string filter_hooks() {
    return "*filter\n-I FORWARD -j polecat-forward\n-I INPUT -j polecat-input\nCOMMIT\n";
}

} // namespace polecat::iptables
