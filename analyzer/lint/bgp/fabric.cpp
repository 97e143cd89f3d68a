// BGP objects against the inventory of the fabric.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"

namespace polecat::lint {

using policy::FabricRack;
using policy::FabricRouter;

namespace {

std::string title(const FabricRouter& router) {
    const std::string address = net::to_string(router.address.value);
    return router.name.empty() ? address : fmt::format("{} ({})", router.name, address);
}

class Fabric {
  public:
    Fabric(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {
        for (const policy::FabricInventory& each : bgp.cluster.inventories) {
            for (const FabricRouter& router : each.routers)
                routers_.push_back(&router);
            for (const FabricRack& rack : each.racks)
                racks_.push_back(&rack);
        }
    }

    void run() {
        for (const FabricRack* rack : racks_)
            nodes_of(*rack);
        if (routers_.empty())
            return;
        for (const BgpPeer& peer : bgp_.peers)
            if (peer.to_router())
                check(peer);
        if (!bgp_.peers.empty())
            for (const FabricRouter* router : routers_)
                unused(*router);
    }

  private:
    void check(const BgpPeer& peer) {
        std::vector<const FabricRouter*> there;
        for (const FabricRouter* router : routers_)
            if (router->address.value == peer.address->value)
                there.push_back(router);
        if (there.empty())
            return unknown(peer);
        number(peer, there);
        racks(peer, there);
        if (there.size() == 1)
            expected(peer, *there.front());
    }

    void unknown(const BgpPeer& peer) {
        auto& diagnostic = out_.report(Code::RouterUnknown, peer.address->span,
                                       {peer.name(), net::to_string(peer.address->value)});
        diagnostic.about(about(*peer.object));
        std::vector<std::string> texts;
        for (const FabricRouter* router : routers_)
            texts.push_back(net::to_string(router->address.value));
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        if (const auto near = diag::nearest(net::to_string(peer.address->value), views))
            diagnostic.with_hint(fmt::format("did you mean {}?", *near));
        else
            diagnostic.with_hint("correct peerIP, or add the router to the inventory");
    }

    void number(const BgpPeer& peer, const std::vector<const FabricRouter*>& there) {
        if (!peer.as || std::any_of(there.begin(), there.end(), [&](const FabricRouter* router) {
                return router->as_number.value == peer.as->value;
            }))
            return;
        const FabricRouter& router = *there.front();
        out_.report(Code::AsNotInInventory, peer.as->span,
                    {"router " + title(router), std::to_string(peer.as->value),
                     std::to_string(router.as_number.value)})
            .about(about(*peer.object))
            .with_label(router.as_number.span, "the inventory says so here")
            .with_hint(fmt::format("write asNumber: {}, or correct the inventory",
                                   router.as_number.value));
    }

    /// What the router's configuration expects of nodes.
    void expected(const BgpPeer& peer, const FabricRouter& router) {
        if (!router.node_as_number)
            return;
        for (const NodeIndex index : peer.nodes) {
            const auto shown = bgp_.shown_as(peer, index);
            if (!shown || shown->value == router.node_as_number->value)
                continue;
            out_.report(Code::RouterExpectsAs, peer.address->span,
                        {title(router), std::to_string(router.node_as_number->value),
                         bgp_.node(index).name, std::to_string(shown->value)})
                .about(about(*peer.object))
                .with_label(router.node_as_number->span, "expected here")
                .with_label(shown->span, fmt::format("AS {} comes from here", shown->value))
                .with_hint(fmt::format("give the node AS {}, or this peer localASNumber: {}",
                                       router.node_as_number->value, router.node_as_number->value));
            return; // one node of the peer tells it
        }
    }

    const FabricRack* rack_of(const BgpNode& node) const {
        for (const FabricRack* rack : racks_)
            if (rack->node_selector && rack->node_selector->parsed.matches(node.labels))
                return rack;
        return nullptr;
    }

    void racks(const BgpPeer& peer, const std::vector<const FabricRouter*>& there) {
        for (const NodeIndex index : peer.nodes) {
            const FabricRack* rack = rack_of(bgp_.node(index));
            // A router without a rack serves all of them.
            if (rack == nullptr ||
                std::any_of(there.begin(), there.end(), [&](const FabricRouter* router) {
                    return !router->rack || router->rack->value == rack->name.value;
                }))
                continue;
            out_.report(Code::PeerOtherRack, peer.address->span,
                        {peer.name(), bgp_.node(index).name, rack->name.value,
                         there.front()->rack->value})
                .about(about(*peer.object))
                .with_label(there.front()->rack->span, "the router's rack")
                .with_label(rack->node_selector->span, "the node's rack")
                .with_hint("narrow nodeSelector to the router's rack");
            return;
        }
    }

    void nodes_of(const FabricRack& rack) {
        if (!rack.node_selector || !rack.node_as_number)
            return;
        for (const NodeIndex index : bgp_.select(rack.node_selector->parsed)) {
            const auto has = bgp_.as_of(index);
            if (!has || has->value == rack.node_as_number->value)
                continue;
            const BgpNode& node = bgp_.node(index);
            out_.report(Code::AsNotInInventory, node.as ? node.as->span : node.span,
                        {fmt::format("node {} of rack {}", node.name, rack.name.value),
                         std::to_string(has->value), std::to_string(rack.node_as_number->value)})
                .about("Node " + node.name)
                .with_label(rack.node_as_number->span, "the inventory says so here")
                .with_hint(fmt::format("set spec.bgp.asNumber: {} of the node",
                                       rack.node_as_number->value));
        }
    }

    void unused(const FabricRouter& router) {
        for (const BgpPeer& peer : bgp_.peers)
            if (peer.address && peer.address->value == router.address.value)
                return;
        out_.report(Code::RouterWithoutPeer, router.address.span, {title(router)});
    }

    const Bgp& bgp_;
    Diagnostics& out_;
    std::vector<const FabricRouter*> routers_;
    std::vector<const FabricRack*> racks_;
};

} // namespace

void check_bgp_fabric(const Bgp& bgp, Diagnostics& out) {
    Fabric(bgp, out).run();
}

} // namespace polecat::lint
