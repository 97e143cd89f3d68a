#include "driver/bgp/announce.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/routing/routes/assumed_blocks.h"
#include "driver/bgp/session_text.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

using routing::Announcement;
using routing::Withheld;

class Announcing {
  public:
    Announcing(RoutedInput& routed, const BgpTarget& target, const std::optional<BgpNeighbor>& to,
               std::optional<routing::NodeIndex> node, routing::Trail trail)
        : routed_(routed), target_(target), to_(to), node_(node), trail_(trail) {}

    AnnounceAnswer run() {
        AnnounceAnswer out{target_, {}, "", false};
        assume_block();
        routing::Announcements model(routed_.routing, fabric_routers(routed_.input.cluster),
                                     target_.prefix.family(), quiet_lowering());
        std::vector<net::Cidr> prefixes{target_.prefix};
        if (target_.address)
            prefixes = model.holding(target_.prefix.base);
        if (prefixes.empty() || (!target_.address && model.origins(target_.prefix).empty())) {
            out.hint = hint(model);
            return out;
        }
        for (const net::Cidr& prefix : prefixes)
            out.prefixes.push_back(answer(prefix, model, out.announced));
        return out;
    }

  private:
    /// Manifests seldom hold BlockAffinities. Of a pod, or with --node, it is known whose block it
    /// would be.
    void assume_block() {
        const auto node = !target_.node.empty() ? routed_.routing.find(target_.node) : node_;
        assumed_.reset();
        if (!node)
            return;
        for (const routing::BgpNode& each : routed_.routing.nodes)
            for (const routing::Block& block : each.blocks)
                if (block.cidr.contains(target_.prefix.base))
                    return;
        assumed_ = routing::block_of_pool(routed_.input.cluster, target_.prefix.base);
        if (assumed_ && !target_.address && assumed_->cidr != target_.prefix)
            assumed_.reset();
        if (assumed_)
            routed_.routing.nodes[*node].blocks.push_back(*assumed_);
    }

    std::string hint(const routing::Announcements& model) const {
        const auto inside = model.inside(target_.prefix);
        const auto block = routing::block_of_pool(routed_.input.cluster, target_.prefix.base);
        return !inside.empty()
                   ? fmt::format("nodes announce {} inside it, {} the first",
                                 counted(inside.size(), "prefix"), net::to_string(inside.front()))
               : block && !target_.address && block->cidr != target_.prefix
                   ? fmt::format("blocks of {} are /{}: ask about {}",
                                 routed_.text_of(block->origin), block->cidr.prefix,
                                 net::to_string(block->cidr))
               : block ? "the input has no BlockAffinity for it (kubectl get blockaffinities -o "
                         "yaml); --node takes it for a block of that node"
                       : "no block of a node and no announced range of services holds it";
    }

    AnnouncedPrefix answer(const net::Cidr& prefix, routing::Announcements& model,
                           bool& announced) const {
        AnnouncedPrefix out{prefix, model.origins(prefix), false, {}, false, {}};
        out.assumed_service = target_.assumed && prefix == target_.prefix;
        if (assumed_ && assumed_->cidr == prefix)
            out.block = assumed_;
        auto nodes = model.alike(prefix, to_ ? to_->node : std::nullopt);
        if (node_) {
            const bool own = std::binary_search(out.origins.begin(), out.origins.end(), *node_);
            nodes = {{*node_, 1, own}};
        }
        for (const auto& [node, count, own] : nodes)
            for (const Announcement& each : model.of(node, prefix, trail_)) {
                out.known = true;
                if ((to_ && !to_->matches(each.session)) ||
                    (!own && !node_ && !each.announced())) // those that pass nothing on
                    continue;
                announced = announced || (each.announced() && each.establishes);
                add(each, count, out.rows);
            }
        return out;
    }

    void add(const Announcement& each, std::size_t count, std::vector<AnnounceRow>& rows) const {
        std::string text = each.withheld != Withheld::No
                               ? fmt::format("not announced: {}", routing::to_string(each.withheld))
                               : fmt::format("{}: {}",
                                             each.announced() ? "announced"
                                                              : "not "
                                                                "announced",
                                             text_of(routed_, each.verdict.trail.back()));
        const auto alike = [&](const AnnounceRow& row) {
            return row.text == text && row.first.establishes == each.establishes &&
                   row.first.own == each.own && row.first.session.kind == each.session.kind &&
                   (each.session.kind == routing::SessionKind::Mesh ||
                    row.first.session.origin.object == each.session.origin.object);
        };
        auto row = std::find_if(rows.begin(), rows.end(), alike);
        if (row == rows.end() || trail_ == routing::Trail::Everything) // with its own steps
            row = rows.insert(rows.end(), {each, {}, 0, 0, std::move(text)});
        const std::string& node = routed_.routing.nodes[each.node].name;
        if (row->nodes.empty() || row->nodes.back() != node) {
            row->nodes.push_back(node);
            row->all_nodes += count;
        }
        ++row->neighbors;
    }

    RoutedInput& routed_;
    const BgpTarget& target_;
    const std::optional<BgpNeighbor>& to_;
    const std::optional<routing::NodeIndex> node_;
    const routing::Trail trail_;
    std::optional<routing::Block> assumed_;
};

} // namespace

std::string AnnounceAnswer::title() const {
    const std::string text =
        target.address ? net::to_string(target.prefix.base) : net::to_string(target.prefix);
    return target.about.empty() ? text : fmt::format("{} ({})", text, target.about);
}

AnnounceAnswer announce(RoutedInput& routed, const BgpTarget& target,
                        const std::optional<BgpNeighbor>& to,
                        std::optional<routing::NodeIndex> node, routing::Trail trail) {
    return Announcing(routed, target, to, node, trail).run();
}

} // namespace polecat::driver
