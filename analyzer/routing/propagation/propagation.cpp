#include "analyzer/routing/propagation/propagation.h"

#include <algorithm>
#include <map>

#include "analyzer/routing/propagation/exchange.h"
#include "analyzer/routing/sessions/session_ends.h"

namespace polecat::routing {

namespace {

/// More paths of one prefix than any speaker should have: many reflectors with IDs of their own.
constexpr std::size_t kMostPaths = 2000;

bool originates(const FamilyRouting& form, const net::Cidr& prefix) {
    return std::any_of(form.blocks.begin(), form.blocks.end(),
                       [&](const Block& each) { return each.originates && each.cidr == prefix; }) ||
           std::any_of(form.services.begin(), form.services.end(),
                       [&](const PrefixLine& each) { return each.prefix == prefix; });
}

Path own_path(const net::Cidr& prefix) {
    Path out;
    out.route.prefix = prefix;
    out.route.source = RouteSource::Static;
    out.preference = kStaticPreference;
    return out;
}

/// What arrives over one link of what the sender has.
void take(const Network& network, const Link& link, const std::vector<Path>& sent,
          std::vector<Path>& into) {
    const bool all = !network.speakers[link.from].fabric && !network.speakers[link.to].fabric;
    for (const Path& path : sent) {
        // Which of equally good ones a router takes, its age and identifiers decide: any of them.
        if (!all && clearly_better(sent.front(), path))
            return;
        if (auto offered = send(network, link, path))
            if (auto taken = receive(network, link, std::move(*offered)))
                into.push_back(std::move(*taken));
    }
}

/// By neighbour, the session that takes part: of several BIRD starts the first.
using Ends = std::map<net::Address, std::size_t>;

Ends ends_of(const FamilyRouting& form) {
    Ends out;
    for (std::size_t i = 0; i < form.sessions.size(); ++i)
        out.emplace(form.sessions[i].neighbor, i);
    return out;
}

} // namespace

bool establishes(const NodeRouting& a, const Session& of_a, const NodeRouting& b,
                 const Session& of_b) {
    return !mismatch(of_a, a.listen_port, of_b, b.listen_port).any();
}

Network connect(std::vector<Speaker> speakers, net::Family family) {
    Network out{family, std::move(speakers), {}};
    std::map<net::Address, SpeakerIndex> at;
    std::vector<Ends> ends;
    for (SpeakerIndex i = 0; i < out.speakers.size(); ++i) {
        const FamilyRouting& form = out.speakers[i].form.of(family);
        ends.push_back(ends_of(form));
        if (form.address)
            at.emplace(*form.address, i);
    }
    for (SpeakerIndex to = 0; to < out.speakers.size(); ++to) {
        const NodeRouting& form = out.speakers[to].form;
        const auto& address = form.of(family).address;
        for (const auto& [neighbor, end] : ends[to]) {
            const auto from = at.find(neighbor);
            if (!address || from == at.end() || from->second == to)
                continue;
            const NodeRouting& other = out.speakers[from->second].form;
            const auto back = ends[from->second].find(*address);
            if (back != ends[from->second].end() &&
                establishes(form, form.of(family).sessions[end], other,
                            other.of(family).sessions[back->second]))
                out.links.push_back({from->second, to, back->second, end});
        }
    }
    return out;
}

Speaker fabric_speaker(const policy::FabricRouter& router, const std::vector<Speaker>& nodes,
                       net::Family family) {
    Speaker out;
    out.fabric = true;
    out.form.node = router.name;
    out.form.router_id = net::to_string(router.address.value);
    out.form.local_as = router.as_number.value;
    FamilyRouting& form = out.form.of(family);
    form.family = family;
    form.address = router.address.value;
    form.filters = {{"all", {}, {FilterRule{}}, {}}};
    for (const Speaker& node : nodes)
        for (const Session& theirs : node.form.of(family).sessions) {
            if (theirs.neighbor != router.address.value || !node.form.of(family).address)
                continue;
            Session session;
            session.kind = SessionKind::Node;
            session.neighbor = *node.form.of(family).address;
            session.port = node.form.listen_port;
            session.local_as = router.as_number.value;
            session.neighbor_as =
                router.node_as_number ? router.node_as_number->value : theirs.local_as;
            session.ttl_security_hops = theirs.ttl_security_hops;
            session.password = theirs.password;
            session.export_filters = {"all"};
            form.sessions.push_back(std::move(session));
        }
    return out;
}

namespace {

using Paths = std::vector<std::vector<Path>>; ///< by speaker

class Spreading {
  public:
    Spreading(const Network& network, const net::Cidr& prefix)
        : network_(network), first_(network.speakers.size() + 1), own_(network.speakers.size()) {
        for (const Link& link : network.links) // by `to`
            ++first_[link.to + 1];
        for (std::size_t i = 1; i < first_.size(); ++i)
            first_[i] += first_[i - 1];
        for (std::size_t i = 0; i < own_.size(); ++i)
            if (originates(network.speakers[i].form.of(network.family), prefix))
                own_[i] = {own_path(prefix)};
    }

