// The verdict of a path: every hop in order, with failsafes, accept marks and rewrites.
#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "ir/path/leaving.h"
#include "ir/path/path.h"
#include "ir/policy/felix.h"

namespace polecat::ir {

using decision::Direction;
using decision::Flow;
using decision::Hook;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::Tri;
using decision::Verdict;
using policy::FelixSettings;

namespace {

/// Who asks from, or is asked at, an address that is not known may be in the net of a port.
Tri lists(const std::vector<FelixSettings::FailsafePort>& ports, const decision::World& world,
          const Flow& flow, std::optional<std::uint16_t> port, const decision::End& peer) {
    Tri out = Tri::No;
    for (const FelixSettings::FailsafePort& each : ports) {
        if (each.protocol != flow.protocol || each.port != port)
            continue;
        if (!each.net)
            return Tri::Yes;
        const decision::NetSet net{net::AddressSet::of(*each.net)};
        out = decision::either(out, decision::holds(net, world, peer, flow.family, flow.protocol,
                                                    flow.destination_port));
    }
    return out;
}

/// failsafeInChain and failsafeOutChain of felix/rules/static.go. In the raw table, where there are
/// no connections yet, answers to failsafe ports of the other direction count as well; a source
/// port that nobody gave is taken for none of those.
Tri is_failsafe(const FelixSettings& felix, const decision::World& world, const Hop& hop,
                const Flow& flow) {
    if (felix.unread.known())
        return Tri::Unknown;
    const bool ingress = hop.direction == Direction::Ingress;
    const decision::End& peer = ingress ? flow.source : flow.destination;
    const Tri own = lists(policy::failsafe_ports(felix, hop.direction), world, flow,
                          flow.destination_port, peer);
    if (hop.hook != Hook::Untracked)
        return own;
    const Direction back = ingress ? Direction::Egress : Direction::Ingress;
    return decision::either(
        own, lists(policy::failsafe_ports(felix, back), world, flow, flow.source_port, peer));
}

/// What workloads must not send unless Felix is told so: they could reach past policy on the node
/// that unpacks it (felix/rules/endpoints.go).
bool is_encapsulation(const FelixSettings& felix, const Flow& flow) {
    if (flow.protocol == net::kUdp && flow.destination_port == policy::vxlan_port(felix))
        return !felix.allow_vxlan_from_workloads.value_or(false);
    return flow.protocol == net::kIpIp && !felix.allow_ipip_from_workloads.value_or(false);
}

/// cali-wl-to-host: what routers need of a pod's neighbour discovery (felix/rules/static.go).
bool is_router_icmp(const Flow& flow) {
    static constexpr std::array<std::uint8_t, 6> kTypes{130, 131, 132, 133, 135, 136};
    return flow.family == net::Family::V6 && flow.protocol == net::kIcmpV6 && flow.icmp_type &&
           std::find(kTypes.begin(), kTypes.end(), *flow.icmp_type) != kTypes.end();
}

/// What answers a flow. A client's port that nobody gave is one that systems choose themselves.
Flow answer_to(const Flow& flow) {
    constexpr std::uint16_t kChosen = 49152; // RFC 6335
    Flow out = flow;
    std::swap(out.source, out.destination);
    out.source_port = flow.destination_port;
    if (net::has_ports(flow.protocol))
        out.destination_port = flow.source_port.value_or(kChosen);
    if (flow.protocol == net::kIcmp && flow.icmp_type == std::uint8_t{8})
        out.icmp_type = std::uint8_t{0};
    if (flow.protocol == net::kIcmpV6 && flow.icmp_type == std::uint8_t{128})
        out.icmp_type = std::uint8_t{129};
    out.http.reset();
    return out;
}

void apply(const Rewrite& rewrite, Flow& flow) {
    if (rewrite.source)
        flow.source = *rewrite.source;
    if (rewrite.destination)
        flow.destination = *rewrite.destination;
    if (rewrite.destination_port)
        flow.destination_port = rewrite.destination_port;
}

bool accepts_expressly(const HopVerdict& hop) {
    if (hop.program == nullptr || hop.decision.verdict != Verdict::Allow)
        return false;
    const decision::Slot& slot = hop.program->slots[hop.decision.slot.value];
    return slot.kind == decision::Slot::Kind::Rule;
}

class Judge {
  public:
    Judge(const LoweredCluster& cluster, const Path& path)
        : cluster_(cluster), path_(path), flow_(path.flow) {}

    /// Hops after one that denies are looked at as well: the trail shows both ends.
    WayVerdict run() {
        out_.assumption = path_.assumption;
        for (const Hop& hop : path_.hops)
            cross(hop);
        const Verdict end = let_in_ ? Verdict::Allow : path_.end;
        if (denied_ || end == Verdict::Deny)
            out_.verdict = Verdict::Deny;
        else
            out_.verdict = open_ || end == Verdict::Depends ? Verdict::Depends : Verdict::Allow;
        if (denied_)
            out_.reason.clear();
        else if (end != Verdict::Allow || (out_.reason.empty() && !let_in_))
            out_.reason = path_.end_reason ? to_string(*path_.end_reason) : "";
        return std::move(out_);
    }

