// BGPPeer objects: whom they select, what they refer to, what has no effect.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"
#include "support/listed.h"

namespace polecat::lint {

namespace {

class Peers {
  public:
    Peers(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        for (const BgpPeer& peer : bgp_.peers) {
            selects_nobody(peer);
            filters(peer);
            next_hop(peer);
        }
        one_session_twice();
        if (const policy::OtherObject* off = bgp_.disabled_by())
            for (const BgpPeer& peer : bgp_.peers)
                out_.report(Code::BgpDisabled, peer.object->meta.span,
                            {about(*peer.object), off->meta.name})
                    .about(about(*peer.object))
                    .with_label(off->spec.span("bgp"), "turned off here");
    }

  private:
    // --- selectors -------------------------------------------------------------------------------

    /// Nodes that stand in no manifest would match such a selector ("!has(reflector)").
    bool may_select_others(const policy::SelectorField& selector) const {
        return selector.parsed.matches({}) &&
               std::none_of(bgp_.nodes.begin(), bgp_.nodes.end(),
                            [](const BgpNode& node) { return node.in_kubernetes; });
    }

    void selects_nobody(const BgpPeer& peer) {
        if (bgp_.nodes.empty())
            return;
        const std::string of =
            fmt::format("of {} in the input", counted(bgp_.nodes.size(), "node"));
        if (const auto node = peer.spec().text("node"); node && peer.nodes.empty())
            nobody(peer, node->span, fmt::format("node: none {} is `{}`", of, node->value));
        for (const char* field : {"nodeSelector", "peerSelector"}) {
            const auto selector = peer.spec().selector(field);
            if (selector && bgp_.select(selector->parsed).empty() && !may_select_others(*selector))
                nobody(peer, selector->span,
                       fmt::format("{}: none {} matches {} `{}`",
                                   field == std::string_view("nodeSelector") ? "node" : "peer", of,
                                   field, selector->text));
        }
    }

    void nobody(const BgpPeer& peer, const Span& span, const std::string& what) {
        out_.report(Code::PeerForNobody, span, {peer.name(), what})
            .about(about(*peer.object))
            .with_hint("no session comes of it; correct the name or selector, or label the nodes");
    }

    // --- filters ---------------------------------------------------------------------------------

    const policy::OtherObject* filter(const std::string& name) const {
        for (const policy::OtherObject* each : bgp_.filters)
            if (each->meta.name == name)
                return each;
        return nullptr;
    }

    void filters(const BgpPeer& peer) {
        for (const At<std::string>& name : peer.spec().texts("filters")) {
            const policy::OtherObject* found = filter(name.value);
            if (found == nullptr)
                missing_filter(peer, name);
            else if (peer.address && !has_rules(*found, peer.address->value.family))
                out_.report(Code::FilterOtherFamily, name.span,
                            {name.value, peer.name(),
                             std::string(net::to_string(peer.address->value.family))})
                    .about(about(*peer.object))
                    .with_label(found->meta.span, "the filter");
        }
    }

    static bool has_rules(const policy::OtherObject& filter, net::Family family) {
        const std::string ending = family == net::Family::V4 ? "V4" : "V6";
        return filter.spec.size("import" + ending) + filter.spec.size("export" + ending) != 0;
    }

    void missing_filter(const BgpPeer& peer, const At<std::string>& name) {
        auto& diagnostic = out_.report(Code::FilterMissing, name.span, {peer.name(), name.value});
        diagnostic.about(about(*peer.object));
        std::vector<std::string_view> names;
        for (const policy::OtherObject* each : bgp_.filters)
            names.push_back(each->meta.name);
        if (const auto near = diag::nearest(name.value, names))
            diagnostic.with_hint("did you mean `" + *near + "`?");
        else
            diagnostic.with_hint("add the BGPFilter to the input");
    }

    // --- what has no effect ----------------------------------------------------------------------

