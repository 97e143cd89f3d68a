#include "backends/bundle/pack.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

#include "artefact/bundle/bundle.h"
#include "backends/node/programs.h"
#include "ir/decision/print.h"

namespace polecat::bundle {

using backends::Numbers;
using decision::LoweredCluster;
using decision::PredicateId;

namespace {

class Packer {
  public:
    Packer(const LoweredCluster& cluster, const decision::Identities& identities,
           const Sources& sources, const Base& base)
        : cluster_(cluster), sources_(sources), numbers_(cluster, identities, base.identities) {
        number_predicates(base);
    }

    Packed run() {
        add_settings();
        add_identities();
        add_programs();
        name_files();
        for (const decision::Group& group : cluster_.groups)
            groups_.push_back(std::make_shared<const GroupRecord>(group_record(group)));
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            endpoints_.push_back(packed(endpoint));
        add_nodes();
        add_templates();
        return {std::move(out_), std::move(endpoints_), std::move(program_ids_), std::move(said_)};
    }

  private:
    /// Those of one namespace lie beside each other: a node asks for them together.
    void number_predicates(const Base& base) {
        std::map<std::string, PredicateId> by_text;
        for (std::uint32_t i = 0; i < cluster_.predicates.size(); ++i)
            by_text.emplace(to_string(cluster_.predicates[PredicateId{i}]), PredicateId{i});
        backends::FreeNumbers free;
        for (const auto& [text, number] : base.predicates)
            free.take(number);
        predicate_numbers_.resize(cluster_.predicates.size());
        for (const auto& [text, id] : by_text) {
            const auto before = base.predicates.find(text);
            const std::uint32_t number =
                before == base.predicates.end() ? free.next() : before->second;
            predicate_numbers_[id.value] = number;
            out_.predicates[number].predicate = canonical(cluster_.predicates[id]);
        }
    }

    /// Names as the text has them.
    static decision::Predicate canonical(decision::Predicate predicate) {
        if (auto* domains = std::get_if<decision::DomainSet>(&predicate)) {
            std::vector<std::string>& names = domains->domains;
            std::sort(names.begin(), names.end());
            names.erase(std::unique(names.begin(), names.end()), names.end());
        }
        return predicate;
    }

    PredicateRecord& record_of(PredicateId id) {
        return out_.predicates.at(predicate_numbers_[id.value]);
    }

    void add_settings() {
        SettingsRecord& out = out_.settings;
        out.felix = cluster_.felix;
        out.felix_of_nodes = cluster_.felix_of_nodes;
        out.nodes = cluster_.nodes;
        std::sort(out.nodes.begin(), out.nodes.end(), [](const auto& a, const auto& b) {
            return std::tie(a.name, a.addresses, a.tunnel_addresses, a.networks) <
                   std::tie(b.name, b.addresses, b.tunnel_addresses, b.networks);
        });
        out.pools = cluster_.pools;
        std::sort(out.pools.begin(), out.pools.end(), [](const auto& a, const auto& b) {
            return std::tie(a.cidr, a.tunnel, a.cross_subnet, a.nat_outgoing) <
                   std::tie(b.cidr, b.tunnel, b.cross_subnet, b.nat_outgoing);
        });
    }

    /// Identities come by number, so that sets of numbers grow at their end.
    void add_identities() {
        const Numbers& record = numbers_.record();
        out_.addresses = record.addresses;
        out_.ranges = {record.ranges, record.blocks};
        for (const auto& [number, content] : record.identities) {
            const decision::Identity& identity = numbers_.of(content.family).at(number);
            for (const PredicateId id : identity.yes)
                record_of(id).yes.add(number);
            for (const PredicateId id : identity.unknown)
                record_of(id).unknown.add(number);
            for (const decision::PortMember& each : identity.port_members)
                record_of(each.predicate).members[{each.protocol, each.port}].add(number);
        }
    }

