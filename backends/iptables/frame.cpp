#include "backends/iptables/frame.h"

#include "backends/iptables/frame_host.h"
#include "backends/iptables/iptables.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

class FrameMaker {
  public:
    FrameMaker(const Frame& settings, net::Family family, const HostChainOf& host_chain_of)
        : settings_(settings), family_(family), host_(settings, family, host_chain_of) {}

    std::vector<Chain> run() {
        add_hooks();
        add_known_flows();
        add_forward();
        add_input();
        for (Chain& each : host_.run())
            out_.push_back(std::move(each));
        return std::move(out_);
    }

  private:
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

    /// Packets between other interfaces are none of our business, unless policy of a host endpoint
    /// applies on forward.
    void add_hooks() {
        std::vector<Rule> forward, input;
        const Rule judged = go_to({}, "polecat-workload");
        const auto others = host_.interfaces_at({decision::Hook::Forward});
        if (others.contains("*"))
            forward.push_back(judged);
        else
            for (const bool incoming : {true, false}) {
                for_workloads(forward, incoming, judged);
                for (const std::string& each : others)
                    forward.push_back(go_to({InterfaceIs{incoming, each}}, "polecat-workload"));
            }
        for_workloads(input, true, go_to({}, "polecat-host"));
        if (host_.uses(kHostIn))
            host_.for_interfaces(input, kHostIn, go_to({}, kInputHost));
        chain("polecat-forward", std::move(forward));
        chain("polecat-input", std::move(input));
    }

    /// A flow that this generation has judged is not judged again, whatever its direction.
    void add_known_flows() {
        chain("polecat-known", {drop({FlowState{true, false, false, false}}, "invalid"),
                                plain({FlowMarkIs{{false, {}}}}, Kind::Accept),
                                drop({FlowMarkIs{{true, {}}}}, "flow was denied"),
                                drop({FlowState{false, true, false, false}},
                                     "related to a flow that is not allowed")});
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
        std::vector<Rule> rules, onward;
        for_workloads(rules, true, jump({}, "polecat-source"));
        rules.push_back(jump({}, "polecat-known"));
        rules.push_back(go_to({IsReply{}}, "polecat-reply"));
        for_workloads(rules, true, jump({}, "polecat-encap"));
        const bool host = host_.uses(kThroughIn);
        if (host)
            rules.push_back(jump({}, kThroughIn.chain));
        for_workloads(onward, true, jump({}, "polecat-from"));
        for_workloads(onward, false, jump({}, "polecat-to"));
        if (host_.uses(kThroughOut))
            onward.push_back(jump({}, kThroughOut.chain));
        onward.push_back(go_to({}, "polecat-allow"));
        if (host) { // what untracked policy took goes on there
            rules.push_back(go_to({}, kOnward));
            chain(kOnward, std::move(onward));
        } else {
            rules.insert(rules.end(), onward.begin(), onward.end());
        }
        chain("polecat-workload", std::move(rules));
        add_replies();
    }

    /// Host endpoints judge a flow by its own packets: an answer of one that they have a part in
    /// does not settle it.
    void add_replies() {
        std::vector<Rule> rules;
        for_workloads(rules, false, jump({}, "polecat-from-r"));
        for_workloads(rules, true, jump({}, "polecat-to-r"));
        const auto judged = host_.interfaces_at({decision::Hook::Forward, decision::Hook::PreDnat});
        for (const std::string& each : judged)
            for (const bool incoming : {true, false})
                if (each != "*")
                    rules.push_back(plain({InterfaceIs{incoming, each}}, Kind::Accept));
        rules.push_back(judged.contains("*") ? plain({}, Kind::Accept)
                                             : go_to({}, "polecat-allow"));
        chain("polecat-reply", std::move(rules));
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
        rules.push_back(plain({FlowState{false, true, true, false}, IsReply{}}, Kind::Accept));
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
    HostFrame host_;
    std::vector<Chain> out_;
};

/// In the order in which they are loaded: packets are judged for good by the last.
constexpr struct {
    In table;
    const char* of;
    const char* chain;
} kHooks[] = {
    {In::Raw, "PREROUTING", kRawIn.chain},          {In::Raw, "OUTPUT", kRawOut.chain},
    {In::Mangle, "PREROUTING", "polecat-early"},    {In::Mangle, "OUTPUT", "polecat-output"},
    {In::Mangle, "POSTROUTING", "polecat-leaving"}, {In::Filter, "FORWARD", "polecat-forward"},
    {In::Filter, "INPUT", "polecat-input"}};

} // namespace

std::vector<Chain> frame(const Frame& settings, net::Family family,
                         const HostChainOf& host_chain_of) {
    return FrameMaker(settings, family, host_chain_of).run();
}

std::vector<HookRule> hooks_of(const Table& table) {
    std::vector<HookRule> out;
    for (const auto& [in, of, chain] : kHooks)
        if (table.find(chain, in) != nullptr)
            out.push_back({in, of, chain, true});
    return out;
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
    std::vector<HookRule> hooks;
    for (const auto& [in, of, chain] : kHooks)
        if (in == In::Filter)
            hooks.push_back({in, of, chain, true});
    return print(Table{}, hooks);
}

std::string host_hooks(const Table& table) {
    std::vector<HookRule> hooks = hooks_of(table);
    std::erase_if(hooks, [](const HookRule& each) { return each.table == In::Filter; });
    return print(Table{}, hooks);
}

} // namespace polecat::iptables
