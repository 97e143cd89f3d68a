#include "backends/node/ends.h"

#include <algorithm>

namespace polecat::backends {

using decision::EndClass;
using decision::EndKinds;
using decision::Identity;
using decision::PortMember;
using decision::PredicateId;

namespace {

std::vector<PortMember> members_of(const Identity& identity, PredicateId id) {
    const auto first = std::lower_bound(identity.port_members.begin(), identity.port_members.end(),
                                        PortMember{id, 0, 0});
    auto last = first;
    while (last != identity.port_members.end() && last->predicate == id)
        ++last;
    return {first, last};
}

/// Cuts kinds by one predicate after the other. A kind that is cut up stays, of fewer or of none.
class KindsMaker {
  public:
    explicit KindsMaker(std::size_t identities) {
        out_.of.assign(identities, 0);
        out_.list.emplace_back();
        out_.weights.push_back(identities);
    }

    /// `add` makes of a kind what it is where this holds.
    template <class Add> void cut(const std::vector<std::uint32_t>& places, const Add& add) {
        std::vector<std::uint32_t> next(out_.list.size(), 0);
        for (const std::uint32_t place : places) {
            const std::uint32_t was = out_.of[place];
            if (next[was] == 0)
                next[was] = made_of(was, add);
            move(place, next[was]);
        }
    }

    void cut_by_members(const std::vector<std::uint32_t>& places,
                        const std::vector<const Identity*>& identities, PredicateId id) {
        std::map<std::pair<std::uint32_t, std::vector<PortMember>>, std::uint32_t> next;
        for (const std::uint32_t place : places) {
            const auto members = members_of(*identities[place], id);
            const auto [known, added] = next.try_emplace({out_.of[place], members}, 0);
            if (added)
                known->second = made_of(out_.of[place], [&](EndClass& to) {
                    to.members.insert(to.members.end(), members.begin(), members.end());
                });
            move(place, known->second);
        }
    }

    /// Sorted, without kinds that no identity is of.
    EndKinds take() {
        std::map<EndClass, std::uint32_t> kinds;
        for (std::uint32_t i = 0; i < out_.list.size(); ++i)
            if (out_.weights[i] > 0)
                kinds.emplace(std::move(out_.list[i]), i);
        EndKinds out;
        std::vector<std::uint32_t> renumbered(out_.list.size(), 0);
        for (const auto& [kind, was] : kinds) {
            renumbered[was] = static_cast<std::uint32_t>(out.list.size());
            out.list.push_back(kind);
            out.weights.push_back(out_.weights[was]);
        }
        out.of = std::move(out_.of);
        for (std::uint32_t& kind : out.of)
            kind = renumbered[kind];
        return out;
    }

  private:
    template <class Add> std::uint32_t made_of(std::uint32_t kind, const Add& add) {
        EndClass made = out_.list[kind];
        add(made);
        out_.list.push_back(std::move(made));
        out_.weights.push_back(0);
        return static_cast<std::uint32_t>(out_.list.size() - 1);
    }
    void move(std::uint32_t place, std::uint32_t kind) {
        --out_.weights[out_.of[place]];
        ++out_.weights[kind];
        out_.of[place] = kind;
    }

    EndKinds out_;
};

} // namespace

FamilyEnds::FamilyEnds(const NumberedIdentities& by_number) {
    const auto holders = [&](PredicateId id) -> Holders& {
        if (holders_.size() <= id.value)
            holders_.resize(id.value + std::size_t{1});
        return holders_[id.value];
    };
    for (const auto& [number, identity] : by_number) {
        const auto place = static_cast<std::uint32_t>(numbers_.size());
        numbers_.push_back(number);
        identities_.push_back(identity);
        for (const PredicateId id : identity->yes)
            holders(id).yes.push_back(place);
        for (const PredicateId id : identity->unknown)
            holders(id).unknown.push_back(place);
        for (const PortMember& each : identity->port_members)
            if (Places& members = holders(each.predicate).members;
                members.empty() || members.back() != place)
                members.push_back(place);
    }
}

EndKinds FamilyEnds::kinds(const std::vector<PredicateId>& asked) const {
    KindsMaker maker(numbers_.size());
    for (const PredicateId id : asked) {
        if (id.value >= holders_.size())
            continue; // it holds of none
        const Holders& holders = holders_[id.value];
        maker.cut(holders.yes, [&](EndClass& to) { to.yes.push_back(id); });
        maker.cut(holders.unknown, [&](EndClass& to) { to.unknown.push_back(id); });
        if (!holders.members.empty())
            maker.cut_by_members(holders.members, identities_, id);
    }
    return maker.take();
}

} // namespace polecat::backends
