// Both ends of a flow as variables: the number of a class of endpoints, or an outside address.
#include <algorithm>
#include <set>

#include "analyzer/ends/end_groups.h"
#include "analyzer/z3/existing_ends.h"

namespace polecat::smt {

using decision::ObjectId;
using decision::PredicateId;
using decision::Tri;

EndVariables::EndVariables(Terms& terms, Packet& packet, std::vector<Version> versions,
                           const std::optional<std::vector<ObjectId>>& own, Marks marks)
    : terms_(terms), packet_(packet), versions_(std::move(versions)) {
    source_.marks = std::move(marks.source);
    destination_.marks = std::move(marks.destination);
    const bool egress =
        versions_.front().programs.front()->direction == decision::Direction::Egress;
    for (const bool is_source : {true, false}) {
        Side& side = is_source ? source_ : destination_;
        std::set<Asked> predicates;
        for (std::size_t version = 0; version < versions_.size(); ++version)
            for (const decision::Program* program : versions_[version].programs)
                for (const PredicateId id : predicates_of(*program, is_source))
                    predicates.insert({version, id});
        side.predicates.assign(predicates.begin(), predicates.end());
        fill(side, is_source == egress ? own : std::nullopt);
        const std::string name = is_source ? "source" : "destination";
        side.index = terms.variable(name + " end", bits_for(side.classes.size() + 1));
        side.address = terms.variable(name + " address", net::width(common().family()));
    }
    domain_ = terms.both(domain_of(source_), domain_of(destination_));
    not_to_itself_ = not_to_itself();
}

void EndVariables::fill(Side& side, const std::optional<std::vector<ObjectId>>& only) {
    side.has_outside = !only;
    if (!only)
        return fill_with_all(side);
    std::vector<std::uint32_t> spots;
    for (const ObjectId object : *only)
        for (auto [i, end] = common().spots_of(object); i < end; ++i)
            spots.push_back(i);
    std::sort(spots.begin(), spots.end());
    for (const std::uint32_t i : spots) {
        const auto [place, added] = side.numbers.try_emplace(seen(side, i), side.classes.size());
        if (added)
            side.classes.push_back({i, std::nullopt});
        add(side.classes[place->second], i);
    }
}

void EndVariables::add(SpotClass& into, std::uint32_t spot) const {
    if (!into.another && common().spots()[into.example].object != common().spots()[spot].object)
        into.another = spot;
}

namespace {

/// Spots of one part and mark stay together; those of part 0 with the mark that comes first stay
/// there.
void tell_by_marks(const std::vector<std::uint32_t>& marks, std::vector<std::uint32_t>& part_of,
                   std::uint32_t& parts) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
    std::set<std::uint32_t> taken;
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const auto [place, added] = numbers.try_emplace({part_of[i], marks[i]}, part_of[i]);
        if (added && !taken.insert(part_of[i]).second)
            place->second = parts++;
        part_of[i] = place->second;
    }
}

} // namespace

/// Predicate after predicate tells spots apart; those that all see as they see most come last.
void EndVariables::fill_with_all(Side& side) {
    const auto count = static_cast<std::uint32_t>(common().spots().size());
    std::vector<std::uint32_t> part_of(count, 0); // 0: usual to every predicate so far
    std::uint32_t parts = 1;
    for (const Asked& each : side.predicates) {
        const ExistingEnds::Column& column = this->column(each);
        std::vector<std::uint32_t> next(parts * column.kinds.size(), 0);
        for (const std::uint32_t i : column.unusual) {
            std::uint32_t& part = next[part_of[i] * column.kinds.size() + column.kind_of[i]];
            part = part != 0 ? part : parts++;
            part_of[i] = part;
        }
    }
    tell_by_marks(side.marks, part_of, parts);
    constexpr std::size_t kNone = SIZE_MAX;
    std::vector<std::size_t> numbers(parts, kNone);
    std::optional<SpotClass> usual;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::size_t& number = numbers[part_of[i]];
        if (part_of[i] == 0) {
            usual = usual.value_or(SpotClass{i, std::nullopt});
            add(*usual, i);
        } else if (number == kNone) {
            number = side.classes.size();
            side.classes.push_back({i, std::nullopt});
        } else {
            add(side.classes[number], i);
        }
    }
    if (usual)
        side.classes.push_back(*usual);
    for (std::size_t i = 0; i < side.classes.size(); ++i)
        side.numbers.emplace(seen(side, side.classes[i].example), i);
}

