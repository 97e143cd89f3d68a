// Which programs a packet meets between two settled ends.
// felix/rules/static.go (filter INPUT, FORWARD, OUTPUT, raw and mangle), calico-policy 1.8.
#include "ir/path/route.h"

#include <algorithm>

#include "ir/path/crossing.h"
#include "ir/path/interfaces.h"
#include "ir/path/leaving.h"
#include "ir/path/node_kinds.h"

namespace polecat::ir {

using decision::End;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::Tri;
using decision::Verdict;

namespace {

class Router {
  public:
    Router(const LoweredCluster& cluster, const PathQuery& query,
           const std::optional<Translation>& translation)
        : cluster_(cluster), query_(query), translation_(translation), family_(*query.family),
          leaving_(cluster, family_) {
        source_ = place_of(query.source);
        destination_ = place_of(query.destination);
        path_.flow = query.packet;
        path_.flow.family = family_;
        path_.flow.source = end_at(query.source);
        path_.flow.destination = end_at(query.destination);
        if (translation_) {
            nat_.emplace();
            nat_->destination = path_.flow.destination;
            nat_->destination_port = translation_->port;
            path_.flow.destination = End{};
            if (translation_->front)
                path_.flow.destination = decision::end_of(cluster.world, *translation_->front);
        }
    }

    void run(std::vector<Path>& out) {
        if (stays_inside()) {
            path_.end_reason = Reason::Kind::InsideOnePod;
            out.push_back(path_);
        } else if (query_.route == Route::Ends) {
            PathBuilder builder(cluster_, path_);
            builder.ends_only(source_.object, destination_.object, nat_);
            out.push_back(builder.take());
        } else {
            wire(out);
        }
    }

  private:
    struct Place {
        Side side = Side::Network;
        std::optional<ObjectId> object;
        std::string node; ///< empty: outside the cluster, or a pod that is not placed
    };

    Place place_of(const PathEnd& end) const {
        Place place;
        place.object = end.endpoint;
        place.node = end.node;
        if (!end.endpoint) {
            place.side = end.node.empty() ? Side::Network : Side::Host;
            return place;
        }
        const decision::Endpoint* endpoint = cluster_.endpoint_of(*end.endpoint);
        if (endpoint == nullptr)
            return place;
        place.node = endpoint->node;
        place.side = endpoint->is_host_endpoint || endpoint->host_network ? Side::Host : Side::Pod;
        return place;
    }

    End end_at(const PathEnd& end) const {
        if (end.address) {
            End out = decision::end_of(cluster_.world, *end.address);
            if (end.endpoint && std::find(out.objects.begin(), out.objects.end(), *end.endpoint) ==
                                    out.objects.end())
                out.objects.push_back(*end.endpoint);
            return out;
        }
        if (end.endpoint) {
            const auto& held = cluster_.world.object(*end.endpoint).addresses;
            const auto of_family = [&](const net::Address& a) { return a.family == family_; };
            if (std::count_if(held.begin(), held.end(), of_family) == 1) {
                End out = decision::end_of(cluster_.world,
                                           *std::find_if(held.begin(), held.end(), of_family));
                if (std::find(out.objects.begin(), out.objects.end(), *end.endpoint) ==
                    out.objects.end())
                    out.objects.push_back(*end.endpoint);
                return out;
            }
            return End{{*end.endpoint}, std::nullopt};
        }
        return leaving_.node_end(end.node);
    }

    /// A template stands for many pods, so only a pod can talk to itself.
    bool stays_inside() const {
        if (!source_.object || source_.object != destination_.object || translation_)
            return false;
        const auto& kind = cluster_.world.object(*source_.object).manifest_kind;
        return kind == "Pod" || kind == "WorkloadEndpoint" || kind == "HostEndpoint";
    }

    // --- the wire --------------------------------------------------------------------------------

    /// The nodes that a packet crosses. Translated: the number of that on which kube-proxy does it.
    struct Nodes {
        std::vector<std::string> names;
        std::optional<std::size_t> translated;
    };

    void wire(std::vector<Path>& out) {
        for (const std::string& source : places(source_, destination_))
            for (const std::string& destination : places(destination_, source_))
                for (const std::string& entry : entries(destination)) {
                    const Nodes nodes = nodes_between(source, destination, entry);
                    if (answers_here(nodes, out))
                        wire(nodes, out);
                }
    }

    /// Where an end may be. A pod that is not placed may be on any node, on that of the other end
    /// as well; hosts and placed pods are on theirs.
    std::vector<std::string> places(const Place& place, const Place& other) {
        if (place.side == Side::Network || !place.node.empty())
            return {place.node};
        std::vector<std::string> also{other.node};
        if (translation_ && translation_->node)
            also.push_back(*translation_->node);
        std::vector<std::string> out = distinct(also);
        out.emplace_back(&place == &source_ ? kSourceElsewhere : kDestinationElsewhere);
        return out;
    }

