#include "driver/bgp/accept.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analyzer/routing/routes/assumed_blocks.h"
#include "driver/bgp/session_text.h"

namespace polecat::driver {

namespace {

using routing::Acceptance;
using Way = Acceptance::Way;

class Accepting {
  public:
    Accepting(RoutedInput& routed, const net::Cidr& prefix, const BgpNeighbor& from,
              std::optional<routing::NodeIndex> node, routing::Trail trail)
        : routed_(routed), prefix_(prefix), from_(from), node_(node), trail_(trail) {}

    std::vector<AcceptRow> run() {
        if (from_.node)
            assume_block();
        const routing::LowerNode lower = quiet_lowering();
        routing::Announcements model(routed_.routing, fabric_routers(routed_.input.cluster),
                                     prefix_.family(), lower);
        if (from_.node)
            sent_by_node(model);
        routing::ClusterRouting bare = routed_.routing; // one session of the mesh is enough
        bare.mesh = false;
        for (routing::NodeIndex i = 0; i < bare.nodes.size(); ++i) {
            if ((node_ && i != *node_) || i == from_.node)
                continue;
            const auto form = lower(bare, i);
            const auto session = form ? session_of(i, *form) : std::nullopt;
            if (!session)
                continue;
            const auto sent = sent_.find(*form->of(prefix_.family()).address);
            add(routing::accept(routed_.routing, i, *form, *session,
                                sent != sent_.end() ? sent->second
                                                    : routing::told_by(*session, prefix_),
                                trail_),
                model.establishes(i, *form, *session));
        }
        return std::move(rows_);
    }

  private:
    /// Two nodes have one session: the first in BIRD's order.
    std::optional<routing::Session> session_of(routing::NodeIndex index,
                                               const routing::NodeRouting& form) const {
        const net::Family family = prefix_.family();
        std::optional<routing::Session> out;
        for (const routing::Session& each : form.of(family).sessions)
            if (from_.matches(each) && (!out || each.kind < out->kind))
                out = each;
        if (!routed_.routing.mesh || !from_.node)
            return out;
        const routing::BgpNode &here = routed_.routing.nodes[index],
                               &there = routed_.routing.nodes[*from_.node];
        if (here.of(family) && there.of(family) && !here.cluster_id && !there.cluster_id &&
            (!out || routing::SessionKind::Mesh < out->kind))
            out = routing::mesh_session(routed_.routing, here, there, family);
        return out;
    }

    /// As everywhere, a pod of the neighbour stands for a block of its pool.
    void assume_block() {
        routing::ClusterRouting with = routed_.routing;
        routing::assume_blocks(routed_.input.cluster, with);
        auto& known = routed_.routing.nodes[*from_.node].blocks;
        const auto& all = with.nodes[*from_.node].blocks;
        for (std::size_t i = known.size(); i < all.size() && !assumed_; ++i)
            if (all[i].cidr == prefix_)
                assumed_ = all[i];
        if (assumed_)
            known.push_back(*assumed_);
    }

    /// A node of the cluster says what its own filters make of the prefix.
    void sent_by_node(routing::Announcements& model) {
        for (const auto& each : model.of(*from_.node, prefix_, routing::Trail::Applied)) {
            has_route_ = true;
            if (each.announced())
                sent_.emplace(each.session.neighbor, each.sent);
        }
    }

    /// What is not so, and asked about all the same.
    std::string assumption(const Acceptance& each) const {
        const auto& address = routed_.routing.nodes[each.node].of(prefix_.family());
        if (from_.node && assumed_ && sent_.contains(address->address))
            return assumed_block_text(routed_, *assumed_);
        if (!from_.node || sent_.contains(address->address))
            return "";
        return fmt::format("node {} {}; asked all the same",
                           routed_.routing.nodes[*from_.node].name,
                           has_route_ ? "does not announce it here" : "has no route to it");
    }

    static std::string decided(const routing::RouteVerdict& verdict, const RoutedInput& routed) {
        return verdict.trail.empty() ? "nothing rejects it" : text_of(routed, verdict.trail.back());
    }

    void add(Acceptance each, bool establishes) {
        AcceptRow row;
        row.establishes = establishes;
        row.assumed = assumption(each);
        row.taken = each.looped
                        ? "not taken: the path has the node's own AS number "
                          "(numAllowedLocalASNumbers)"
                        : fmt::format("{}: {}", each.taken.accepted() ? "taken" : "not taken",
                                      decided(each.taken, routed_));
        row.enters = establishes && (each.way == Way::Tunnel || each.way == Way::Link ||
                                     each.way == Way::Recursive);
        if (!each.looped && each.taken.accepted())
            row.written = written(each);
        const std::string node = routed_.routing.nodes[each.node].name;
        const auto same = std::find_if(rows_.begin(), rows_.end(), [&](const AcceptRow& other) {
            return trail_ != routing::Trail::Everything && other.assumed == row.assumed &&
                   other.taken == row.taken && other.written == row.written &&
                   other.establishes == row.establishes &&
                   other.first.session.kind == each.session.kind &&
                   (each.session.kind == routing::SessionKind::Mesh ||
                    other.first.session.origin.object == each.session.origin.object);
        });
        if (same != rows_.end())
            return same->nodes.push_back(node);
        row.first = std::move(each);
        row.nodes.push_back(node);
        rows_.push_back(std::move(row));
    }

    std::string written(const Acceptance& each) const {
        const std::string hop = net::to_string(each.next_hop);
        switch (each.way) {
        case Way::Own:
            return "not into the kernel: the node has the prefix itself, which comes first";
        case Way::None:
            return "not into the kernel: " + decided(each.written, routed_);
        case Way::Tunnel:
            return fmt::format("into the kernel through {} to {}: {}", routing::kTunnelDevice, hop,
                               decided(each.written, routed_));
        case Way::Link:
            return fmt::format("into the kernel through the device of the node's own network, to "
                               "{}: {}",
                               hop, decided(each.written, routed_));
        case Way::Recursive:
            return fmt::format("into the kernel through the device that leads to {}, outside of "
                               "the node's own network: {}",
                               hop, decided(each.written, routed_));
        }
        return "";
    }

    RoutedInput& routed_;
    const net::Cidr prefix_;
    const BgpNeighbor& from_;
    const std::optional<routing::NodeIndex> node_;
    const routing::Trail trail_;
    std::map<net::Address, routing::Route> sent_; ///< by whom they are sent to
    bool has_route_ = false;                      ///< the node that is asked about
    std::optional<routing::Block> assumed_;       ///< of the node that is asked about
    std::vector<AcceptRow> rows_;
};

} // namespace

std::vector<AcceptRow> accept(RoutedInput& routed, const net::Cidr& prefix, const BgpNeighbor& from,
                              std::optional<routing::NodeIndex> node, routing::Trail trail) {
    return Accepting(routed, prefix, from, node, trail).run();
}

} // namespace polecat::driver
