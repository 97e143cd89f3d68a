// The ruleset of a node: what every packet meets before and after the programs.
#include <algorithm>
#include <set>

#include "backends/nftables/emit_program.h"
#include "backends/nftables/layout.h"

namespace polecat::backends {

using namespace layout;
using nft::FlowMarkIs;
using nft::InterfaceIs;
using nft::Map;
using nft::WordIs;
using Kind = nft::Verdict::Kind;

namespace {

class Emitter {
  public:
    Emitter(const NodeImage& image, const Slots& slots) : image_(image), slots_(slots) {}

    nft::Ruleset run() {
        add_addresses();
        add_dispatch();
        add_forward();
        add_encapsulation();
        add_input();
        add_output();
        add_judges();
        add_ends();
        emit_host(image_, out_);
        emit_programs(image_, out_);
        out_.sort();
        return std::move(out_);
    }

  private:
    Map& map(std::string name, nft::KeyType key, Map::Kind kind, bool interval = false) {
        return add_map(out_, std::move(name), key, kind, interval);
    }
    void chain(std::string name, std::vector<nft::Rule> rules, std::string hook = {}) {
        add_chain(out_, std::move(name), std::move(rules), std::move(hook));
    }

    void add_addresses() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const nft::KeyType type =
                family == net::Family::V4 ? nft::KeyType::Ipv4 : nft::KeyType::Ipv6;
            Map& exact = map(slots_.name("addr" + family_digit(family)), type, Map::Kind::Words);
            for (const auto& [address, identity] : image_.addresses)
                if (address.family == family)
                    exact.elements.push_back({{{}, address, address}, identity_mark(identity)});
            for (const bool source : {true, false})
                add_identify(family, source);
            Map& ranges =
                map(slots_.name("net" + family_digit(family)), type, Map::Kind::Words, true);
            for (const auto& [range, identity] : image_.outside)
                if (range.first.family == family)
                    ranges.elements.push_back(
                        {{{}, range.first, range.last}, identity_mark(identity)});
        }
    }

    /// The identity of an address into the word.
    void add_identify(net::Family family, bool source) {
        const std::string digit = family_digit(family);
        const nft::AddressField address{family, source};
        const WordIs none{~0u, 0};
        chain(identify_chain(family, source),
              {plain({}, {nft::SetWord{0}}),
               plain({}, {nft::WordByAddress{address, slots_.name("addr" + digit)}}),
               plain({none}, {nft::WordByAddress{address, slots_.name("net" + digit)}}),
               counted_drop({none}, "address without identity")});
    }