    /// Named by their texts, which no number of a predicate changes.
    void add_programs() {
        const backends::OwnSides own = backends::own_sides(cluster_, numbers_);
        for (std::uint32_t i = 0; i < cluster_.programs.size(); ++i) {
            ProgramRecord record;
            record.program = cluster_.programs[i];
            backends::sort_by_text(record.program, cluster_.predicates);
            const ContentId id = content_id(to_text(record.program, cluster_.predicates));
            program_ids_.push_back(id);
            const auto digest = own.digests.find(i);
            const bool runs = digest != own.digests.end(); // at some address
            said_.emplace(id, runs ? digest->second
                                   : backends::said_of(cluster_, decision::ProgramId{i}));
            replace_predicates(record.program, [&](PredicateId each) {
                return PredicateId{predicate_numbers_[each.value]};
            });
            if (runs) {
                const backends::OwnSides::Side& side = own.sides.at(digest->second);
                record.any_own = side.any;
                for (const std::uint32_t number : side.numbers)
                    record.own.add(number);
            }
            ProgramRecord& known = out_.programs[id];
            if (known.own.empty() && !known.any_own)
                known = std::move(record);
        }
    }

    void name_files() {
        std::set<std::string> paths;
        for (std::uint32_t i = 0; i < sources_.size(); ++i)
            paths.insert(sources_.path(FileId{i}));
        out_.origins.files.assign(paths.begin(), paths.end());
        for (std::uint32_t i = 0; i < sources_.size(); ++i)
            files_.push_back(FileId{static_cast<std::uint32_t>(
                std::distance(paths.begin(), paths.find(sources_.path(FileId{i}))))});
    }

    Span place(Span span) const {
        if (!span.known())
            return {};
        if (span.file.value < files_.size())
            span.file = files_[span.file.value];
        return span;
    }

    ContentId slots_id(const decision::Attribution& slots, decision::Direction direction) {
        const auto [known, added] = slots_ids_.try_emplace({slots.identity(), direction});
        if (!added)
            return known->second;
        SlotsRecord record;
        std::vector<Span> spans;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            record.slots.push_back(slots[i]);
            spans.push_back(place(slots[i].span));
        }
        if (slots.identity() != nullptr)
            record.policies = slots.policies();
        for (const decision::PolicyBlock& each : record.policies)
            spans.push_back(place(each.span));
        const ContentId id = id_of(record, direction);
        // Groups that say the same of one policy found it in one place.
        const auto [place, first] = out_.origins.slots.emplace(id, spans);
        if (!first)
            place->second = std::min(place->second, spans);
        out_.slots.emplace(id, std::move(record));
        return known->second = id;
    }

    GroupRecord group_record(const decision::Group& group) {
        GroupRecord out;
        for (const auto& [key, program] : group.programs)
            out.programs[key] = {program_ids_[program.program.value],
                                 slots_id(program.slots, key.direction)};
        return out;
    }

    PackedEndpoint packed(const decision::Endpoint& endpoint) const {
        const decision::Object& object = cluster_.world.object(endpoint.object);
        PackedEndpoint out;
        out.record.name = object.name;
        out.record.kind = object.kind;
        out.record.interface_name = endpoint.interface_name;
        out.record.addresses = object.addresses;
        out.record.other_sources = endpoint.other_sources;
        out.record.host_network = endpoint.host_network;
        out.record.unread = object.unread.known();
        out.node = endpoint.node;
        out.group = groups_[endpoint.group.value];
        out.span = place(object.span);
        out.labels = object.labels;
        out.ports = object.ports;
        return out;
    }

    void add_nodes() {
        std::map<std::string, std::vector<const PackedEndpoint*>> by_node;
        for (const PackedEndpoint& endpoint : endpoints_)
            if (endpoint.is_placed())
                by_node[endpoint.node].push_back(&endpoint);
        for (const auto& [name, list] : by_node)
            out_.nodes[name] = node_record(list, out_.origins.endpoints[name]);
    }

    void add_templates() {
        std::map<std::string, std::vector<const PackedEndpoint*>> by_space;
        for (const PackedEndpoint& endpoint : endpoints_)
            by_space[endpoint.space()].push_back(&endpoint);
        for (const auto& [space, list] : by_space) {
            std::vector<TemplateRecord> of_space = templates_of(list);
            std::move(of_space.begin(), of_space.end(), std::back_inserter(out_.templates));
        }
    }

    const LoweredCluster& cluster_;
    const Sources& sources_;
    backends::IdentityNumbers numbers_;
    std::vector<std::uint32_t> predicate_numbers_; ///< by id
    std::vector<ContentId> program_ids_;           ///< by id
    std::vector<FileId> files_;                    ///< by the file of `sources`
    std::map<std::pair<const void*, decision::Direction>, ContentId> slots_ids_;
    std::vector<std::shared_ptr<const GroupRecord>> groups_; ///< by id
    std::vector<PackedEndpoint> endpoints_;
    std::map<ContentId, std::string> said_;
    Contents out_;
};

} // namespace

