#include "driver/verify/pair_question.h"

#include <set>
#include <tuple>

#include "analyzer/flows/program_view.h"

namespace polecat::driver {

using backends::NodeImage;
using backends::ProgramImage;
using decision::Program;
using smt::Term;

namespace {

/// Mark of ends that no packet has: those without an address, and others than are asked of.
constexpr std::uint32_t kNowhere = UINT32_MAX - 1;

/// The row of packets from or to an identity, as an own class sees it.
std::uint32_t row_seen(const ProgramImage& program, std::uint32_t own, KnownIdentity identity) {
    return identity && own < program.others.size() ? program.others[own].row_of(*identity)
                                                   : kDropped;
}

} // namespace

std::uint32_t own_class(const ProgramImage& program, KnownIdentity identity) {
    if (program.others.size() < 2)
        return 0;
    const auto found = identity ? program.own.find(*identity) : program.own.end();
    return found == program.own.end() ? kDropped : found->second;
}

EndIdentities::EndIdentities(const NodeImage& image, const smt::ExistingEnds& ends) {
    std::set<net::Address> held;
    for (const auto& spot : ends.spots()) {
        spots.push_back(spot.address ? identity_of(image, *spot.address) : std::nullopt);
        if (spot.address)
            held.insert(*spot.address);
    }
    std::map<std::uint32_t, std::vector<net::Range>> ranges, alone;
    std::vector<net::Range> exact; // an address by itself counts before any range
    for (const auto& [range, identity] : image.outside)
        if (range.first.family == ends.family())
            ranges[identity].push_back(range);
    for (const auto& [address, identity] : image.addresses)
        if (address.family == ends.family() && !held.contains(address)) {
            alone[identity].push_back({address, address});
            exact.push_back({address, address});
        }
    const net::AddressSet taken = net::AddressSet::of(std::move(exact));
    for (auto& [identity, list] : ranges)
        outside[identity] = net::AddressSet::of(std::move(list)) - taken;
    for (auto& [identity, list] : alone)
        outside[identity] = outside[identity] | net::AddressSet::of(std::move(list));
}

PairQuestion::PairQuestion(const smt::ExistingEnds& ends, const Program& policy,
                           const ProgramImage& rules, const EndIdentities& identities,
                           const AskedOwn& own)
    : ends_(ends), policy_(policy), rules_(rules), identities_(identities), own_(own),
      own_is_source_(policy.direction == decision::Direction::Egress),
      packet_(terms_, requests_, policy.family),
      variables_(terms_, packet_, {{&ends, {&policy}}}, own.objects, marks()),
      formula_(rules, terms_, packet_) {}

smt::Answer PairQuestion::ask(const smt::QueryOptions& options, const std::string& about) {
    const Term given =
        terms_.all_of({packet_.domain(), variables_.with_itself(), is_own(),
                       terms_.negate(variables_.has_mark(kNowhere, !own_is_source_))});
    Term wanted = terms_.differ(passes(false), allows(policy_));
    if (const auto accepting = analyzer::accepting_only(policy_))
        wanted = terms_.either(wanted, terms_.differ(passes(true), allows(*accepting)));
    smt::Session session(terms_, given, options);
    return session.ask(wanted, about);
}

decision::Flow PairQuestion::flow(const smt::Model& model) const {
    decision::Flow out = packet_.flow(model);
    std::tie(out.source, out.destination) = variables_.ends(model);
    return out;
}

smt::EndVariables::Marks PairQuestion::marks() const {
    std::vector<std::uint32_t> own, peer;
    for (std::size_t i = 0; i < ends_.spots().size(); ++i) {
        const auto& address = ends_.spots()[i].address;
        const KnownIdentity identity = identities_.spots[i];
        const bool runs = address && own_.addresses.contains(*address);
        own.push_back(runs ? own_class(rules_, identity) : kNowhere);
        peer.push_back(address ? row_seen(rules_, own_.own_class, identity) : kNowhere);
    }
    return own_is_source_ ? smt::EndVariables::Marks{std::move(own), std::move(peer)}
                          : smt::EndVariables::Marks{std::move(peer), std::move(own)};
}

Term PairQuestion::outside(const net::AddressSet& set, bool source) {
    return terms_.both(variables_.is_outside(source),
                       in_set(terms_, variables_.address(source), set, policy_.family));
}

Term PairQuestion::is_own() {
    const Term endpoint = variables_.has_mark(own_.own_class, own_is_source_);
    if (own_.objects)
        return endpoint;
    net::AddressSet here;
    for (const auto& [identity, set] : identities_.outside)
        if (own_class(rules_, identity) == own_.own_class)
            here = here | (set & own_.addresses);
    return terms_.either(endpoint, outside(here, own_is_source_));
}

/// `by_rule`: as a rule allows it, not since nothing matched.
Term PairQuestion::passes(bool by_rule) {
    const bool peer = !own_is_source_;
    std::map<std::uint32_t, net::AddressSet> outside_rows;
    for (const auto& [identity, set] : identities_.outside) {
        net::AddressSet& into = outside_rows[row_seen(rules_, own_.own_class, identity)];
        into = into | set;
    }
    std::vector<Term> parts;
    for (const auto& [number, row] : rules_.rows) {
        Term here = variables_.has_mark(number, peer);
        if (const auto set = outside_rows.find(number); set != outside_rows.end())
            here = terms_.either(here, outside(set->second, peer));
        if (!terms_.is_false(here))
            parts.push_back(terms_.both(here, formula_.passes(number, by_rule)));
    }
    return terms_.any_of(std::move(parts));
}

/// What is not known to be allowed is not.
Term PairQuestion::allows(const Program& program) {
    const smt::EncodedProgram encoded =
        encode(program, terms_, packet_,
               [&](decision::PredicateId id, bool source) { return variables_.ask(id, source); });
    return terms_.except(encoded.may_allow, encoded.may_deny);
}

} // namespace polecat::driver