    /// On which node a packet from outside to a service's address comes in: on any.
    std::vector<std::string> entries(const std::string& destination) {
        if (source_.side != Side::Network || !translation_ || translation_->node)
            return {destination};
        std::vector<std::string> out = distinct({destination});
        if (cluster_.nodes.empty())
            out.emplace_back(kEntryElsewhere);
        return out;
    }

    /// One of each kind of nodes, and always those in `also`.
    std::vector<std::string> distinct(const std::vector<std::string>& also) {
        if (!kinds_of_nodes_) {
            Arrival packet{path_.flow, destination_.object, destination_.node,
                           [&](const std::string& node) { return may_answer(node); }};
            if (nat_) {
                packet.flow.destination = *nat_->destination;
                packet.flow.destination_port = nat_->destination_port;
            }
            kinds_of_nodes_ = kinds_of_nodes(cluster_, leaving_, packet);
        }
        std::vector<std::string> out;
        for (const auto* list : {&also, &std::as_const(*kinds_of_nodes_)})
            for (const std::string& name : *list)
                if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end())
                    out.push_back(name);
        return out;
    }

    // --- externalTrafficPolicy and internalTrafficPolicy: Local ----------------------------------

    Tri may_answer(const std::string& node) const {
        if (!translation_)
            return Tri::Yes;
        Tri out = Tri::No;
        for (const std::string& each : translation_->backend_nodes)
            out = decision::either(out, each == node   ? Tri::Yes
                                        : each.empty() ? Tri::Unknown
                                                       : Tri::No);
        return out;
    }

    /// Whether only pods of the translating node are asked. Not of what the cluster's own pods and
    /// that node's host send to an outside address: it is as if it went out and came back in.
    Tri asks_local_only(const Nodes& nodes) const {
        if (!translation_ || !translation_->only_local || !nodes.translated)
            return Tri::No;
        if (translation_->via == Translation::Via::ClusterAddress)
            return Tri::Yes;
        if (*nodes.translated == 0)
            return source_.side == Side::Network ? Tri::Yes : Tri::No;
        return source_.side == Side::Pod ? leaving_.nat_outgoing(path_.flow.source, true)
                                         : Tri::Yes;
    }

    /// Whether the way exists. Adds the one that ends where no pod of the node answers.
    bool answers_here(const Nodes& nodes, std::vector<Path>& out) {
        const Tri local = asks_local_only(nodes);
        if (local == Tri::No || nodes.names[*nodes.translated] == nodes.names.back())
            return true;
        const std::string& node = nodes.names[*nodes.translated];
        const bool chosen =
            translation_->via == Translation::Via::LoadBalancer && source_.side == Side::Network;
        if (!chosen && may_answer(node) != Tri::Yes) {
            PathBuilder dropped(cluster_, path_);
            const bool inside = translation_->via == Translation::Via::ClusterAddress;
            dropped.end(Verdict::Deny,
                        {inside ? Reason::Kind::NoLocalPodInside : Reason::Kind::NoLocalPod,
                         translation_->service, shown_node(node)});
            note_places(nodes, dropped);
            out.push_back(dropped.take());
        }
        return local == Tri::Unknown;
    }

    Nodes nodes_between(const std::string& source, const std::string& destination,
                        const std::string& entry) const {
        Nodes out;
        const auto visit = [&](const std::string& node) {
            if (!node.empty() && (out.names.empty() || out.names.back() != node))
                out.names.push_back(node);
        };
        visit(source);
        if (translation_ && translation_->node)
            visit(*translation_->node);
        else if (source.empty())
            visit(entry);
        if (translation_ && !out.names.empty())
            out.translated = out.names.size() - 1;
        visit(destination);
        return out;
    }

    void wire(const Nodes& nodes, std::vector<Path>& out) {
        if (nodes.names.empty()) { // from outside to outside, translated or not
            out.push_back(path_);
            return;
        }
        std::vector<Way> ways{Way{PathBuilder(cluster_, path_)}};
        for (std::size_t i = 0; i < nodes.names.size(); ++i) {
            std::vector<Way> longer;
            for (const Way& way : ways)
                cross(nodes, i, way, longer);
            ways = std::move(longer);
        }
        for (Way& way : ways) {
            if (source_.side == Side::Host && destination_.side != Side::Network &&
                nodes.names.size() == 1)
                way.builder.end(Verdict::Allow, Reason::Kind::HostReachesItself);
            if (translation_ && translation_->note)
                way.builder.note(*translation_->note);
            note_places(nodes, way.builder);
            out.push_back(way.builder.take());
        }
    }

    struct Way {
        PathBuilder builder;
    };