NodeRecord node_record(const std::vector<const PackedEndpoint*>& list, std::vector<Span>& spans) {
    NodeRecord node;
    const auto less = [](const GroupRecord* a, const GroupRecord* b) { return *a < *b; };
    std::map<const GroupRecord*, std::uint32_t, decltype(less)> groups(less);
    for (const PackedEndpoint* each : list)
        groups[each->group.get()];
    for (auto& [group, number] : groups) {
        number = static_cast<std::uint32_t>(node.groups.size());
        node.groups.push_back(*group);
    }
    std::vector<std::pair<EndpointRecord, Span>> sorted;
    for (const PackedEndpoint* each : list) {
        sorted.emplace_back(each->record, each->span);
        sorted.back().first.group = groups.at(each->group.get());
    }
    std::sort(sorted.begin(), sorted.end());
    spans.clear();
    for (auto& [record, span] : sorted) {
        node.endpoints.push_back(std::move(record));
        spans.push_back(span);
    }
    return node;
}

std::vector<TemplateRecord> templates_of(const std::vector<const PackedEndpoint*>& list) {
    using Look = std::tuple<std::string, selector::Labels, std::vector<policy::EndpointPort>>;
    std::map<Look, std::optional<const GroupRecord*>> looks;
    for (const PackedEndpoint* each : list) {
        if (each->record.host_network || each->is_host() || each->record.unread)
            continue;
        const auto [place, added] =
            looks.try_emplace(Look{each->space(), each->labels, each->ports}, each->group.get());
        if (!added && place->second && **place->second != *each->group)
            place->second.reset();
    }
    std::vector<TemplateRecord> out;
    for (const auto& [look, group] : looks)
        if (group)
            out.push_back({std::get<0>(look), std::get<1>(look), std::get<2>(look), **group});
    return out;
}

Packed pack_all(const LoweredCluster& cluster, const decision::Identities& identities,
                const Sources& sources, const Base& base) {
    return Packer(cluster, identities, sources, base).run();
}

Contents pack(const LoweredCluster& cluster, const decision::Identities& identities,
              const Sources& sources, const Base& base) {
    return pack_all(cluster, identities, sources, base).contents;
}

/// Identities' sets of predicates, which a bundle has the other way round.
void check_numbers(const Numbers& numbers) {
    const auto refuse_unless = [](bool good) {
        if (!good)
            throw Refused{Refused::Fault::Unreadable,
                          "identities have numbers that no rule can hold"};
    };
    for (const auto& [address, number] : numbers.addresses)
        refuse_unless(number < backends::kMostIdentities);
    for (const auto& [address, number] : numbers.ranges)
        refuse_unless(number < backends::kMostIdentities);
    std::set<std::uint32_t> blocks;
    for (const auto& [space, block] : numbers.blocks)
        refuse_unless(block < backends::kMostIdentities >> backends::kBlockBits &&
                      blocks.insert(block).second);
}

Base base_of(const Contents& contents) {
    Base out;
    Numbers& numbers = out.identities;
    numbers.addresses = contents.addresses;
    numbers.ranges = contents.ranges.ranges;
    numbers.blocks = contents.ranges.blocks;
    check_numbers(numbers);
    for (const auto* places : {&numbers.addresses, &numbers.ranges})
        for (const auto& [address, number] : *places)
            numbers.identities[number].family = address.family;
    std::map<std::string, const PredicateRecord*> by_digest;
    for (const auto& [number, record] : contents.predicates) {
        const std::string text = to_string(record.predicate);
        out.predicates[text] = number;
        by_digest[backends::digest_of(text, 24)] = &record;
    }
    for (const auto& [digest, record] : by_digest) {
        const auto rank = static_cast<std::uint32_t>(numbers.predicates.size());
        numbers.predicates.push_back(digest);
        record->yes.each([&](std::uint32_t each) { numbers.identities[each].yes.push_back(rank); });
        record->unknown.each(
            [&](std::uint32_t each) { numbers.identities[each].unknown.push_back(rank); });
        for (const auto& [port, set] : record->members)
            set.each([&, port = port](std::uint32_t each) {
                numbers.identities[each].members.push_back({rank, port.protocol, port.port});
            });
    }
    return out;
}

} // namespace polecat::bundle
