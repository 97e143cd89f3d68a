// AS numbers that contradict each other, or that nobody should have.
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"

namespace polecat::lint {

namespace {

bool is_link_local(const net::Address& address) {
    static const auto v4 = net::parse_cidr("169.254.0.0/16", net::CidrForm::Strict);
    static const auto v6 = net::parse_cidr("fe80::/10", net::CidrForm::Strict);
    return address.family == net::Family::V4 ? v4->contains(address) : v6->contains(address);
}

class Numbers {
  public:
    Numbers(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        for (const BgpNode& node : bgp_.nodes)
            two_manifests(node);
        for (const BgpPeer& peer : bgp_.peers)
            if (peer.address && peer.as && !peer.to_workloads) {
                node_at_the_other_end(peer);
                same_address(peer);
            }
        collect();
        for (const auto& [number, where] : used_)
            special(number, where);
    }

  private:
    /// A Calico Node and the annotation of its Kubernetes Node.
    void two_manifests(const BgpNode& node) {
        if (node.as && node.annotated_as && node.as->value != node.annotated_as->value)
            out_.report(Code::AsConflict, node.as->span,
                        {"node " + node.name, std::to_string(node.as->value),
                         std::to_string(node.annotated_as->value)})
                .about("Node " + node.name)
                .with_label(node.annotated_as->span,
                            fmt::format("annotation projectcalico.org/ASNumber says {}",
                                        node.annotated_as->value))
                .with_hint("write one number in both");
    }

    // --- a peer that is a node of this cluster ---------------------------------------------------

    void node_at_the_other_end(const BgpPeer& peer) {
        for (const NodeIndex index : peer.remote) {
            const auto has = shown_to(peer, index);
            if (shows_elsewhere(index, peer.as->value))
                continue;
            if (!has)
                claim(peer, index);
            else if (has->value != peer.as->value)
                wrong_number(peer, index, *has);
        }
    }

    void wrong_number(const BgpPeer& peer, NodeIndex index, const AsAt& has) {
        const BgpNode& node = bgp_.node(index);
        const BgpPeer* back = other_side(peer, index);
        const bool local = back != nullptr && back->local_as && back->local_as->span == has.span;
        const std::string from = local     ? "localASNumber of the node's own BGPPeer"
                                 : node.as ? "the node's own AS number"
                                 : has.span == bgp_.configuration->meta.span
                                     ? "the cluster's AS number, by default"
                                     : "the cluster's AS number";
        auto& diagnostic = out_.report(
            Code::PeerAsymmetric, peer.as->span,
            {peer.name(), std::to_string(peer.as->value), node.name, std::to_string(has.value)});
        diagnostic.about(about(*peer.object))
            .with_label(has.span, from + fmt::format(" is {}", has.value))
            .with_hint(fmt::format("write asNumber: {} here, or give the node AS {}{}: with two "
                                   "numbers the session never comes up",
                                   has.value, peer.as->value, local ? " there" : ""));
        if (back != nullptr && !local)
            diagnostic.with_label(back->as->span,
                                  fmt::format("the other side is BGPPeer {}, which expects AS {} "
                                              "of this one",
                                              back->name(), back->as->value));
    }

    /// Its own BGPPeer may make the node show another number (localASNumber).
    std::optional<AsAt> shown_to(const BgpPeer& peer, NodeIndex index) const {
        const BgpPeer* back = other_side(peer, index);
        return back != nullptr ? bgp_.shown_as(*back, index) : bgp_.as_of(index);
    }

    /// The BGPPeer by which `index` peers with a node that `peer` configures.
    const BgpPeer* other_side(const BgpPeer& peer, NodeIndex index) const {
        for (const BgpPeer& each : bgp_.peers)
            if (&each != &peer && each.as && each.configures(index) &&
                !common(each.remote, peer.nodes).empty())
                return &each;
        return nullptr;
    }

    /// Some peer of that node makes it show the number.
    bool shows_elsewhere(NodeIndex index, net::AsNumber number) const {
        for (const BgpPeer& each : bgp_.peers)
            if (each.local_as && each.local_as->value == number && each.configures(index))
                return true;
        return false;
    }

