#include "ir/path/crossing.h"

#include "ir/path/host_network.h"

namespace polecat::ir {

using decision::Direction;
using decision::Hook;
using decision::ObjectId;
using decision::Verdict;

namespace {

/// Some of the sides of a node.
using Sides = std::uint8_t;
constexpr Sides bit(Side side) {
    return static_cast<Sides>(1U << static_cast<unsigned>(side));
}
constexpr Sides kPod = bit(Side::Pod), kHost = bit(Side::Host), kNetwork = bit(Side::Network);
constexpr Sides kAnywhere = kPod | kHost | kNetwork, kForwarded = kPod | kNetwork;

enum class Whose : std::uint8_t {
    SourcePod,
    DestinationPod,
    InInterface,
    OutInterface,
    PodsInterfaces
};

} // namespace

/// A hook on the way of packets that come `from` there and go `to` there.
struct Station {
    Sides from, to;
    Whose whose;
    Direction direction;
    Hook hook;
    HopTraits traits;
};

namespace {

using enum HopTrait;

constexpr Station kBeforeTranslation[] = {
    {kNetwork, kAnywhere, Whose::InInterface, Direction::Ingress, Hook::Untracked, Failsafes},
    {kNetwork, kAnywhere, Whose::InInterface, Direction::Ingress, Hook::PreDnat,
     Failsafes | SkippedOnceAccepted},
    {kPod, kAnywhere, Whose::PodsInterfaces, Direction::Ingress, Hook::PreDnat, Failsafes},
    {kHost, kNetwork, Whose::OutInterface, Direction::Egress, Hook::Untracked, Failsafes},
};

/// Of what a host sends, OUTPUT is asked after DNAT (mangle POSTROUTING); it returns for pods'
/// interfaces.
constexpr Station kAfterTranslation[] = {
    {kNetwork, kHost, Whose::InInterface, Direction::Ingress, Hook::Normal,
     Failsafes | SkippedOnceAccepted},
    {kNetwork, kForwarded, Whose::InInterface, Direction::Ingress, Hook::Forward,
     SkippedOnceAccepted},
    {kPod, kForwarded, Whose::PodsInterfaces, Direction::Ingress, Hook::Forward,
     SkippedOnceAccepted},
    {kPod, kForwarded, Whose::SourcePod, Direction::Egress, Hook::Normal, DropsEncapsulation},
    {kPod, kHost, Whose::SourcePod, Direction::Egress, Hook::Normal,
     DropsEncapsulation | RouterIcmp},
    {kHost, kNetwork, Whose::OutInterface, Direction::Egress, Hook::Normal,
     Failsafes | SkippedOnceAccepted},
    {kForwarded, kPod, Whose::DestinationPod, Direction::Ingress, Hook::Normal, {}},
    {kForwarded, kPod, Whose::PodsInterfaces, Direction::Egress, Hook::Forward, {}},
    {kForwarded, kNetwork, Whose::OutInterface, Direction::Egress, Hook::Forward, {}},
};

std::optional<ObjectId> object_of(const Crossing& node, Whose whose) {
    switch (whose) {
    case Whose::SourcePod:
        return node.source_pod;
    case Whose::DestinationPod:
        return node.destination_pod;
    case Whose::InInterface:
        return node.in_interface;
    case Whose::OutInterface:
        return node.out_interface;
    case Whose::PodsInterfaces:
        return node.pods_interface;
    }
    return std::nullopt;
}

} // namespace

Hop& PathBuilder::add(ObjectId object, Direction direction, Hook hook, HopTraits traits) {
    Hop hop;
    hop.endpoint = object;
    hop.direction = direction;
    hop.hook = hook;
    hop.traits = traits;
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

void PathBuilder::end(decision::Verdict verdict, Reason reason) {
    path_.end = verdict;
    path_.end_reason = std::move(reason);
}

void PathBuilder::note(const Reason& reason) {
    if (!path_.end_reason)
        path_.end_reason = reason;
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
    const auto side = [&](std::optional<ObjectId> of, Direction direction) {
        if (!of)
            return;
        const auto governor = nodes.governor(*of, direction, path_.flow.family);
        if (governor.unsure)
            end(Verdict::Depends, Reason::Kind::UnsureGovernor);
        if (!governor.object)
            return;
        const bool sends = direction == Direction::Egress && is_pod(*of) && *governor.object == *of;
        add(*governor.object, direction, Hook::Normal,
            sends ? HopTraits(DropsEncapsulation) : HopTraits());
    };
    side(source, Direction::Egress);
    side(destination, Direction::Ingress);
}

void PathBuilder::cross(const Crossing& node) {
    enters_node_ = true;
    add_all(node, kBeforeTranslation);
    rewrite(node.translation);
    add_all(node, kAfterTranslation);
    rewrite(node.masquerade);
    answers(node);
}

void PathBuilder::add_all(const Crossing& node, std::span<const Station> stations) {
    for (const Station& each : stations) {
        if ((each.from & bit(node.from)) == 0 || (each.to & bit(node.to)) == 0)
            continue;
        const auto object = object_of(node, each.whose);
        // "*" takes no doNotTrack policy.
        if (object && !(each.hook == Hook::Untracked && takes_all_interfaces(*object)))
            add(*object, each.direction, each.hook, each.traits);
    }
}

/// What comes back to a pod, or has to be translated back, needs the connection that this node
/// made.
void PathBuilder::answers(const Crossing& node) {
    const bool translates = node.translation || node.masquerade;
    if (node.to != Side::Network || !node.out_interface ||
        takes_all_interfaces(*node.out_interface) || (node.from != Side::Pod && !translates))
        return;
    Hop& hop = add(*node.out_interface, Direction::Ingress, Hook::Untracked, Failsafes);
    hop.of_answers = true;
    hop.translates = translates;
    if (node.from == Side::Pod)
        hop.answered_pod = node.source_pod;
}

} // namespace polecat::ir