    /// Where both ends show the same number, whatever the peer's number is written in.
    void next_hop(const BgpPeer& peer) {
        if (!peer.spec().is_true("keepOriginalNextHop") || peer.nodes.empty())
            return;
        std::optional<net::AsNumber> inside;
        if (peer.as)
            inside = peer.as->value;
        else if (const auto own = bgp_.shown_as(peer, peer.nodes.front()); own)
            inside = own->value;
        const bool internal =
            inside && (peer.as || !peer.remote.empty()) &&
            std::all_of(peer.nodes.begin(), peer.nodes.end(),
                        [&](NodeIndex index) {
                            const auto shown = bgp_.shown_as(peer, index);
                            return shown && shown->value == *inside;
                        }) &&
            (peer.as || std::all_of(peer.remote.begin(), peer.remote.end(), [&](NodeIndex index) {
                 const auto shown = bgp_.as_of(index);
                 return shown && shown->value == *inside;
             }));
        if (internal)
            out_.report(Code::NextHopInternal, peer.spec().span("keepOriginalNextHop"),
                        {peer.name(), std::to_string(*inside)})
                .about(about(*peer.object))
                .with_hint("nextHopMode: Keep works inside an AS too");
    }

    // --- two objects, one session ----------------------------------------------------------------

    static bool one_scope(const BgpPeer& a, const BgpPeer& b) {
        const auto same = [&](const char* field) {
            const auto x = a.spec().text(field), y = b.spec().text(field);
            return x && y && x->value == y->value;
        };
        const auto own = a.spec().selector("nodeSelector"),
                   other = b.spec().selector("nodeSelector");
        return a.is_global() || b.is_global() || same("node") ||
               (own && other && own->parsed == other->parsed) || !common(a.nodes, b.nodes).empty();
    }

    /// Fields of which one session can have one value; who is at the ends and AS numbers, which
    /// have rules of their own, left out.
    static std::set<std::string> differences(const BgpPeer& a, const BgpPeer& b) {
        static const std::set<std::string> ends{"node", "nodeSelector", "peerIP", "asNumber"};
        std::set<std::string> out;
        const auto compare = [&](const policy::Settings& x, const policy::Settings& y) {
            for (const auto& [path, value] : x) {
                const auto there =
                    std::find_if(y.begin(), y.end(), [&, &path = path](const auto& each) {
                        return each.first == path;
                    });
                const std::string field = path.substr(0, path.find_first_of(".["));
                if (!ends.contains(field) &&
                    (there == y.end() ||
                     setting_text(there->second.value) != setting_text(value.value)))
                    out.insert(field);
            }
        };
        compare(a.spec(), b.spec());
        compare(b.spec(), a.spec());
        return out;
    }

    void one_session_twice() {
        const auto& peers = bgp_.peers;
        for (auto a = peers.begin(); a != peers.end(); ++a)
            for (auto b = peers.begin(); b != a; ++b) {
                if (!a->address || !b->address || a->address->value != b->address->value ||
                    a->port != b->port || !one_scope(*a, *b))
                    continue;
                const auto fields = differences(*a, *b);
                if (fields.empty())
                    continue;
                const std::vector<std::string> list(fields.begin(), fields.end());
                const bool ordered = a->is_global() != b->is_global();
                out_.report(Code::PeerSettingsDiffer, a->address->span,
                            {b->name(), a->name(), a->address_text(), listed(list)})
                    .about(about(*a->object))
                    .with_label(b->address->span, "the other one")
                    .with_note(ordered ? fmt::format("the one for all nodes wins, which is {}",
                                                     (a->is_global() ? a : b)->name())
                                       : std::string("which one wins is not defined"))
                    .with_hint("keep one of them, or narrow their node selectors");
            }
    }

    const Bgp& bgp_;
    Diagnostics& out_;
};

} // namespace

void check_bgp_peers(const Bgp& bgp, Diagnostics& out) {
    Peers(bgp, out).run();
}

} // namespace polecat::lint
