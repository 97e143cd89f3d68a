#include "driver/verify/table_rules.h"

#include <set>

#include "driver/verify/both_programs.h"
#include "driver/verify/image_formula.h"
#include "ir/decision/table.h"

namespace polecat::driver {

using backends::NodeImage;
using backends::ProgramImage;
using decision::Direction;
using smt::Term;

namespace {

/// Which own class of the program an identity is of; kDropped: of none, and packets are dropped.
constexpr std::uint32_t kDropped = UINT32_MAX;

std::uint32_t own_class(const ProgramImage& program, KnownIdentity identity) {
    if (program.others.size() < 2)
        return 0;
    const auto found = identity ? program.own.find(*identity) : program.own.end();
    return found == program.own.end() ? kDropped : found->second;
}

/// The row of packets from or to an identity, as an own class sees it.
std::uint32_t row_seen(const ProgramImage& program, std::uint32_t own, KnownIdentity identity) {
    return identity && own < program.others.size() ? program.others[own].row_of(*identity)
                                                   : kDropped;
}

/// A program as packets of one own class meet it.
class TableFormula : public RulesFormula {
  public:
    TableFormula(const ProgramImage& program, const EndIdentities& identities, AskedOwn own,
                 std::uint32_t own_class, const smt::ExistingEnds& ends)
        : program_(program), identities_(identities), own_(std::move(own)), own_class_(own_class),
          ends_(ends) {}

    std::uint32_t mark(std::size_t spot, bool own) const override {
        const auto& address = ends_.spots()[spot].address;
        const KnownIdentity identity = identities_.spots[spot];
        if (own)
            return address && own_.addresses.contains(*address) ? own_class(program_, identity)
                                                                : kNowhere;
        return address ? row_seen(program_, own_class_, identity) : kNowhere;
    }

    Term is_own(const Question& question) override {
        const Term endpoint = question.variables.has_mark(own_class_, question.own_is_source);
        if (own_.objects)
            return endpoint;
        net::AddressSet here;
        for (const auto& [identity, set] : identities_.outside)
            if (own_class(program_, identity) == own_class_)
                here = here | (set & own_.addresses);
        return question.terms.either(endpoint, outside(question, here, question.own_is_source));
    }

    Term passes(const Question& question, bool by_rule) override {
        if (!formula_)
            formula_.emplace(program_, question.terms, question.packet);
        const bool peer = !question.own_is_source;
        std::map<std::uint32_t, net::AddressSet> outside_rows;
        for (const auto& [identity, set] : identities_.outside) {
            net::AddressSet& into = outside_rows[row_seen(program_, own_class_, identity)];
            into = into | set;
        }
        std::vector<Term> parts;
        for (const auto& [number, row] : program_.rows) {
            Term here = question.variables.has_mark(number, peer);
            if (const auto set = outside_rows.find(number); set != outside_rows.end())
                here = question.terms.either(here, outside(question, set->second, peer));
            if (!question.terms.is_false(here))
                parts.push_back(question.terms.both(here, formula_->passes(number, by_rule)));
        }
        return question.terms.any_of(std::move(parts));
    }

  private:
    Term outside(const Question& question, const net::AddressSet& set, bool source) const {
        return question.terms.both(
            question.variables.is_outside(source),
            in_set(question.terms, question.variables.address(source), set, program_.family));
    }

    const ProgramImage& program_;
    const EndIdentities& identities_;
    const AskedOwn own_;
    const std::uint32_t own_class_;
    const smt::ExistingEnds& ends_;
    std::optional<ImageFormula> formula_;
};

} // namespace

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

TableRules::TableRules(const NodeImage& image) : image_(image) {
    for (const auto& each : image.dispatch)
        groups_[{each.interface, each.address}] = each.group;
    for (const auto& each : image.other_sources)
        source_groups_[{each.interface, each.range.first}] = each.group;
}

std::vector<std::string> TableRules::of_workload(const std::string& interface, Direction direction,
                                                 const net::Address& address,
                                                 bool other_source) const {
    const auto& groups = other_source ? source_groups_ : groups_;
    const auto number = groups.find({interface, address});
    const auto group =
        number == groups.end() ? image_.groups.end() : image_.groups.find(number->second);
    if (group == image_.groups.end())
        return {""};
    const std::string& name =
        direction == Direction::Egress ? group->second.egress : group->second.ingress;
    return {image_.programs.contains(name) ? name : ""};
}

std::vector<std::string> TableRules::of_host(const std::string& interface,
                                             const decision::Group::Key& key) const {
    for (const auto& each : image_.attached)
        if (each.interface == interface && each.hook == key.hook &&
            each.direction == key.direction && each.family == key.family)
            return {image_.programs.contains(each.program) ? each.program : ""};
    return {""};
}

std::string TableRules::unfit(const std::string& program, const decision::Group::Key& key) const {
    const ProgramImage& rules = *image_.programs.at(program);
    return rules.direction == key.direction && rules.hook == key.hook && rules.family == key.family
               ? ""
               : "asks a program of another kind";
}

bool TableRules::is_closed(const std::string& program) const {
    return image_.programs.at(program)->closed;
}

const EndIdentities& TableRules::identities(const smt::ExistingEnds& ends) {
    auto& made = identities_[ends.family() == net::Family::V6];
    if (!made)
        made.emplace(image_, ends);
    return *made;
}

/// One for each own class that packets of these addresses can be of.
std::vector<std::unique_ptr<RulesFormula>>
TableRules::formulas(const std::string& name, const AskedOwn& own, const smt::ExistingEnds& ends) {
    const ProgramImage& program = *image_.programs.at(name);
    const EndIdentities& known = identities(ends);
    const auto& spots = ends.spots();
    std::set<std::uint32_t> classes;
    for (std::size_t i = 0; i < spots.size(); ++i)
        if (spots[i].address && own.addresses.contains(*spots[i].address))
            classes.insert(own_class(program, known.spots[i]));
    for (const auto& [identity, set] : known.outside)
        if (!own.objects && set.intersects(own.addresses))
            classes.insert(own_class(program, identity));
    std::vector<std::unique_ptr<RulesFormula>> out;
    for (const std::uint32_t each : classes)
        out.push_back(std::make_unique<TableFormula>(program, known, own, each, ends));
    return out;
}

Decided TableRules::decided(const std::string& name, const decision::Flow& flow) const {
    const ProgramImage& program = *image_.programs.at(name);
    const auto key = decision::l4_key(flow);
    const PacketShape packet{flow.protocol, flow.source_port.value_or(0),
                             key ? key->value : std::uint16_t{0}};
    KnownIdentity own = identity_of(image_, *flow.source.address),
                  other = identity_of(image_, *flow.destination.address);
    if (program.direction == Direction::Ingress)
        std::swap(own, other);
    return BothPrograms::decided(name, program, own, other, packet);
}

} // namespace polecat::driver
