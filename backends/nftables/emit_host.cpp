// Host endpoints: the hooks of their programs, and what comes before them. docs/nftables.md says
// what a packet meets in which order.
#include <algorithm>
#include <set>

#include "backends/nftables/emit_program.h"
#include "backends/nftables/layout.h"

namespace polecat::backends {

using namespace layout;
using decision::Hook;
using nft::FlowMarkIs;
using nft::InterfaceIs;
using nft::WordIs;
using Kind = nft::Verdict::Kind;

namespace {

constexpr int kRaw = -300, kMangle = -150; // as iptables calls them

class HostEmitter {
  public:
    HostEmitter(const NodeImage& image, nft::Ruleset& out)
        : image_(image), out_(out), interfaces_(image.host_interfaces()) {}

    void run() {
        for (const Stage& stage : kStages)
            if (is_used(stage))
                add_stage(stage);
        add_raw();
        add_early();
        if (is_used(kHostIn))
            add_input();
        if (is_used(kHostOut))
            add_output();
        add_peers();
    }

  private:
    bool is_used(const Stage& stage) const { return image_.attaches(stage.hook, stage.direction); }
    bool has_wildcard(const Stage& stage) const {
        return image_.interfaces_at(stage.hook, stage.direction).contains("*");
    }

    /// Packets of interfaces that the stage has no program for.
    std::vector<nft::Match> elsewhere(const Stage& stage) const {
        std::vector<nft::Match> out;
        for (const std::string& each : image_.interfaces_at(stage.hook, stage.direction))
            out.emplace_back(InterfaceIs{stage.incoming(), true, each});
        return out;
    }
    void add_elsewhere(std::vector<nft::Rule>& rules, const Stage& stage) const {
        if (!has_wildcard(stage))
            rules.push_back(plain(elsewhere(stage), {verdict(Kind::Accept)}));
        else if (std::find(interfaces_.begin(), interfaces_.end(), "lo") == interfaces_.end())
            rules.push_back(
                plain({InterfaceIs{stage.incoming(), false, "lo"}}, {verdict(Kind::Accept)}));
    }

    // --- the programs of a stage -----------------------------------------------------------------

    /// Returns where no program is asked; otherwise as the program does.
    void add_stage(const Stage& stage) {
        std::vector<nft::Rule> rules;
        if (tells(stage.hook))
            rules.push_back(plain({}, {nft::SetWord{0}}));
        if (stage.hook == Hook::Normal)
            add_tunnels(rules, stage.incoming());
        add_failsafes(rules, stage);
        add_taken(rules, stage);
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            add_programs(rules, stage, family);
        add_chain(out_, stage.name, std::move(rules));
    }

    void add_programs(std::vector<nft::Rule>& rules, const Stage& stage, net::Family family) {
        std::vector<nft::Element> elements;
        std::string others;
        for (const AttachPoint& each : image_.attached) {
            if (!is_at(each, stage) || each.family != family)
                continue;
            nft::Key key;
            key.interface = each.interface;
            if (each.interface == "*")
                others = each.program;
            else
                elements.push_back({key, nft::Goto{program_chain(each.program, false)}});
        }
        if (!elements.empty()) {
            const std::string name = stage.map(family_digit(family).c_str());
            add_map(out_, name, nft::KeyType::Interface, nft::Map::Kind::Verdicts).elements =
                std::move(elements);
            rules.push_back(
                plain({nft::FamilyIs{family}}, {nft::JumpByInterface{stage.incoming(), name}}));
        }
        if (others.empty())
            return;
        std::vector<nft::Match> matches;
        for (const std::string& each : interfaces_)
            matches.emplace_back(InterfaceIs{stage.incoming(), true, each});
        matches.emplace_back(InterfaceIs{stage.incoming(), true, "lo"});
        if (stage.hook == Hook::Normal)
            add_not_workload(matches, image_, stage.incoming());
        matches.emplace_back(nft::FamilyIs{family});
        rules.push_back(plain(std::move(matches), {go_to(program_chain(others, false))}));
    }

