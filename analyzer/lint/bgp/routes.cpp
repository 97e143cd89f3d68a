// Without the mesh: nodes that cannot learn each other's routes. Pools whose routes filters keep
// back.
#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"
#include "analyzer/lint/pools.h"

namespace polecat::lint {

namespace {

class Routes {
  public:
    Routes(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        if (bgp_.carries_pods())
            for (const Pool& pool : pools_of(bgp_.cluster))
                if (pool.for_pods && pool.exported)
                    kept_back(pool);
        if (bgp_.mesh() != false || !bgp_.alone_carries_pods() || bgp_.nodes.size() < 2)
            return;
        islands();
        own_number_in_path();
    }

  private:
    /// Nodes that stand in no manifest could join what seems apart.
    bool all_nodes_known() const {
        return std::all_of(bgp_.nodes.begin(), bgp_.nodes.end(),
                           [](const BgpNode& node) { return node.in_kubernetes; });
    }

    std::uint32_t find(std::uint32_t i) {
        while (leader_[i] != i)
            i = leader_[i] = leader_[leader_[i]];
        return i;
    }
    void join(std::uint32_t a, std::uint32_t b) { leader_[find(a)] = find(b); }

    /// Sessions join nodes; routers of the fabric are taken to be joined with each other.
    void islands() {
        if (!all_nodes_known())
            return;
        const auto fabric = static_cast<std::uint32_t>(bgp_.nodes.size());
        leader_.resize(fabric + 1);
        std::iota(leader_.begin(), leader_.end(), 0);
        std::vector<bool> has_session(fabric, false);
        for (const BgpPeer& peer : bgp_.peers) {
            if (peer.to_workloads || peer.nodes.empty())
                continue;
            for (const NodeIndex node : peer.nodes) {
                if (peer.to_router())
                    join(node, fabric);
                else if (!peer.remote.empty())
                    join(node, peer.remote.front());
                has_session[node] = true;
            }
            for (const NodeIndex node : peer.remote) {
                join(node, peer.nodes.front());
                has_session[node] = true;
            }
        }
        for (NodeIndex i = 1; i < fabric; ++i)
            if (has_session[0] && has_session[i] && find(i) != find(0)) {
                out_.report(Code::BgpIslands, place(*bgp_.configuration, "nodeToNodeMeshEnabled"),
                            {bgp_.node(0).name, bgp_.node(i).name})
                    .about(about(*bgp_.configuration))
                    .with_label(bgp_.node(0).span, "one")
                    .with_label(bgp_.node(i).span, "the other")
                    .with_hint("let the two groups peer: reflectors with each other, or both with "
                               "the fabric");
                return;
            }
    }

    /// The AS number of a node whose sessions all lead to routers of other AS numbers, none of
    /// which lets its own number pass.
    std::optional<net::AsNumber> outside_only(NodeIndex node) const {
        const auto own = bgp_.as_of(node);
        bool any = false;
        for (const BgpPeer& peer : bgp_.peers) {
            if (peer.to_workloads)
                continue;
            if (std::binary_search(peer.remote.begin(), peer.remote.end(), node))
                return std::nullopt;
            if (!peer.configures(node))
                continue;
            const auto allowed = peer.spec().integer("numAllowedLocalASNumbers");
            if (!own || !peer.to_router() || !peer.as || peer.as->value == own->value ||
                peer.local_as || (allowed && allowed->value > 0))
                return std::nullopt;
            any = true;
        }
        return any ? std::optional(own->value) : std::nullopt;
    }

    void own_number_in_path() {
        std::map<net::AsNumber, NodeIndex> seen;
        for (NodeIndex i = 0; i < bgp_.nodes.size(); ++i) {
            const auto number = outside_only(i);
            if (!number)
                continue;
            const auto [first, fresh] = seen.emplace(*number, i);
            if (fresh)
                continue;
            out_.report(Code::OwnNumberInPath, place(*bgp_.configuration, "nodeToNodeMeshEnabled"),
                        {bgp_.node(first->second).name, bgp_.node(i).name, std::to_string(*number)})
                .about(about(*bgp_.configuration))
                .with_label(bgp_.as_of(i)->span, "their AS number")
                .with_hint("set numAllowedLocalASNumbers: 1 on the BGPPeers, have the routers "
                           "replace the number (as-override), or give nodes numbers of their own");
            return;
        }
    }

    // --- pools -----------------------------------------------------------------------------------

    /// Nodes announce blocks of a pool, never its own CIDR: who accepts that alone surely meant
    /// them. Who rejects the blocks everywhere, and has no mesh, parts the nodes from each other.
    void kept_back(const Pool& pool) {
        std::optional<ExportRejection> first;
        bool everywhere = bgp_.mesh() == false && !uses_vxlan(pool) && bgp_.alone_carries_pods();
        for (const BgpPeer& peer : bgp_.peers) {
            if (peer.to_workloads)
                continue;
            const auto found = export_rejection(bgp_, peer, pool.cidr, pool.block_size);
            everywhere = everywhere && found;
            if (found && found->of_the_whole.known())
                return report_kept_back(pool, *found);
            if (found && !first)
                first = found;
        }
        if (everywhere && first)
            report_kept_back(pool, *first);
    }

    void report_kept_back(const Pool& pool, const ExportRejection& by) {
        auto& finding =
            out_.report(Code::FilterKeepsPool, by.rule,
                        {about(*by.filter), pool.shown(), std::to_string(pool.block_size)})
                .about(about(*by.filter))
                .with_label(pool.span, "the pool");
        if (by.of_the_whole.known())
            finding.with_label(by.of_the_whole, "this accepts the whole pool only")
                .with_hint("matchOperator: In takes all prefixes inside a CIDR");
        else
            finding.with_hint("accept the pool before this rule (matchOperator: In), or say "
                              "disableBGPExport: true on the pool where this is meant");
    }

    const Bgp& bgp_;
    Diagnostics& out_;
    std::vector<std::uint32_t> leader_;
};

} // namespace

void check_bgp_routes(const Bgp& bgp, Diagnostics& out) {
    Routes(bgp, out).run();
}

} // namespace polecat::lint
