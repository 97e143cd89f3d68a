// The verdict of a path: every hop in order, with failsafes, accept marks and rewrites.
#include <algorithm>
#include <array>

#include "ir/path.h"
#include "ir/policy/failsafe.h"

namespace polecat::ir {

using decision::Direction;
using decision::Flow;
using decision::Hook;
using decision::LoweredCluster;
using decision::Verdict;
using policy::FelixSettings;

namespace {

bool is_failsafe(const FelixSettings& felix, Direction direction, const Flow& flow) {
    if (!flow.destination_port)
        return false;
    const bool ingress = direction == Direction::Ingress;
    const auto& ports = policy::failsafe_ports(felix, direction);
    const auto& peer = ingress ? flow.source.address : flow.destination.address;
    return std::any_of(ports.begin(), ports.end(), [&](const FelixSettings::FailsafePort& each) {
        return each.protocol == flow.protocol && each.port == *flow.destination_port &&
               (!each.net || (peer && each.net->contains(*peer)));
    });
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

    FlowVerdict run() {
        for (const Hop& hop : path_.hops) {
            cross(hop);
            if (denied_)
                return finish(Verdict::Deny);
        }
        if (path_.end != Verdict::Allow || out_.reason.empty())
            out_.reason = path_.end_reason;
        if (path_.end == Verdict::Deny)
            return finish(Verdict::Deny);
        return finish(open_ || path_.end == Verdict::Depends ? Verdict::Depends : Verdict::Allow);
    }

  private:
    FlowVerdict finish(Verdict verdict) {
        out_.verdict = verdict;
        return std::move(out_);
    }

    void cross(const Hop& hop) {
        if (hop.rewrite)
            apply(*hop.rewrite, flow_);
        HopVerdict step;
        step.hop = hop;
        step.program = cluster_.find(hop.endpoint, hop.direction, hop.hook, flow_.family);
        const bool host = cluster_.endpoint_of(hop.endpoint) != nullptr &&
                          cluster_.endpoint_of(hop.endpoint)->is_host_endpoint;
        if (step.program == nullptr && !(host && hop.hook == Hook::Normal))
            return; // nothing is decided here
        if (hop.has_failsafes && is_failsafe(cluster_.felix, hop.direction, flow_))
            step.skipped = HopVerdict::Skipped::Failsafe;
        else if (hop.skipped_when_accepted && accepted_)
            step.skipped = HopVerdict::Skipped::Accepted;
        else if (hop.lets_router_icmp_through && is_router_icmp(flow_))
            step.skipped = HopVerdict::Skipped::RouterIcmp;
        else if (step.program != nullptr)
            decide(hop, step);
        if (step.skipped == HopVerdict::Skipped::Failsafe && hop.hook != Hook::Normal)
            accepted_ = true; // a failsafe chain accepts the packet for this host endpoint
        out_.hops.push_back(std::move(step));
    }

    void decide(const Hop& hop, HopVerdict& step) {
        step.decision = decision::eval(cluster_.program(step.program->program), cluster_.predicates,
                                       cluster_.world, flow_);
        const Verdict verdict = step.decision.verdict;
        if (verdict == Verdict::Deny && hop.skipped_when_accepted && maybe_accepted_)
            open_ = true;
        else if (verdict == Verdict::Deny)
            denied_ = true;
        else if (verdict == Verdict::Depends)
            open_ = true;
        if (verdict == Verdict::Depends && out_.reason.empty())
            out_.reason = step.decision.reason;
        if (hop.hook == Hook::PreDnat || hop.hook == Hook::Untracked) {
            accepted_ = accepted_ || accepts_expressly(step);
            maybe_accepted_ = maybe_accepted_ || verdict == Verdict::Depends;
        }
    }

    const LoweredCluster& cluster_;
    const Path& path_;
    Flow flow_;
    FlowVerdict out_;
    bool denied_ = false, open_ = false;
    bool accepted_ = false, maybe_accepted_ = false;
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