    /// By interface and address: who may use it, and its group; by group: which program runs.
    /// Replies meet the mirrored program of the other direction.
    void add_dispatch() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const nft::KeyType type = family == net::Family::V4 ? nft::KeyType::InterfaceIpv4
                                                                : nft::KeyType::InterfaceIpv6;
            Map& pods = map(slots_.name("pod" + family_digit(family)), type, Map::Kind::Words);
            for (const DispatchEntry& entry : image_.dispatch)
                if (entry.address.family == family)
                    pods.elements.push_back(
                        {{entry.interface, entry.address, entry.address}, entry.group});
            if (!has_ranges(family))
                continue;
            Map& ranges =
                map(slots_.name("range" + family_digit(family)), type, Map::Kind::Words, true);
            for (const SourceRange& each : image_.other_sources)
                if (each.range.first.family == family)
                    ranges.elements.push_back(
                        {{each.interface, each.range.first, each.range.last}, each.group});
        }
        add_programs("from", true, false);
        add_programs("to", false, false);
        add_programs("rfrom", false, true);
        add_programs("rto", true, true);
    }

    bool has_ranges(net::Family family) const {
        return std::any_of(image_.other_sources.begin(), image_.other_sources.end(),
                           [&](const auto& each) { return each.range.first.family == family; });
    }

    void add_programs(const char* name, bool egress, bool reply) {
        Map& by_group = map(name, nft::KeyType::Word, Map::Kind::Verdicts);
        for (const auto& [number, group] : image_.groups) {
            nft::Key key;
            key.low = key.high = number;
            by_group.elements.push_back(
                {key, nft::Goto{program_chain(egress ? group.egress : group.ingress, reply)}});
        }
    }

    void add_invalid(std::vector<nft::Rule>& rules) const {
        if (image_.drops_invalid)
            rules.push_back(counted_drop({state_is(kInvalid)}, "invalid"));
    }

    /// Flows that this generation has allowed, whatever conntrack's state: one that nothing answers
    /// is judged once as well. What is invalid belongs to no flow and has no mark.
    static void add_allowed_flows(std::vector<nft::Rule>& rules) {
        rules.push_back(plain({flow_is(0)}, {verdict(Kind::Accept)}));
    }

    /// Others that need no judging.
    void add_other_flows(std::vector<nft::Rule>& rules) const {
        add_invalid(rules);
        rules.push_back(counted_drop({flow_is(kRevoked)}, "flow was denied"));
        rules.push_back(plain({state_is(kRelated)}, {go_to("related")}));
    }

    /// A rule for each prefix of workloads' interfaces.
    void for_workloads(std::vector<nft::Rule>& rules, bool incoming,
                       const nft::Statement& action) const {
        for (const std::string& prefix : image_.interface_prefixes)
            rules.push_back(plain({InterfaceIs{incoming, false, prefix + "*"}}, {action}));
    }

    /// Packets that no workload and no policy of a host endpoint for forwarding has to do with.
    void add_foreign(std::vector<nft::Rule>& rules) const {
        std::vector<nft::Match> matches;
        for (const bool incoming : {true, false})
            add_not_workload(matches, image_, incoming);
        for (const std::string& interface : judged_in_passing({decision::Hook::Forward})) {
            if (interface == "*")
                return;
            for (const bool incoming : {true, false})
                matches.emplace_back(InterfaceIs{incoming, true, interface});
        }
        rules.push_back(plain(std::move(matches), {verdict(Kind::Accept)}));
    }

    /// Interfaces with programs of some of these hooks.
    std::set<std::string> judged_in_passing(const std::vector<decision::Hook>& hooks) const {
        std::set<std::string> out;
        for (const decision::Hook hook : hooks)
            out.merge(image_.interfaces_at(hook));
        return out;
    }

    void add_forward() {
        std::vector<nft::Rule> rules;
        for_workloads(rules, true, jump("source_check"));
        add_allowed_flows(rules); // before all that most packets need not be asked
        add_foreign(rules);
        add_other_flows(rules);
        add_judging(rules, "judge");
        chain("forward", std::move(rules), "forward");
        std::vector<nft::Rule> check;
        for (const char* sources : {"pod", "range"})
            for (const net::Family family : {net::Family::V4, net::Family::V6})
                if (*sources == 'p' || has_ranges(family))
                    check.push_back(plain(
                        {nft::PairIn{
                            true, {family, true}, slots_.name(sources + family_digit(family))}},
                        {verdict(Kind::Return)}));
        check.push_back(counted_drop({}, "forged source or unknown interface"));
        chain("source_check", std::move(check));
    }

    /// What could reach past policy on the node that unpacks it.
    void add_encapsulation() {
        std::vector<nft::Rule> rules;
        if (image_.dropped_vxlan_port)
            rules.push_back(
                counted_drop({nft::PortIs{net::kUdp, false, *image_.dropped_vxlan_port}},
                             "VXLAN from a workload"));
        if (image_.drops_ipip)
            rules.push_back(counted_drop({nft::ProtocolIs{net::kIpIp}}, "IPIP from a workload"));
        chain("encapsulation", std::move(rules));
    }

    /// Pods to their own node: neighbour discovery and multicast listeners always; answers to the
    /// host; then the pod's egress program and defaultEndpointToHostAction.
    void add_input() {
        std::vector<nft::Rule> rules;
        std::vector<nft::Match> foreign;
        add_not_workload(foreign, image_, true);
        const bool host = image_.attaches(decision::Hook::Normal, decision::Direction::Ingress);
        rules.push_back(
            plain(std::move(foreign), {host ? go_to("input_host") : verdict(Kind::Accept)}));
        add_machines(rules);
        rules.push_back(plain({nft::IcmpTypeIn{true, {130, 131, 132, 133, 135, 136}}},
                              {verdict(Kind::Accept)}));
        rules.push_back(plain({}, {jump("source_check")}));
        rules.push_back(
            plain({state_is(kEstablished), nft::DirectionIs{true}}, {verdict(Kind::Accept)}));
        add_allowed_flows(rules);
        add_other_flows(rules);
        add_judging(rules, "judge_host");
        chain("input", std::move(rules), "input");
        std::vector<nft::Rule> judge{plain({}, {jump("encapsulation")}),
                                     plain({}, {jump("from_workload")})};
        if (image_.to_host == policy::HostAction::Drop)
            judge.push_back(counted_drop({}, "defaultEndpointToHostAction Drop"));
        else if (image_.to_host == policy::HostAction::Accept)
            judge.push_back(remember(0));
        chain("judge_host", std::move(judge));
    }

    /// OpenStack's machines, by the name of their interfaces, get their address from the host.
    void add_machines(std::vector<nft::Rule>& rules) const {
        const auto& prefixes = image_.interface_prefixes;
        if (std::find(prefixes.begin(), prefixes.end(), "tap") == prefixes.end())
            return;
        using Ports = std::pair<std::uint16_t, std::uint16_t>;
        for (const auto& [client, server] : {Ports{68, 67}, Ports{546, 547}})
            rules.push_back(
                plain({InterfaceIs{true, false, "tap*"}, nft::PortIs{net::kUdp, true, client},
                       nft::PortIs{net::kUdp, false, server}},
                      {verdict(Kind::Accept)}));
    }

    /// A host reaches its own pods; its answers to them follow their flow.
    void add_output() {
        std::vector<nft::Rule> rules;
        std::vector<nft::Match> foreign;
        add_not_workload(foreign, image_, false);
        const bool host = image_.attaches(decision::Hook::Normal, decision::Direction::Egress);
        rules.push_back(
            plain(std::move(foreign), {host ? go_to("output_host") : verdict(Kind::Accept)}));
        rules.push_back(plain({nft::DirectionIs{true}}, {go_to("answers")}));
        chain("output", std::move(rules), "output");
        std::vector<nft::Rule> answers{plain({flow_is(0)}, {verdict(Kind::Accept)}),
                                       counted_drop({flow_is(kRevoked)}, "flow was denied"),
                                       plain({state_is(kRelated)}, {verdict(Kind::Accept)})};
        add_judging(answers, "judge_answer");
        chain("answers", std::move(answers));
        std::vector<nft::Rule> judge{plain({}, {jump("reply_to_workload")})};
        if (image_.to_host == policy::HostAction::Drop)
            judge.push_back(
                {{}, {nft::Counter{}, go_to("deny")}, "defaultEndpointToHostAction Drop"});
        else if (image_.to_host == policy::HostAction::Accept &&
                 !judged_in_passing({decision::Hook::PreDnat}).contains("*"))
            judge.push_back(remember(0));
        chain("judge_answer", std::move(judge));
    }

    void dispatch_chain(const char* name, bool incoming, const char* programs) {
        std::vector<nft::Rule> rules{plain({}, {nft::SetWord{0}})};
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            rules.push_back(plain(
                {}, {nft::WordByPair{
                        incoming, {family, incoming}, slots_.name("pod" + family_digit(family))}}));
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (has_ranges(family))
                rules.push_back(
                    plain({WordIs{~0u, 0}},
                          {nft::WordByPair{incoming,
                                           {family, incoming},
                                           slots_.name("range" + family_digit(family))}}));
        rules.push_back(plain({}, {nft::JumpByWord{programs, ~0u}}));
        rules.push_back(counted_drop({}, "unknown workload interface or address"));
        chain(name, std::move(rules));
    }

    void add_stage(std::vector<nft::Rule>& rules, const Stage& stage) const {
        if (image_.attaches(stage.hook, stage.direction))
            rules.push_back(plain({}, {jump(stage.name)}));
    }

    void add_judges() {
        std::vector<nft::Rule> originals{plain({nft::DirectionIs{true}}, {go_to("judge_reply")})};
        for_workloads(originals, true, jump("encapsulation"));
        add_stage(originals, kThroughIn);
        for_workloads(originals, true, jump("from_workload"));
        for_workloads(originals, false, jump("to_workload"));
        add_stage(originals, kThroughOut);
        originals.push_back(remember(0));
        chain("judge", std::move(originals));
        std::vector<nft::Rule> replies;
        for_workloads(replies, false, jump("reply_to_workload"));
        for_workloads(replies, true, jump("reply_from_workload"));
        add_unsettled(replies);
        chain("judge_reply", std::move(replies));
        dispatch_chain("from_workload", true, "from");
        dispatch_chain("to_workload", false, "to");
        dispatch_chain("reply_from_workload", true, "rfrom");
        dispatch_chain("reply_to_workload", false, "rto");
    }

    /// Host endpoints judge a flow by its own packets: an answer of one that they have a part in
    /// does not settle it.
    void add_unsettled(std::vector<nft::Rule>& replies) const {
        for (const std::string& interface :
             judged_in_passing({decision::Hook::Forward, decision::Hook::PreDnat})) {
            if (interface == "*")
                return;
            for (const bool incoming : {true, false})
                replies.push_back(
                    plain({InterfaceIs{incoming, false, interface}}, {verdict(Kind::Return)}));
        }
        replies.push_back(remember(0));
    }

    void add_ends() {
        std::vector<nft::Rule> deny{remember(kRevoked)};
        deny.push_back(plain({}, {verdict(image_.rejects ? Kind::Reject : Kind::Drop)}));
        chain("deny", std::move(deny));
        // Errors follow their flow, also while its next packet has not been judged anew.
        const nft::Match judged = FlowMarkIs{kGeneration, 0, false, true};
        chain("related",
              {counted_drop({FlowMarkIs{kRevoked, kRevoked}}, "flow was denied"),
               plain({judged, nft::IcmpTypeIn{false, kErrors4}}, {verdict(Kind::Accept)}),
               plain({judged, nft::IcmpTypeIn{true, kErrors6}}, {verdict(Kind::Accept)}),
               counted_drop({}, "related to a flow that is not allowed")});
        // The priority that the kernel gives to packets that it forwards, by the bits of IPv4's
        // type of service that count for it (rt_tos2priority).
        std::vector<nft::Rule> put_back{plain({}, {nft::SetWord{0}}),
                                        plain({nft::DscpIn{{0}}}, {verdict(Kind::Return)})};
        constexpr std::uint32_t kByBits[] = {0, 2, 6, 4}; // TC_PRIO_BULK, INTERACTIVE, ...
        for (const unsigned bits : {1u, 2u, 3u}) {
            nft::DscpIn match;
            for (unsigned value = 0; value < 64; ++value)
                if ((value >> 1 & 3) == bits)
                    match.values.push_back(static_cast<std::uint8_t>(value));
            put_back.push_back(plain({std::move(match)}, {nft::SetWord{kByBits[bits]}}));
        }
        chain("put_back", std::move(put_back));
    }

    const NodeImage& image_;
    const Slots& slots_;
    nft::Ruleset out_;
};

} // namespace

nft::Ruleset emit(const NodeImage& image, const Slots& slots) {
    return nft::with_flow_marks_moved(Emitter(image, slots).run(),
                                      static_cast<int>(image.flow_mark_bit) -
                                          static_cast<int>(kFlowMarkBit));
}

} // namespace polecat::backends
