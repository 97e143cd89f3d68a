// The verdict of a path: every hop in order, with failsafes, accept marks and rewrites.
#include <algorithm>
#include <array>

#include "ir/path/path.h"
#include "ir/policy/felix.h"

namespace polecat::ir {

using decision::Direction;
using decision::Flow;
using decision::Hook;
using decision::LoweredCluster;
using decision::Verdict;
using policy::FelixSettings;

namespace {

bool lists(const std::vector<FelixSettings::FailsafePort>& ports, net::Protocol protocol,
           std::optional<std::uint16_t> port, const std::optional<net::Address>& peer) {
    return port && std::any_of(ports.begin(), ports.end(), [&](const auto& each) {
               return each.protocol == protocol && each.port == *port &&
                      (!each.net || (peer && each.net->contains(*peer)));
           });
}

/// failsafeInChain and failsafeOutChain of felix/rules/static.go. In the raw table, where there are
/// no connections yet, answers to failsafe ports of the other direction count as well; a source
/// port that nobody gave is taken for none of those.
bool is_failsafe(const FelixSettings& felix, const Hop& hop, const Flow& flow) {
    const bool ingress = hop.direction == Direction::Ingress;
    const auto& peer = ingress ? flow.source.address : flow.destination.address;
    const Direction back = ingress ? Direction::Egress : Direction::Ingress;
    return lists(policy::failsafe_ports(felix, hop.direction), flow.protocol, flow.destination_port,
                 peer) ||
           (hop.hook == Hook::Untracked &&
            lists(policy::failsafe_ports(felix, back), flow.protocol, flow.source_port, peer));
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
    FlowVerdict run() {
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
            out_.reason = path_.end_reason;
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
        step.program = cluster_.find(hop.endpoint, hop.direction, hop.hook, flow_.family);
        const decision::Endpoint* endpoint = cluster_.endpoint_of(hop.endpoint);
        const FelixSettings& felix = cluster_.felix_of(endpoint ? endpoint->node : "");
        if (step.skipped == HopVerdict::Skipped::No && hop.drops_encapsulation &&
            is_encapsulation(felix, flow_))
            step.skipped = HopVerdict::Skipped::Encapsulation;
        const bool host = endpoint != nullptr && endpoint->is_host_endpoint;
        if (step.skipped != HopVerdict::Skipped::No)
            step.verdict = Verdict::Deny;
        else if (step.program == nullptr && !(host && hop.hook == Hook::Normal))
            return; // nothing is decided here
        else if (hop.has_failsafes && is_failsafe(felix, hop, flow_))
            step.skipped = HopVerdict::Skipped::Failsafe;
        else if (hop.skipped_when_accepted && accepted_)
            step.skipped = HopVerdict::Skipped::Accepted;
        else if (hop.lets_router_icmp_through && is_router_icmp(flow_))
            step.skipped = HopVerdict::Skipped::RouterIcmp;
        else if (step.program != nullptr)
            decide(hop, step);
        let_in_ = let_in_ || step.skipped == HopVerdict::Skipped::RouterIcmp;
        denied_ = denied_ || step.verdict == Verdict::Deny;
        open_ = open_ || step.verdict == Verdict::Depends;
        out_.hops.push_back(std::move(step));
    }

    void decide(const Hop& hop, HopVerdict& step) {
        step.decision = decision::eval(cluster_.program(step.program->program), cluster_.predicates,
                                       cluster_.world, flow_);
        step.verdict = step.decision.verdict;
        if (step.verdict == Verdict::Deny && hop.skipped_when_accepted && maybe_accepted_)
            step.verdict = Verdict::Depends;
        if (step.verdict == Verdict::Depends && out_.reason.empty())
            out_.reason = step.decision.reason;
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
    FlowVerdict out_;
    bool denied_ = false, open_ = false;
    bool let_in_ = false; ///< by the host, whatever the path's end says
    /// By hooks of this node: accepted, perhaps accepted, accepted by doNotTrack policy.
    bool accepted_ = false, maybe_accepted_ = false, untracked_ = false;
};

} // namespace

FlowVerdict judge_path(const LoweredCluster& cluster, const Path& path) {
    return Judge(cluster, path).run();
}

FlowVerdict judge_flow(const LoweredCluster& cluster, const PathQuery& query) {
    const std::vector<Path> ways = paths(cluster, query);
    FlowVerdict first = judge_path(cluster, ways.front());
    for (std::size_t i = 1; i < ways.size(); ++i) {
        FlowVerdict other = judge_path(cluster, ways[i]);
        if (other.verdict == first.verdict)
            continue;
        if (first.verdict != Verdict::Depends) {
            const auto& way = ways[i].assumption;
            first.reason = way.empty()
                               ? "the backends or addresses it may take differ"
                               : std::string(decision::to_string(other.verdict)) + " " + way;
            first.verdict = Verdict::Depends;
        }
    }
    return first;
}

} // namespace polecat::ir