    /// Rounds: everybody hears what the others had in the round before.
    Spread together() const {
        Spread out{own_, true};
        std::vector<bool> changed(own_.size(), true);
        for (std::size_t round = 0; round < most_rounds(); ++round) {
            const Paths before = out.paths;
            const std::vector<bool> hears = hearers(changed);
            for (SpeakerIndex to = 0; to < own_.size(); ++to) {
                changed[to] = hears[to] && update(to, before, out);
                if (!out.settled)
                    return out;
            }
            if (std::find(changed.begin(), changed.end(), true) == changed.end())
                return out;
        }
        out.settled = false;
        return out;
    }

    /// One after the other, each with what the others have by then.
    Spread in_turn(bool backwards) const {
        Spread out{own_, true};
        for (std::size_t round = 0; round < most_rounds(); ++round) {
            bool any = false;
            for (SpeakerIndex i = 0; i < own_.size(); ++i) {
                const auto last = static_cast<SpeakerIndex>(own_.size() - 1);
                any = update(backwards ? last - i : i, out.paths, out) || any;
                if (!out.settled)
                    return out;
            }
            if (!any)
                return out;
        }
        out.settled = false;
        return out;
    }

    /// Paths are better the shorter they are, so that what is best is so whoever comes first, but
    /// for filters that give priorities; and who passes all paths on chooses none.
    bool timing_may_count() const {
        const auto& speakers = network_.speakers;
        const auto sets = [](const FilterRule& rule) {
            return std::any_of(
                rule.operations.begin(), rule.operations.end(),
                [](const Operation& each) { return std::holds_alternative<SetPriority>(each); });
        };
        const auto prefers = [&](const Filter& filter) {
            return std::any_of(filter.import_rules.begin(), filter.import_rules.end(), sets);
        };
        return std::any_of(speakers.begin(), speakers.end(),
                           [](const Speaker& each) { return each.fabric; }) &&
               std::any_of(speakers.begin(), speakers.end(), [&](const Speaker& each) {
                   const auto& filters = each.form.of(network_.family).filters;
                   return std::any_of(filters.begin(), filters.end(), prefers);
               });
    }

  private:
    /// A route makes one step a round, and no route that settles makes more steps than there are
    /// speakers, twice.
    std::size_t most_rounds() const { return 2 * own_.size() + 2; }

    std::vector<bool> hearers(const std::vector<bool>& changed) const {
        std::vector<bool> out(own_.size());
        for (const Link& link : network_.links)
            if (changed[link.from])
                out[link.to] = true;
        return out;
    }

    /// Whether `to` has something else now.
    bool update(SpeakerIndex to, const Paths& others, Spread& into) const {
        std::vector<Path> now = own_[to];
        for (std::size_t i = first_[to]; i < first_[to + 1]; ++i)
            take(network_, network_.links[i], others[network_.links[i].from], now);
        std::sort(now.begin(), now.end(),
                  [&](const Path& a, const Path& b) { return better(network_, a, b); });
        into.settled = now.size() <= kMostPaths;
        if (now == into.paths[to])
            return false;
        into.paths[to] = std::move(now);
        return true;
    }

    const Network& network_;
    std::vector<std::size_t> first_; ///< of each speaker's links; one more at the end
    Paths own_;                      ///< that a speaker originates
};

} // namespace

Spread spread(const Network& network, const net::Cidr& prefix) {
    const Spreading spreading(network, prefix);
    Spread out = spreading.together();
    if (!out.settled || !spreading.timing_may_count())
        return out;
    for (const bool backwards : {false, true}) {
        const Spread other = spreading.in_turn(backwards);
        out.settled = out.settled && other.settled && other.paths == out.paths;
    }
    return out;
}

} // namespace polecat::routing