  private:
    void cross(const Hop& hop) {
        if (hop.enters_node)
            accepted_ = maybe_accepted_ = untracked_ = false;
        HopVerdict step;
        step.hop = hop;
        if (hop.rewrite && hop.rewrite->destination && untracked_)
            step.skipped = HopVerdict::Skipped::NotTranslated;
        else if (hop.rewrite)
            apply(*hop.rewrite, flow_);
        if (hop.of_answers)
            return cross_back(hop);
        step.flow = flow_;
        step.program = cluster_.find(hop.endpoint, hop.direction, hop.hook, flow_.family);
        const decision::Endpoint* endpoint = cluster_.endpoint_of(hop.endpoint);
        const FelixSettings& felix = cluster_.felix_of(endpoint ? endpoint->node : "");
        if (step.skipped == HopVerdict::Skipped::No &&
            hop.traits.has(HopTrait::DropsEncapsulation) && is_encapsulation(felix, flow_))
            step.skipped = HopVerdict::Skipped::Encapsulation;
        const bool host = endpoint != nullptr && endpoint->is_host_endpoint;
        const Tri failsafe = hop.traits.has(HopTrait::Failsafes)
                                 ? is_failsafe(felix, cluster_.world, hop, flow_)
                                 : Tri::No;
        if (step.skipped != HopVerdict::Skipped::No)
            step.verdict = Verdict::Deny;
        else if (step.program == nullptr && !(host && hop.hook == Hook::Normal))
            return; // nothing is decided here
        else if (failsafe == Tri::Yes)
            step.skipped = HopVerdict::Skipped::Failsafe;
        else if (hop.traits.has(HopTrait::SkippedOnceAccepted) && accepted_)
            step.skipped = HopVerdict::Skipped::Accepted;
        else if (hop.traits.has(HopTrait::RouterIcmp) && is_router_icmp(flow_))
            step.skipped = HopVerdict::Skipped::RouterIcmp;
        else if (step.program != nullptr)
            decide(hop, step);
        if (failsafe == Tri::Unknown)
            doubt_failsafes(felix, step);
        let_in_ = let_in_ || step.skipped == HopVerdict::Skipped::RouterIcmp;
        add(std::move(step));
        if (untracked_ && !host && hop.direction == Direction::Ingress)
            answer_without_connection(hop.endpoint);
    }

    /// What policy denies may be let through where it is not known which ports are failsafe.
    static void doubt_failsafes(const FelixSettings& felix, HopVerdict& step) {
        if (step.verdict != Verdict::Deny || step.skipped != HopVerdict::Skipped::No)
            return;
        step.verdict = Verdict::Depends;
        step.decision.reason =
            to_string(Reason(felix.unread.known() ? Reason::Kind::UnreadFailsafes
                                                  : Reason::Kind::FailsafeNetUnknown));
    }

    void add(HopVerdict step) {
        denied_ = denied_ || step.verdict == Verdict::Deny;
        open_ = open_ || step.verdict == Verdict::Depends;
        if (step.verdict == Verdict::Depends && out_.reason.empty())
            out_.reason = step.decision.reason;
        out_.hops.push_back(std::move(step));
    }

    // --- answers, where untracked policy has a say
    // -------------------------------------------------

    /// A pod answers a packet that no connection is known of. Only a datagram is no invalid packet
    /// then: it is a new flow of the pod's own, which natOutgoing gives another source.
    void answer_without_connection(ObjectId pod) {
        Tri lost = Tri::Yes;
        if (flow_.protocol == net::kUdp)
            lost = is_pod(flow_.source)
                       ? Tri::No
                       : Leaving(cluster_, flow_.family).nat_outgoing(flow_.destination, false);
        judge_answer(pod, Direction::Egress, lost);
    }

    bool is_pod(const decision::End& end) const {
        return std::any_of(end.objects.begin(), end.objects.end(), [&](ObjectId id) {
            const decision::Object& object = cluster_.world.object(id);
            return object.kind == decision::Object::Kind::Workload && object.selectable;
        });
    }

    /// Answers come in through an interface with untracked policy.
    void cross_back(const Hop& hop) {
        HopVerdict step;
        step.hop = hop;
        step.flow = answer_to(flow_);
        step.program = cluster_.find(hop.endpoint, hop.direction, hop.hook, flow_.family);
        const decision::Endpoint* endpoint = cluster_.endpoint_of(hop.endpoint);
        const FelixSettings& felix = cluster_.felix_of(endpoint ? endpoint->node : "");
        const Tri failsafe = is_failsafe(felix, cluster_.world, hop, step.flow);
        if (step.program == nullptr || failsafe == Tri::Yes)
            return;
        ask(step);
        if (failsafe == Tri::Unknown)
            doubt_failsafes(felix, step);
        const bool taken = accepts_expressly(step);
        if (step.verdict != Verdict::Allow)
            add(std::move(step));
        else if (taken)
            judge_answer(hop.answered_pod.value_or(hop.endpoint), Direction::Ingress,
                         hop.answered_pod && !hop.translates ? Tri::No : Tri::Yes);
    }