std::vector<std::uint32_t> EndVariables::seen(const Side& side, std::uint32_t spot) const {
    std::vector<std::uint32_t> out;
    for (const Asked& each : side.predicates)
        out.push_back(column(each).kind_of[spot]);
    if (!side.marks.empty())
        out.push_back(side.marks[spot]);
    return out;
}

Term EndVariables::is_class(const Side& side, std::size_t number) {
    return terms_.equal(side.index, terms_.number(number, terms_[side.index].width));
}

Term EndVariables::has_mark(std::uint32_t mark, bool source) {
    const Side& side = source ? source_ : destination_;
    std::vector<Term> classes;
    for (std::size_t i = 0; i < side.classes.size(); ++i)
        if (side.marks[side.classes[i].example] == mark)
            classes.push_back(is_class(side, i));
    return terms_.any_of(std::move(classes));
}

Term EndVariables::is_outside(bool source) {
    const Side& side = source ? source_ : destination_;
    return side.has_outside ? is_class(side, side.classes.size()) : terms_.truth(false);
}

Term EndVariables::domain_of(const Side& side) {
    const std::size_t count = side.classes.size() + (side.has_outside ? 1 : 0);
    if (count == 0)
        return terms_.truth(false);
    const Term inside = terms_.in_range(side.index, {}, Bits{0, count - 1});
    if (!side.has_outside)
        return inside;
    return terms_.both(
        inside, terms_.either(terms_.negate(is_class(side, side.classes.size())),
                              in_set(terms_, side.address, common().outside(), common().family())));
}

/// An endpoint sends itself nothing that policy sees.
Term EndVariables::not_to_itself() {
    std::vector<Term> parts;
    const auto only = [&](const SpotClass& each) {
        return each.another ? std::nullopt : std::optional(common().spots()[each.example].object);
    };
    for (std::size_t i = 0; i < source_.classes.size(); ++i)
        for (std::size_t j = 0; j < destination_.classes.size(); ++j)
            if (only(source_.classes[i]) &&
                only(source_.classes[i]) == only(destination_.classes[j]))
                parts.push_back(
                    terms_.negate(terms_.both(is_class(source_, i), is_class(destination_, j))));
    return terms_.all_of(std::move(parts));
}

Bounds EndVariables::ask(PredicateId predicate, bool source, std::size_t version) {
    const Asked asked{version, predicate};
    const auto found = asked_.find({asked, source});
    if (found != asked_.end())
        return found->second;
    return asked_.emplace(std::pair{asked, source}, make(asked, source)).first->second;
}

/// The packet is at a point of the column.
Term EndVariables::at_point(const ExistingEnds::Column& column, std::size_t number, bool source) {
    if (column.points.empty())
        return terms_.truth(true);
    const ExistingEnds::Point& point = column.points[number];
    if (point.port)
        return packet_.is_at(point.protocol, *point.port, source);
    std::vector<Term> parts{packet_.is_protocol(point.protocol)};
    for (const ExistingEnds::Point& other : column.points)
        if (other.port && other.protocol == point.protocol)
            parts.push_back(terms_.negate(packet_.is_at(other.protocol, *other.port, source)));
    return terms_.all_of(std::move(parts));
}

Bounds EndVariables::make(const Asked& asked, bool source) {
    const Side& side = source ? source_ : destination_;
    const ExistingEnds::Column& column = this->column(asked);
    std::vector<Term> yes, may;
    for (std::size_t kind = 0; kind < column.kinds.size(); ++kind) {
        std::vector<Term> sure, possible, here;
        for (std::size_t point = 0; point < column.kinds[kind].size(); ++point) {
            if (column.kinds[kind][point] == Tri::No)
                continue;
            const Term at = at_point(column, point, source);
            possible.push_back(at);
            if (column.kinds[kind][point] == Tri::Yes)
                sure.push_back(at);
        }
        if (possible.empty())
            continue;
        for (std::size_t i = 0; i < side.classes.size(); ++i)
            if (column.kind_of[side.classes[i].example] == kind)
                here.push_back(is_class(side, i));
        const Term ends = terms_.any_of(std::move(here));
        yes.push_back(terms_.both(ends, terms_.any_of(std::move(sure))));
        may.push_back(terms_.both(ends, terms_.any_of(std::move(possible))));
    }
    if (side.has_outside) {
        const Bounds outside = of_outside(asked, side, source);
        const Term is_outside = is_class(side, side.classes.size());
        yes.push_back(terms_.both(is_outside, outside.yes));
        may.push_back(terms_.both(is_outside, outside.may));
    }
    return {terms_.any_of(std::move(yes)), terms_.any_of(std::move(may))};
}