    /// Before connections are known, answers of failsafe ports come as well.
    void add_failsafes(std::vector<nft::Rule>& rules, const Stage& stage) const {
        if (stage.hook == Hook::Forward)
            return;
        const auto add = [&](const std::vector<NodeImage::FailsafePort>& ports, bool answers) {
            for (const NodeImage::FailsafePort& each : ports) {
                std::vector<nft::Match> matches{nft::PortIs{each.protocol, answers, each.port}};
                if (each.net)
                    matches.emplace_back(
                        nft::AddressIs{{each.net->family(), stage.incoming()}, *each.net});
                rules.push_back(plain(std::move(matches), {verdict(Kind::Return)}));
            }
        };
        add(stage.incoming() ? image_.failsafe_in : image_.failsafe_out, false);
        if (stage.hook == Hook::Untracked)
            add(stage.incoming() ? image_.failsafe_out : image_.failsafe_in, true);
    }

    /// What an earlier hook of the interface took. Untracked policy is asked once more: that a
    /// packet belongs to no connection may be others' doing.
    void add_taken(std::vector<nft::Rule>& rules, const Stage& stage) const {
        if (stage.hook != Hook::Normal && stage.hook != Hook::Forward)
            return;
        if (stage.incoming())
            add_taken_early(rules);
        const Stage& raw = stage.incoming() ? kRawIn : kRawOut;
        if (!is_used(raw) || (stage.hook == Hook::Forward && !stage.incoming()))
            return;
        rules.push_back(plain({state_is(kUntracked)}, {jump(raw.name)}));
        rules.push_back(
            plain({state_is(kUntracked), WordIs{~0u, kTaken}}, {verdict(Kind::Return)}));
    }

    /// Of interfaces without preDNAT policy the bit may be an older policy's.
    void add_taken_early(std::vector<nft::Rule>& rules) const {
        const FlowMarkIs taken{kEarly, kEarly};
        if (has_wildcard(kEarlyIn))
            rules.push_back(plain({taken}, {verdict(Kind::Return)}));
        else
            for (const std::string& each : image_.interfaces_at(kEarlyIn.hook, kEarlyIn.direction))
                rules.push_back(
                    plain({InterfaceIs{true, false, each}, taken}, {verdict(Kind::Return)}));
    }

    // --- what nodes send each other --------------------------------------------------------------

    void add_tunnels(std::vector<nft::Rule>& rules, bool incoming) const {
        const auto add = [&](std::vector<nft::Match> matches) {
            rules.push_back({std::move(matches), {verdict(Kind::Return)}, kTunnelComment});
        };
        const Tunnels& tunnels = image_.tunnels;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const nft::AddressIn peers{{family, incoming}, "peers" + family_digit(family)};
            if (tunnels.vxlan)
                add({nft::PortIs{net::kUdp, false, *tunnels.vxlan}, peers});
            if (tunnels.ipip && family == net::Family::V4)
                add({nft::ProtocolIs{net::kIpIp}, peers});
        }
        for (const auto& [family, port] : tunnels.wireguard)
            add({nft::FamilyIs{family}, nft::PortIs{net::kUdp, false, port}});
    }

    void add_peers() {
        if (!image_.tunnels.vxlan && !image_.tunnels.ipip)
            return;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            nft::Map& peers =
                add_map(out_, "peers" + family_digit(family),
                        family == net::Family::V4 ? nft::KeyType::Ipv4 : nft::KeyType::Ipv6,
                        nft::Map::Kind::Set);
            for (const net::Address& each : image_.tunnels.peers)
                if (each.family == family)
                    peers.elements.push_back({{{}, each, each}, {}});
        }
    }

    // --- hooks -----------------------------------------------------------------------------------

    /// Before conntrack: what untracked policy takes belongs to no connection.
    void add_raw() {
        if (is_used(kRawIn)) {
            std::vector<nft::Rule> rules;
            add_elsewhere(rules, kRawIn);
            rules.push_back(plain({}, {jump(kRawIn.name)}));
            rules.push_back(plain({WordIs{~0u, kTaken}}, {nft::NoTrack{}}));
            rules.push_back(plain({}, {nft::SetWord{0}}));
            add_chain(out_, "raw_prerouting", std::move(rules), "prerouting", kRaw);
        }
        if (is_used(kRawOut)) {
            std::vector<nft::Rule> rules;
            add_elsewhere(rules, kRawOut);
            rules.push_back(plain({}, {jump(kRawOut.name)}));
            rules.push_back(plain({WordIs{~0u, kTaken}}, {nft::NoTrack{}}));
            rules.push_back(plain({}, {jump("put_back")}));
            add_chain(out_, "raw_output", std::move(rules), "output", kRaw);
        }
    }

