// The ruleset of a node: what every packet meets before and after the programs.
#include "backends/nftables/emit_program.h"
#include "backends/nftables/layout.h"

namespace polecat::backends {

using namespace layout;
using nft::Chain;
using nft::InterfaceIs;
using nft::Map;
using nft::MarkIs;
using Kind = nft::Verdict::Kind;

namespace {

const nft::StateIn kInvalid{{1}}, kEstablished{{2, 4}}, kRelated{{4}};

class Emitter {
  public:
    Emitter(const NodeImage& image, const Slots& slots) : image_(image), slots_(slots) {}

    nft::Ruleset run() {
        add_addresses();
        add_dispatch();
        add_forward();
        add_encapsulation();
        add_input();
        add_judges();
        emit_class_chains(image_, out_);
        for (const auto& [name, program] : image_.programs)
            emit_program(name, program, out_);
        out_.sort();
        return std::move(out_);
    }

  private:
    Map& map(std::string name, nft::KeyType key, Map::Kind kind, bool interval = false) {
        Map made;
        made.name = std::move(name);
        made.key = key;
        made.kind = kind;
        made.interval = interval;
        out_.maps.push_back(std::move(made));
        return out_.maps.back();
    }

    void chain(std::string name, std::vector<nft::Rule> rules, std::string hook = {}) {
        Chain made;
        made.name = std::move(name);
        made.hook = std::move(hook);
        made.rules = std::move(rules);
        out_.chains.push_back(std::move(made));
    }

    void add_addresses() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const nft::KeyType type =
                family == net::Family::V4 ? nft::KeyType::Ipv4 : nft::KeyType::Ipv6;
            Map& exact = map(slots_.name("addr" + family_digit(family)), type, Map::Kind::Marks);
            for (const auto& [address, identity] : image_.addresses)
                if (address.family == family)
                    exact.elements.push_back({{{}, address, address}, identity_mark(identity)});
            for (const bool source : {true, false})
                add_identify(family, source);
            Map& ranges =
                map(slots_.name("net" + family_digit(family)), type, Map::Kind::Marks, true);
            for (const auto& [range, identity] : image_.outside)
                if (range.first.family == family)
                    ranges.elements.push_back(
                        {{{}, range.first, range.last}, identity_mark(identity)});
        }
    }

    /// The identity of an address into the mark.
    void add_identify(net::Family family, bool source) {
        const std::string digit = family_digit(family);
        const nft::AddressField address{family, source};
        const MarkIs none{false, ~0u, 0, false};
        chain(identify_chain(family, source),
              {plain({}, {nft::SetMark{0}}),
               plain({}, {nft::MarkByAddress{address, slots_.name("addr" + digit)}}),
               plain({none}, {nft::MarkByAddress{address, slots_.name("net" + digit)}}),
               counted_drop({none}, "address without identity")});
    }