/// Of an address that no endpoint has: holds.cpp, as a formula over its bits.
Bounds EndVariables::of_outside(const Asked& asked, const Side& side, bool source) {
    const decision::LoweredCluster& cluster = versions_[asked.version].ends->cluster();
    const decision::Predicate& predicate = cluster.predicates[asked.predicate];
    const decision::World& world = cluster.world;
    const auto exactly = [](Term term) { return Bounds{term, term}; };
    const auto in = [&](const net::AddressSet& nets) {
        return in_set(terms_, side.address, nets, common().family());
    };
    if (const auto* nets = std::get_if<decision::NetSet>(&predicate))
        return exactly(in(nets->nets));
    if (const auto* objects = std::get_if<decision::ObjectSet>(&predicate)) {
        net::AddressSet nets;
        bool doubt = false;
        for (const ObjectId id : world.network_sets) {
            const decision::Object& set = world.object(id);
            doubt = doubt || decision::is_in_doubt(*objects, set);
            if (!set.unread.known() && objects->selector.matches(set.labels))
                nets = nets | set.nets;
        }
        return {in(nets), doubt ? terms_.truth(true) : in(nets)};
    }
    if (decision::is_never_known(predicate))
        return {terms_.truth(false), terms_.truth(true)};
    const auto* service = std::get_if<decision::ServiceSet>(&predicate);
    const Term doubt = service != nullptr && decision::is_in_doubt(*service, world)
                           ? (service->with_ports ? packet_.has_ports() : terms_.truth(true))
                           : terms_.truth(false);
    const auto found =
        service == nullptr ? world.services.end() : world.services.find(service->key);
    if (found == world.services.end())
        return {terms_.truth(false), doubt}; // a named port needs an endpoint
    std::vector<Term> members;
    for (const decision::ServiceMember& member : found->second) {
        if (member.address.family != common().family())
            continue;
        const Term here = in(net::AddressSet::of(net::Range{member.address, member.address}));
        if (!service->with_ports)
            members.push_back(here);
        else if (member.port && net::has_ports(member.protocol))
            members.push_back(
                terms_.both(here, packet_.is_at(member.protocol, *member.port, source)));
    }
    const Term known = terms_.any_of(std::move(members));
    return {known, terms_.either(known, doubt)};
}

std::optional<std::uint64_t> EndVariables::number_of(const decision::End& end, bool source) const {
    const Side& side = source ? source_ : destination_;
    if (end.objects.empty())
        return side.has_outside ? std::optional(side.classes.size()) : std::nullopt;
    for (auto [i, last] = common().spots_of(end.objects.front()); i < last; ++i)
        if (common().spots()[i].address == end.address)
            return number_of(i, source);
    return std::nullopt;
}

std::optional<std::uint64_t> EndVariables::number_of(std::uint32_t spot, bool source) const {
    const Side& side = source ? source_ : destination_;
    const auto found = side.numbers.find(seen(side, spot));
    return found == side.numbers.end() ? std::nullopt : std::optional(found->second);
}

decision::End EndVariables::end(const Side& side, const Model& model, std::size_t version,
                                std::optional<ObjectId> avoid) const {
    const ExistingEnds& ends = *versions_[version].ends;
    const std::size_t number = terms_.evaluate(side.index, model).low;
    if (number < side.classes.size()) {
        const SpotClass& found = side.classes[number];
        const ExistingEnds::Spot& first = ends.spots()[found.example];
        const bool take_other = found.another && avoid == first.object;
        const ExistingEnds::Spot& spot = take_other ? ends.spots()[*found.another] : first;
        return {{spot.object}, spot.address};
    }
    const Bits bits = terms_.evaluate(side.address, model);
    return decision::end_of(ends.cluster().world, net::Address{ends.family(), bits.high, bits.low});
}

std::pair<decision::End, decision::End> EndVariables::ends(const Model& model,
                                                           std::size_t version) const {
    decision::End source = end(source_, model, version, std::nullopt);
    const auto taken =
        source.objects.empty() ? std::nullopt : std::optional(source.objects.front());
    return {source, end(destination_, model, version, taken)};
}

} // namespace polecat::smt