    /// Without BGPConfiguration `default` the cluster's number is not known, but it is one number.
    void claim(const BgpPeer& peer, NodeIndex index) {
        if (claimed_ == nullptr) {
            claimed_ = &peer;
            claimed_node_ = index;
        } else if (claimed_->as->value != peer.as->value) {
            out_.report(Code::AsConflict, peer.as->span,
                        {"the cluster", std::to_string(claimed_->as->value),
                         std::to_string(peer.as->value)})
                .about(about(*peer.object))
                .with_label(claimed_->as->span,
                            fmt::format("AS {} of node {} here", claimed_->as->value,
                                        bgp_.node(claimed_node_).name))
                .with_note(fmt::format("node {} and node {} have no AS number of their own, so "
                                       "both have that of BGPConfiguration `default`",
                                       bgp_.node(claimed_node_).name, bgp_.node(index).name))
                .with_hint("correct one of the two, or give the node its own spec.bgp.asNumber");
        }
    }

    // --- a router of the fabric ------------------------------------------------------------------

    void same_address(const BgpPeer& peer) {
        if (!peer.to_router())
            return;
        const auto [found, fresh] =
            by_address_.emplace(std::pair(peer.address->value, peer.port), &peer);
        const BgpPeer& first = *found->second;
        if (fresh || first.as->value == peer.as->value || both_in_inventory(first, peer))
            return;
        // Each link may have its own router of that address.
        if (is_link_local(peer.address->value) && common(first.nodes, peer.nodes).empty())
            return;
        out_.report(Code::AsConflict, peer.as->span,
                    {"router " + peer.address_text(), std::to_string(first.as->value),
                     std::to_string(peer.as->value)})
            .about(about(*peer.object))
            .with_label(first.as->span,
                        fmt::format("BGPPeer {} gives it AS {}", first.name(), first.as->value))
            .with_hint("a router has one AS number: the session with the wrong one never comes up; "
                       "correct asNumber in one of the two");
    }

    /// Two routers of one address, each in its rack.
    bool both_in_inventory(const BgpPeer& a, const BgpPeer& b) const {
        const auto lists = [&](const BgpPeer& peer) {
            for (const policy::FabricInventory& each : bgp_.cluster.inventories)
                for (const policy::FabricRouter& router : each.routers)
                    if (router.address.value == peer.address->value &&
                        router.as_number.value == peer.as->value)
                        return true;
            return false;
        };
        return lists(a) && lists(b);
    }

    // --- numbers by themselves -------------------------------------------------------------------

    struct Place {
        Span span;
        std::string object;
    };

    void collect() {
        const auto add = [&](const std::optional<AsAt>& number, const std::string& object) {
            if (number)
                used_.emplace(number->value, Place{number->span, object});
        };
        for (const BgpPeer& peer : bgp_.peers) {
            add(peer.as, about(*peer.object));
            add(peer.local_as, about(*peer.object));
        }
        for (const BgpNode& node : bgp_.nodes)
            add(node.as, "Node " + node.name);
        if (bgp_.configuration != nullptr && bgp_.configuration->spec.has("asNumber"))
            add(bgp_.cluster_as(), "BGPConfiguration default");
        for (const policy::FabricInventory& each : bgp_.cluster.inventories)
            for (const policy::FabricRouter& router : each.routers)
                listed_.insert(router.as_number.value);
    }

    void special(net::AsNumber number, const Place& where) {
        if (const std::string_view why = net::reserved_for(number); !why.empty())
            out_.report(Code::AsReserved, where.span, {std::to_string(number), why})
                .about(where.object);
        else if (!net::is_private(number) && !listed_.contains(number))
            out_.report(Code::AsPublic, where.span, {std::to_string(number), where.object})
                .about(where.object)
                .with_hint(nearest_private(number));
    }

    std::string nearest_private(net::AsNumber number) const {
        std::vector<std::string> texts;
        for (const auto& [each, where] : used_)
            if (net::is_private(each))
                texts.push_back(std::to_string(each));
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        if (const auto near = diag::nearest(std::to_string(number), views))
            return fmt::format("did you mean {}?", *near);
        return "private numbers are 64512 to 65534 and 4200000000 to 4294967294; one that is yours "
               "belongs into a FabricInventory";
    }

    const Bgp& bgp_;
    Diagnostics& out_;
    std::map<std::pair<net::Address, std::uint16_t>, const BgpPeer*> by_address_;
    std::map<net::AsNumber, Place> used_;
    std::set<net::AsNumber> listed_;
    const BgpPeer* claimed_ = nullptr;
    NodeIndex claimed_node_ = 0;
};

} // namespace

void check_bgp_numbers(const Bgp& bgp, Diagnostics& out) {
    Numbers(bgp, out).run();
}

} // namespace polecat::lint
