#include "ir/path/crossing.h"

#include "ir/path/host_network.h"

namespace polecat::ir {

using decision::Direction;
using decision::Hook;
using decision::ObjectId;
using decision::Verdict;

Hop& PathBuilder::add(ObjectId object, Direction direction, Hook hook) {
    Hop hop;
    hop.endpoint = object;
    hop.direction = direction;
    hop.hook = hook;
    hop.rewrite = std::exchange(pending_, std::nullopt);
    hop.enters_node = std::exchange(enters_node_, false);
    path_.hops.push_back(std::move(hop));
    return path_.hops.back();
}

void PathBuilder::rewrite(const std::optional<Rewrite>& change) {
    if (!change)
        return;
    if (!pending_)
        pending_.emplace();
    if (change->source)
        pending_->source = change->source;
    if (change->destination)
        pending_->destination = change->destination;
    if (change->destination_port)
        pending_->destination_port = change->destination_port;
}

void PathBuilder::end(decision::Verdict verdict, std::string reason) {
    path_.end = verdict;
    path_.end_reason = std::move(reason);
}

void PathBuilder::note(const std::string& text) {
    if (path_.end_reason.empty())
        path_.end_reason = text;
}

void PathBuilder::assume(const std::string& text) {
    path_.assumption += (path_.assumption.empty() ? "" : ", ") + text;
}

bool PathBuilder::takes_all_interfaces(ObjectId host_endpoint) const {
    const decision::Endpoint* endpoint = cluster_.endpoint_of(host_endpoint);
    return endpoint != nullptr && endpoint->interface_name == "*";
}

void PathBuilder::ends_only(std::optional<ObjectId> source, std::optional<ObjectId> destination,
                            const std::optional<Rewrite>& translation) {
    rewrite(translation);
    const auto is_pod = [&](ObjectId id) {
        return cluster_.world.object(id).kind == decision::Object::Kind::Workload;
    };
    HostNetwork nodes(cluster_);
    const auto side = [&](std::optional<ObjectId> of, Direction direction) -> Hop* {
        if (!of)
            return nullptr;
        const auto governor = nodes.governor(*of, direction, path_.flow.family);
        if (governor.unsure)
            end(Verdict::Depends, std::string(kUnsureGovernor) + " governs a pod");
        return governor.object ? &add(*governor.object, direction, Hook::Normal) : nullptr;
    };
    if (Hop* hop = side(source, Direction::Egress))
        hop->drops_encapsulation = is_pod(*source) && hop->endpoint == *source;
    side(destination, Direction::Ingress);
}

void PathBuilder::cross(const Crossing& node) {
    enters_node_ = true;
    if (node.from == Side::Network)
        from_network(node);
    else if (node.from == Side::Pod)
        from_pod(node);
    else
        from_host(node);
    if (node.to == Side::Pod && node.from != Side::Host) { // OUTPUT returns for pods' interfaces
        add(*node.destination_pod, Direction::Ingress, Hook::Normal);
        if (node.pods_interface)
            add(*node.pods_interface, Direction::Egress, Hook::Forward);
    }
    if (node.to == Side::Network && node.from != Side::Host && node.out_interface)
        add(*node.out_interface, Direction::Egress, Hook::Forward);
    rewrite(node.masquerade);
    answers(node);
}

/// What comes back to a pod, or has to be translated back, needs the connection that this node
/// made.
void PathBuilder::answers(const Crossing& node) {
    const bool translates = node.translation || node.masquerade;
    if (node.to != Side::Network || !node.out_interface ||
        takes_all_interfaces(*node.out_interface) || (node.from != Side::Pod && !translates))
        return;
    Hop& hop = add(*node.out_interface, Direction::Ingress, Hook::Untracked);
    hop.of_answers = hop.has_failsafes = true;
    hop.translates = translates;
    if (node.from == Side::Pod)
        hop.answered_pod = node.source_pod;
}

void PathBuilder::from_network(const Crossing& node) {
    if (!node.in_interface)
        return rewrite(node.translation);
    const ObjectId host = *node.in_interface;
    if (!takes_all_interfaces(host)) // "*" takes no doNotTrack policy
        add(host, Direction::Ingress, Hook::Untracked).has_failsafes = true;
    Hop& early = add(host, Direction::Ingress, Hook::PreDnat);
    early.has_failsafes = early.skipped_when_accepted = true;
    rewrite(node.translation);
    const bool for_host = node.to == Side::Host;
    Hop& own = add(host, Direction::Ingress, for_host ? Hook::Normal : Hook::Forward);
    own.has_failsafes = for_host;
    own.skipped_when_accepted = true;
}

void PathBuilder::from_pod(const Crossing& node) {
    if (node.pods_interface) {
        Hop& early = add(*node.pods_interface, Direction::Ingress, Hook::PreDnat);
        early.has_failsafes = true;
    }
    rewrite(node.translation);
    if (node.pods_interface && node.to != Side::Host)
        add(*node.pods_interface, Direction::Ingress, Hook::Forward).skipped_when_accepted = true;
    Hop& egress = add(*node.source_pod, Direction::Egress, Hook::Normal);
    egress.drops_encapsulation = true;
    egress.lets_router_icmp_through = node.to == Side::Host;
}

void PathBuilder::from_host(const Crossing& node) {
    if (node.to != Side::Network || !node.out_interface)
        return rewrite(node.translation);
    const ObjectId host = *node.out_interface;
    if (!takes_all_interfaces(host))
        add(host, Direction::Egress, Hook::Untracked).has_failsafes = true;
    rewrite(node.translation);
    Hop& own = add(host, Direction::Egress, Hook::Normal); // after DNAT, in mangle POSTROUTING
    own.has_failsafes = own.skipped_when_accepted = true;
}

} // namespace polecat::ir
