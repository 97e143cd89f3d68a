#include "analyzer/z3/any_end.h"

#include <set>

namespace polecat::smt {

using decision::NamedPortSet;
using decision::ObjectSet;
using decision::PredicateId;
using decision::PredicateStore;
using decision::ServiceSet;
using selector::Selector;

namespace {

std::vector<Selector> selectors_of(const PredicateStore& store,
                                   const std::vector<PredicateId>& predicates) {
    std::vector<Selector> out;
    for (const PredicateId id : predicates) {
        if (const auto* objects = std::get_if<ObjectSet>(&store[id]))
            out.push_back(objects->selector);
        else if (const auto* named = std::get_if<NamedPortSet>(&store[id]))
            out.push_back(named->selector);
    }
    return out;
}

} // namespace

AnyEnd::AnyEnd(Terms& terms, Packet& packet, const PredicateStore& store, net::Family family,
               bool source, const std::vector<PredicateId>& predicates)
    : terms_(terms), packet_(packet), store_(store), family_(family), source_(source),
      atoms_(terms, selectors_of(store, predicates)) {
    const std::string side = source ? "source" : "destination";
    address_ = terms.variable(side + " address", net::width(family));
    domain_ = terms.truth(true);
    if (!are_cut())
        return;
    // Numbered among themselves, so that equal questions have equal formulas.
    for (std::size_t i = 0; i < predicates.size(); ++i)
        add(predicates[i], side + " predicate " + std::to_string(i));
    std::vector<Term> parts{services_agree()};
    for (const Shown& each : objects_)
        parts.push_back(domain_of(each));
    domain_ = terms.all_of(std::move(parts));
}

void AnyEnd::add(PredicateId id, const std::string& name) {
    const auto exactly = [&](Term term) { asked_.emplace(id, Bounds{term, term}); };
    const decision::Predicate& predicate = store_[id];
    if (const auto* nets = std::get_if<decision::NetSet>(&predicate))
        return exactly(in_set(terms_, address_, nets->nets, family_));
    if (decision::is_never_known(predicate)) {
        asked_.emplace(id, Bounds{terms_.truth(false), terms_.truth(true)});
        return;
    }
    const Term holds = terms_.variable(name, 0);
    exactly(holds);
    if (std::holds_alternative<ServiceSet>(predicate)) {
        services_.emplace(id, holds);
        return;
    }
    const auto* named = std::get_if<NamedPortSet>(&predicate);
    objects_.push_back(
        {id, named != nullptr ? named->selector : std::get<ObjectSet>(predicate).selector, named,
         holds, atoms_.make(name + " object")});
}

/// The packet's protocol is one that the named port may be of.
Term AnyEnd::packet_fits(const NamedPortSet& set) {
    return set.protocol == 0 ? packet_.has_ports()
                             : terms_.both(packet_.has_ports(), packet_.is_protocol(set.protocol));
}

/// Where the predicate holds its object shows it, and every other predicate that the object shows
/// holds too.
Term AnyEnd::domain_of(const Shown& shown) {
    std::vector<Term> parts{atoms_.matches(shown.selector, shown.labels)};
    if (shown.port != nullptr)
        parts.push_back(packet_fits(*shown.port));
    for (const Shown& other : objects_) {
        if (other.predicate == shown.predicate)
            continue;
        std::vector<Term> shows{atoms_.matches(other.selector, shown.labels)};
        if (other.port != nullptr) { // an object has the port that it is there for
            if (shown.port == nullptr || shown.port->name != other.port->name)
                continue;
            shows.push_back(packet_fits(*other.port));
        }
        parts.push_back(terms_.either(terms_.negate(terms_.all_of(std::move(shows))), other.holds));
    }
    return terms_.both(atoms_.domain(shown.labels),
                       terms_.either(terms_.negate(shown.holds), terms_.all_of(std::move(parts))));
}

/// A member of a service with its port is a member of it; ports are those of packets that have any.
Term AnyEnd::services_agree() {
    std::vector<Term> parts;
    for (const auto& [id, holds] : services_) {
        const ServiceSet& service = std::get<ServiceSet>(store_[id]);
        if (!service.with_ports)
            continue;
        parts.push_back(terms_.either(terms_.negate(holds), packet_.has_ports()));
        for (const auto& [other, other_holds] : services_)
            if (const ServiceSet& same = std::get<ServiceSet>(store_[other]);
                !same.with_ports && same.key == service.key)
                parts.push_back(terms_.either(terms_.negate(holds), other_holds));
    }
    return terms_.all_of(std::move(parts));
}

decision::End AnyEnd::build(const Model& model, const decision::Flow& flow,
                            decision::World& world) const {
    const Bits bits = terms_.evaluate(address_, model);
    decision::End out{{}, net::Address{family_, bits.high, bits.low}};
    const auto port = source_ ? flow.source_port : flow.destination_port;
    for (const Shown& each : objects_) {
        if (!terms_.holds(each.holds, model))
            continue;
        decision::Object object;
        object.labels = atoms_.labels(each.labels, model);
        object.addresses = {*out.address};
        if (each.port != nullptr && port)
            object.ports.push_back({each.port->name, flow.protocol, *port});
        out.objects.push_back(decision::ObjectId{static_cast<std::uint32_t>(world.objects.size())});
        world.objects.push_back(std::move(object));
    }
    for (const auto& [id, holds] : services_) {
        const ServiceSet& service = std::get<ServiceSet>(store_[id]);
        if (terms_.holds(holds, model))
            world.services[service.key].push_back(
                {*out.address, flow.protocol, service.with_ports ? port : std::nullopt});
    }
    return out;
}

std::vector<PredicateId> predicates_of(const std::vector<const decision::Match*>& matches,
                                       bool source) {
    std::set<PredicateId> out;
    for (const decision::Match* match : matches) {
        each_predicate(source ? match->source : match->destination,
                       [&](PredicateId id) { out.insert(id); });
    }
    return {out.begin(), out.end()};
}

} // namespace polecat::smt