    /// Before services' addresses are translated. Answers have their ends the other way round, so
    /// that they can't be asked of here.
    void add_early() {
        if (!is_used(kEarlyIn))
            return;
        std::vector<nft::Rule> rules;
        add_elsewhere(rules, kEarlyIn);
        rules.push_back(plain({flow_is(0)}, {verdict(Kind::Accept)}));
        rules.push_back(counted_drop({flow_is(kRevoked)}, "flow was denied"));
        rules.push_back(plain({nft::DirectionIs{true}}, {verdict(Kind::Accept)}));
        rules.push_back(plain({state_is(kRelated)}, {verdict(Kind::Accept)}));
        if (is_used(kRawIn)) {
            rules.push_back(plain({state_is(kUntracked)}, {jump(kRawIn.name)}));
            rules.push_back(plain({state_is(kUntracked), WordIs{~0u, kTaken}},
                                  {nft::SetWord{0}, verdict(Kind::Accept)}));
        }
        rules.push_back(plain({}, {nft::SetFlowMark{~kEarly, 0, false}}));
        rules.push_back(plain({}, {jump(kEarlyIn.name)}));
        rules.push_back(plain({WordIs{~0u, kTaken}}, {nft::SetFlowMark{~kEarly, kEarly, false}}));
        rules.push_back(plain({}, {nft::SetWord{0}}));
        add_chain(out_, "early", std::move(rules), "prerouting", kMangle);
    }

    /// Flows that this generation judged, and answers, which follow their flow.
    void add_known(std::vector<nft::Rule>& rules) const {
        rules.push_back(plain({flow_is(0)}, {verdict(Kind::Accept)}));
        rules.push_back(counted_drop({flow_is(kRevoked)}, "flow was denied"));
        rules.push_back(plain({nft::DirectionIs{true}}, {verdict(Kind::Accept)}));
    }

    /// From the network to the host itself.
    void add_input() {
        std::vector<nft::Rule> rules;
        add_elsewhere(rules, kHostIn);
        if (image_.drops_invalid)
            rules.push_back(counted_drop({state_is(kInvalid)}, "invalid"));
        add_known(rules);
        rules.push_back(plain({state_is(kRelated)}, {go_to("related")}));
        add_judging(rules, "judge_input");
        add_chain(out_, "input_host", std::move(rules));
        add_chain(out_, "judge_input", {plain({}, {jump(kHostIn.name)}), remember(0)});
    }

    /// From the host itself to the network. By which interface a packet leaves is known after the
    /// translation of services' addresses only, so it is judged as it leaves; what belongs to no
    /// connection is never translated, and can't be marked.
    void add_output() {
        std::vector<nft::Rule> rules;
        for (const unsigned state : {kUntracked, kInvalid})
            rules.push_back(plain({state_is(state)}, {go_to("output_loose")}));
        add_known(rules);
        rules.push_back(
            plain({state_is(kRelated), nft::IcmpTypeIn{false, kErrors4}}, {verdict(Kind::Accept)}));
        rules.push_back(
            plain({state_is(kRelated), nft::IcmpTypeIn{true, kErrors6}}, {verdict(Kind::Accept)}));
        rules.push_back(plain({}, {nft::SetFlowMark{~kLeaving, kLeaving, false}}));
        add_chain(out_, "output_host", std::move(rules));
        std::vector<nft::Rule> loose;
        add_elsewhere(loose, kHostOut);
        if (image_.drops_invalid)
            loose.push_back(counted_drop({state_is(kInvalid)}, "invalid"));
        add_judging(loose, kHostOut.name);
        add_chain(out_, "output_loose", std::move(loose));
        std::vector<nft::Rule> leaving{plain({FlowMarkIs{kLeaving, 0}}, {verdict(Kind::Accept)})};
        add_judging(leaving, "judge_leaving");
        add_chain(out_, "leaving", std::move(leaving), "postrouting", kMangle);
        add_chain(out_, "judge_leaving", {plain({}, {jump(kHostOut.name)}), remember(0)});
    }

    const NodeImage& image_;
    nft::Ruleset& out_;
    std::vector<std::string> interfaces_;
};

} // namespace

void emit_host(const NodeImage& image, nft::Ruleset& out) {
    HostEmitter(image, out).run();
}

} // namespace polecat::backends