    /// `lost`: nobody takes it for an answer. Otherwise the pod's own policy judges it as a new
    /// flow.
    void judge_answer(ObjectId pod, Direction direction, Tri lost) {
        HopVerdict step;
        step.hop.endpoint = pod;
        step.hop.direction = direction;
        step.hop.of_answers = true;
        step.flow = answer_to(flow_);
        step.program = cluster_.find(pod, direction, Hook::Normal, flow_.family);
        if (lost != Tri::Yes && step.program != nullptr)
            ask(step);
        if (lost == Tri::Yes || (lost == Tri::Unknown && step.verdict != Verdict::Deny)) {
            step.skipped = HopVerdict::Skipped::NoConnection;
            step.verdict = lost == Tri::Yes ? Verdict::Deny : Verdict::Depends;
            step.decision.reason = to_string(Reason(Reason::Kind::NatOutgoingUnknown));
        }
        add(std::move(step));
    }

    void ask(HopVerdict& step) {
        step.decision = decision::eval(cluster_.program(step.program->program), cluster_.predicates,
                                       cluster_.world, step.flow);
        step.verdict = step.decision.verdict;
    }

    void decide(const Hop& hop, HopVerdict& step) {
        ask(step);
        if (step.verdict == Verdict::Deny && hop.traits.has(HopTrait::SkippedOnceAccepted) &&
            maybe_accepted_)
            step.verdict = Verdict::Depends;
        if (hop.hook != Hook::PreDnat && hop.hook != Hook::Untracked)
            return;
        const bool accepts = accepts_expressly(step);
        accepted_ = accepted_ || accepts;
        untracked_ = untracked_ || (accepts && hop.hook == Hook::Untracked);
        maybe_accepted_ = maybe_accepted_ || step.verdict == Verdict::Depends;
    }

    const LoweredCluster& cluster_;
    const Path& path_;
    Flow flow_;
    WayVerdict out_;
    bool denied_ = false, open_ = false;
    bool let_in_ = false; ///< by the host, whatever the path's end says
    /// By hooks of this node: accepted, perhaps accepted, accepted by doNotTrack policy.
    bool accepted_ = false, maybe_accepted_ = false, untracked_ = false;
};

/// Equal for ways that nobody tells apart who asks which rules decide.
using WayKey =
    std::tuple<Verdict, std::string,
               std::vector<std::tuple<const void*, std::uint32_t, HopVerdict::Skipped, Verdict>>>;
WayKey key_of(const WayVerdict& way) {
    WayKey out{way.verdict, way.reason, {}};
    for (const HopVerdict& hop : way.hops)
        std::get<2>(out).emplace_back(hop.program != nullptr ? hop.program->slots.identity()
                                                             : nullptr,
                                      hop.decision.slot.value, hop.skipped, hop.verdict);
    return out;
}

/// "allow by way of node n1, deny by way of node n2": the first of each verdict.
std::string differing(const std::vector<WayVerdict>& ways) {
    std::string out;
    std::set<Verdict> told;
    bool assumed = false;
    for (const WayVerdict& way : ways) {
        if (!told.insert(way.verdict).second)
            continue;
        assumed = assumed || !way.assumption.empty();
        out += (out.empty() ? "" : "; ") + std::string(decision::to_string(way.verdict)) +
               (way.assumption.empty() ? "" : " " + way.assumption) +
               (way.reason.empty() ? "" : ": " + way.reason);
    }
    if (assumed)
        return out;
    for (const WayVerdict& way : ways)
        if (way.verdict == Verdict::Depends)
            return way.reason;
    return "the backends or addresses it may take differ";
}

} // namespace

FlowVerdict judge_flow(const LoweredCluster& cluster, const PathQuery& query) {
    FlowVerdict out;
    std::set<WayKey> known;
    for (const Path& path : paths(cluster, query)) {
        WayVerdict way = Judge(cluster, path).run();
        if (known.insert(key_of(way)).second)
            out.ways.push_back(std::move(way));
    }
    const WayVerdict& first = out.ways.front();
    const bool agree = std::all_of(out.ways.begin(), out.ways.end(), [&](const WayVerdict& each) {
        return each.verdict == first.verdict;
    });
    out.verdict = agree ? first.verdict : Verdict::Depends;
    out.reason = agree ? first.reason : differing(out.ways);
    if (agree && first.verdict == Verdict::Depends && !first.assumption.empty())
        out.reason += " (" + first.assumption + ")";
    return out;
}

} // namespace polecat::ir