    void cross(const Nodes& nodes, std::size_t at, const Way& way, std::vector<Way>& out) const {
        const std::string& node = nodes.names[at];
        const bool first = at == 0, last = at + 1 == nodes.names.size();
        const NodeInterfaces interfaces = interfaces_of(cluster_, node);
        Crossing crossing;
        crossing.from = first ? source_.side : Side::Network;
        crossing.to = last ? destination_.side : Side::Network;
        crossing.source_pod = source_.object;
        crossing.destination_pod = destination_.object;
        crossing.pods_interface = interfaces.wildcard;
        if (nodes.translated == at)
            crossing.translation = nat_;
        const auto in = crossing.from == Side::Network
                            ? choices(interfaces, crossing.to, destination_, path_.flow.destination)
                            : std::vector<std::optional<ObjectId>>{std::nullopt};
        const auto leaving = crossing.to == Side::Network
                                 ? choices(interfaces, crossing.from, source_, path_.flow.source)
                                 : std::vector<std::optional<ObjectId>>{std::nullopt};
        for (const LeavingSource& source : sources(nodes, at, interfaces))
            for (const auto& enter : in)
                for (const auto& leave : leaving) {
                    Way next = way;
                    crossing.in_interface = enter;
                    crossing.out_interface = leave;
                    crossing.masquerade.reset();
                    if (source.source)
                        crossing.masquerade = Rewrite{source.source, {}, {}};
                    note(enter, "in through ", next.builder);
                    note(leave, "out through ", next.builder);
                    if (!source.text.empty())
                        next.builder.assume(source.text);
                    next.builder.cross(crossing);
                    if (crossing.from == Side::Pod && crossing.to == Side::Host)
                        end_at_host(node, next.builder);
                    out.push_back(std::move(next));
                }
    }

    /// The host endpoints of the interfaces that a packet may cross; where it is for or from the
    /// host itself, those that expect its address.
    static std::vector<std::optional<ObjectId>>
    choices(const NodeInterfaces& interfaces, Side inner, const Place& place, const End& end) {
        std::vector<std::optional<ObjectId>> all, expecting;
        for (const NodeInterfaces::Interface& each : interfaces.named) {
            if (inner == Side::Host && place.object == each.host_endpoint)
                return {each.host_endpoint};
            all.emplace_back(each.host_endpoint);
            if (end.address && std::find(each.addresses.begin(), each.addresses.end(),
                                         *end.address) != each.addresses.end())
                expecting.emplace_back(each.host_endpoint);
        }
        if (inner == Side::Host && !expecting.empty())
            return expecting;
        if (interfaces.wildcard)
            all.emplace_back(*interfaces.wildcard);
        if (all.empty())
            all.emplace_back(std::nullopt);
        return all;
    }

    /// Sources with which the packet may leave the node of that number.
    std::vector<LeavingSource> sources(const Nodes& nodes, std::size_t at,
                                       const NodeInterfaces& interfaces) const {
        const bool last = at + 1 == nodes.names.size();
        // Of what leaves the cluster only answers tell, which untracked policy may take.
        if (last && (destination_.side != Side::Network || interfaces.named.empty()))
            return {LeavingSource{}};
        Departure packet;
        packet.node = nodes.names[at];
        packet.next = last ? "" : nodes.names[at + 1];
        packet.from = at == 0 ? source_.side : Side::Network;
        packet.to_pod = destination_.side == Side::Pod && !(nodes.translated > at);
        packet.source = path_.flow.source;
        packet.destination = nat_ ? *nat_->destination : path_.flow.destination;
        packet.translation = nodes.translated == at ? &*translation_ : nullptr;
        return leaving_.sources(packet);
    }

    void end_at_host(const std::string& node, PathBuilder& builder) const {
        const policy::FelixSettings& felix = cluster_.felix_of(node);
        const auto& given = felix.to_host;
        if (!given && felix.unread.known())
            return builder.end(Verdict::Depends, Reason::Kind::UnreadHostAction);
        if (!given)
            return builder.end(Verdict::Depends, Reason::Kind::HostActionNotSaid);
        if (*given == policy::HostAction::Return)
            builder.end(Verdict::Depends, Reason::Kind::HostActionReturns);
        else if (*given == policy::HostAction::Drop)
            builder.end(Verdict::Deny, Reason::Kind::HostActionDrops);
    }

    void note(const std::optional<ObjectId>& interface, const char* how,
              PathBuilder& builder) const {
        if (interface)
            builder.assume(how + cluster_.world.object(*interface).name);
    }

    void note_places(const Nodes& nodes, PathBuilder& builder) const {
        const auto unplaced = [](const Place& place) {
            return place.side != Side::Network && place.node.empty();
        };
        if (unplaced(source_))
            builder.assume("from a pod on " + shown_node(nodes.names.front()));
        if (unplaced(destination_))
            builder.assume("to a pod on " + shown_node(nodes.names.back()));
        if (source_.side == Side::Network && translation_ && !translation_->node)
            builder.assume("by way of " + (nodes.names.size() == 1 && unplaced(destination_)
                                               ? "the pod's own node"
                                               : shown_node(nodes.names.front())));
    }

    const LoweredCluster& cluster_;
    const PathQuery& query_;
    const std::optional<Translation>& translation_;
    net::Family family_;
    Leaving leaving_;
    std::optional<std::vector<std::string>> kinds_of_nodes_; ///< made when first asked for
    Place source_, destination_;
    std::optional<Rewrite> nat_;
    Path path_;
};

} // namespace

void add_routes(const LoweredCluster& cluster, const PathQuery& query,
                const std::optional<Translation>& translation, std::vector<Path>& out) {
    Router(cluster, query, translation).run(out);
}

} // namespace polecat::ir