    /// By interface and address: who may use it, and its group; by group: which program runs.
    /// Replies meet the mirrored program of the other direction.
    void add_dispatch() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const nft::KeyType type = family == net::Family::V4 ? nft::KeyType::InterfaceIpv4
                                                                : nft::KeyType::InterfaceIpv6;
            Map& pods = map(slots_.name("pod" + family_digit(family)), type, Map::Kind::Marks);
            for (const DispatchEntry& entry : image_.dispatch)
                if (entry.address.family == family)
                    pods.elements.push_back(
                        {{entry.interface, entry.address, entry.address}, entry.group});
        }
        add_programs("from", true, false);
        add_programs("to", false, false);
        add_programs("rfrom", false, true);
        add_programs("rto", true, true);
    }

    void add_programs(const char* name, bool egress, bool reply) {
        Map& by_group = map(name, nft::KeyType::Mark, Map::Kind::Verdicts);
        for (const auto& [number, group] : image_.groups) {
            nft::Key key;
            key.low = key.high = number;
            by_group.elements.push_back(
                {key, nft::Goto{program_chain(egress ? group.egress : group.ingress, reply)}});
        }
    }

    static nft::Match flow_is(std::uint32_t state) { return MarkIs{true, kFlowBits, state, true}; }
    static nft::Rule remember(std::uint32_t state) {
        return plain({}, {nft::SetFlowMark{kForeignFlowBits, state, true}});
    }

    /// Flows that this generation has judged already.
    void add_known_flows(std::vector<nft::Rule>& rules) const {
        rules.push_back(counted_drop({kInvalid}, "invalid"));
        // Whatever conntrack's state: a flow that nothing answers is judged once as well.
        rules.push_back(plain({flow_is(0)}, {verdict(Kind::Accept)}));
        rules.push_back(counted_drop({flow_is(kRevoked)}, "flow was denied"));
        rules.push_back(counted_drop({kRelated}, "related to a flow that is not allowed"));
    }

    /// The mark is ours while a packet is judged; kube-proxy's bit is put back after it.
    void add_keep_mark(std::vector<nft::Rule>& rules, const std::string& name,
                       const std::string& judge) {
        rules.push_back(
            plain({MarkIs{false, kForeignMark, kForeignMark, false}}, {go_to(name + "_marked")}));
        rules.push_back(plain({}, {jump(judge)}));
        rules.push_back(plain({}, {nft::SetMark{0}}));
        chain(name + "_marked",
              {plain({}, {jump(judge)}), plain({}, {nft::SetMark{kForeignMark}})});
    }

    /// A rule for each prefix of workloads' interfaces.
    void for_workloads(std::vector<nft::Rule>& rules, bool incoming, nft::Statement action) const {
        for (const std::string& prefix : image_.interface_prefixes)
            rules.push_back(plain({InterfaceIs{incoming, false, prefix + "*"}}, {action}));
    }
    void add_not_workload(std::vector<nft::Match>& matches, bool incoming) const {
        for (const std::string& prefix : image_.interface_prefixes)
            matches.emplace_back(InterfaceIs{incoming, true, prefix + "*"});
    }

    void add_forward() {
        std::vector<nft::Rule> rules;
        std::vector<nft::Match> foreign;
        add_not_workload(foreign, true);
        add_not_workload(foreign, false);
        rules.push_back(plain(std::move(foreign), {verdict(Kind::Accept)}));
        for_workloads(rules, true, jump("source_check"));
        add_known_flows(rules);
        add_keep_mark(rules, "forward", "judge");
        chain("forward", std::move(rules), "forward");
        chain("source_check", {owner(net::Family::V4), owner(net::Family::V6),
                               counted_drop({}, "forged source or unknown interface")});
    }

    /// What could reach past policy on the node that unpacks it.
    void add_encapsulation() {
        std::vector<nft::Rule> rules;
        if (image_.dropped_vxlan_port)
            rules.push_back(counted_drop({nft::PacketIs{net::kUdp, image_.dropped_vxlan_port}},
                                         "VXLAN from a workload"));
        if (image_.drops_ipip)
            rules.push_back(
                counted_drop({nft::PacketIs{net::kIpIp, std::nullopt}}, "IPIP from a workload"));
        chain("encapsulation", std::move(rules));
    }

    nft::Rule owner(net::Family family) const {
        return plain({nft::PairIn{true, {family, true}, slots_.name("pod" + family_digit(family))}},
                     {verdict(Kind::Return)});
    }

    /// Pods to their own node: neighbour discovery and multicast listeners always; answers to the
    /// host; then the pod's egress program and defaultEndpointToHostAction.
    void add_input() {
        std::vector<nft::Rule> rules;
        std::vector<nft::Match> foreign;
        add_not_workload(foreign, true);
        rules.push_back(plain(std::move(foreign), {verdict(Kind::Accept)}));
        rules.push_back(plain({nft::IcmpTypeIn{true, {130, 131, 132, 133, 135, 136}}},
                              {verdict(Kind::Accept)}));
        rules.push_back(plain({}, {jump("source_check")}));
        rules.push_back(plain({kEstablished, nft::DirectionIs{true}}, {verdict(Kind::Accept)}));
        add_known_flows(rules);
        add_keep_mark(rules, "input", "judge_host");
        chain("input", std::move(rules), "input");
        std::vector<nft::Rule> host{plain({}, {jump("encapsulation")}),
                                    plain({}, {jump("from_workload")})};
        if (image_.to_host == policy::HostAction::Drop)
            host.push_back(counted_drop({}, "defaultEndpointToHostAction Drop"));
        else if (image_.to_host == policy::HostAction::Accept)
            host.push_back(remember(0));
        chain("judge_host", std::move(host));
    }

    void dispatch_chain(const char* name, bool incoming, const char* programs) {
        std::vector<nft::Rule> rules{plain({}, {nft::SetMark{0}})};
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            rules.push_back(plain(
                {}, {nft::MarkByPair{
                        incoming, {family, incoming}, slots_.name("pod" + family_digit(family))}}));
        rules.push_back(plain({}, {nft::JumpByMark{programs, ~0u}}));
        rules.push_back(counted_drop({}, "unknown workload interface or address"));
        chain(name, std::move(rules));
    }

    void add_judges() {
        std::vector<nft::Rule> originals{plain({nft::DirectionIs{true}}, {go_to("judge_reply")})};
        for_workloads(originals, true, jump("encapsulation"));
        for_workloads(originals, true, jump("from_workload"));
        for_workloads(originals, false, jump("to_workload"));
        originals.push_back(remember(0));
        chain("judge", std::move(originals));
        std::vector<nft::Rule> replies;
        for_workloads(replies, false, jump("reply_to_workload"));
        for_workloads(replies, true, jump("reply_from_workload"));
        replies.push_back(remember(0));
        chain("judge_reply", std::move(replies));
        dispatch_chain("from_workload", true, "from");
        dispatch_chain("to_workload", false, "to");
        dispatch_chain("reply_from_workload", true, "rfrom");
        dispatch_chain("reply_to_workload", false, "rto");
        chain("deny", {remember(kRevoked), plain({}, {verdict(Kind::Drop)})});
    }

    const NodeImage& image_;
    const Slots& slots_;
    nft::Ruleset out_;
};

} // namespace

nft::Ruleset emit(const NodeImage& image, const Slots& slots) {
    return Emitter(image, slots).run();
}

} // namespace polecat::backends
