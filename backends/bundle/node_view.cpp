#include "backends/bundle/node_view.h"

#include <algorithm>
#include <map>
#include <set>

#include "backends/bundle/pack.h"

namespace polecat::bundle {

using decision::PredicateId;
using decision::ProgramId;

namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw Refused{Refused::Fault::Unreadable, why};
}

/// Slots that a program names, so that each stands for something.
std::uint32_t slots_of(const decision::Program& program) {
    std::uint32_t last = program.otherwise_slot.value;
    for (const decision::Stage& stage : program.stages) {
        last = std::max(last, stage.end_slot.value);
        for (const decision::Entry& entry : stage.entries)
            last = std::max(last, entry.slot.value);
    }
    return last;
}

class ViewBuilder {
  public:
    ViewBuilder(const Bundle& bundle, std::set<std::string> nodes, Sources& sources,
                decision::LoweredCluster& cluster)
        : bundle_(bundle), nodes_(std::move(nodes)), sources_(sources), cluster_(cluster) {
        nodes_.insert(""); // host endpoints that may be on any
    }

    void run() {
        SettingsRecord settings = bundle_.settings();
        cluster_.felix = std::move(settings.felix);
        cluster_.felix_of_nodes = std::move(settings.felix_of_nodes);
        cluster_.nodes = std::move(settings.nodes);
        cluster_.pools = std::move(settings.pools);
        std::map<std::string, NodeRecord> nodes;
        for (const std::string& name : nodes_)
            nodes.emplace(name, bundle_.node(name));
        std::set<ContentId> programs, slots;
        for (const auto& [name, node] : nodes)
            for (const GroupRecord& group : node.groups)
                for (const auto& [key, part] : group.programs) {
                    programs.insert(part.program);
                    slots.insert(part.slots);
                }
        add_programs(programs);
        slots_ = bundle_.slots(slots);
        origins_ = bundle_.origins(slots, nodes_);
        for (const std::string& file : origins_.files)
            files_.push_back(sources_.add(file, ""));
        for (const auto& [name, node] : nodes)
            add_node(name, node);
        cluster_.world.index_addresses();
    }

    backends::IdentityNumbers numbers() {
        backends::Numbers record;
        record.addresses = bundle_.addresses();
        const RangesRecord ranges = bundle_.ranges();
        record.ranges = ranges.ranges;
        record.blocks = ranges.blocks;
        check_numbers(record);
        find_identities(record);
        for (const auto& [number, predicate] : predicates_)
            add_members(local_.at(number), predicate);
        for (auto& [number, identity] : identities_)
            std::sort(identity.port_members.begin(), identity.port_members.end());
        return {std::move(record), std::move(identities_)};
    }

    /// After numbers().
    backends::OwnSides own(const backends::IdentityNumbers& numbers) {
        backends::OwnSides out;
        for (std::uint32_t i = 0; i < cluster_.programs.size(); ++i) {
            const ProgramRecord& record = *records_[i];
            const auto& known = numbers.of(record.program.family);
            const std::string& digest = out.digests[i] = backends::said_of(cluster_, ProgramId{i});
            backends::OwnSides::Side& side = out.sides[digest];
            side.any = side.any || record.any_own;
            record.own.each([&](std::uint32_t number) {
                if (!known.contains(number))
                    refuse("a program is of an identity that nothing has");
                side.numbers.insert(number);
            });
        }
        return out;
    }

  private:
    void add_programs(const std::set<ContentId>& wanted) {
        programs_ = bundle_.programs(wanted);
        std::set<std::uint32_t> asked;
        for (const auto& [id, record] : programs_)
            for (const bool source : {true, false})
                for (const PredicateId each : decision::predicates_of(record.program, source))
                    asked.insert(each.value);
        predicates_ = bundle_.predicates(asked);
        for (const auto& [number, record] : predicates_)
            local_.emplace(number, cluster_.predicates.intern(record.predicate));
        if (cluster_.predicates.size() != predicates_.size())
            refuse("a predicate has two numbers");
        for (const auto& [id, record] : programs_) {
            ids_.emplace(id, ProgramId{static_cast<std::uint32_t>(cluster_.programs.size())});
            records_.push_back(&record);
            decision::Program& program = cluster_.programs.emplace_back(record.program);
            replace_predicates(program, [&](PredicateId each) { return local_.at(each.value); });
        }
    }

    void find_identities(const backends::Numbers& record) {
        std::vector<std::pair<std::uint32_t, net::Family>> found;
        for (const auto* places : {&record.addresses, &record.ranges})
            for (const auto& [address, number] : *places)
                found.emplace_back(number, address.family);
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        identities_.reserve(found.size());
        for (const auto& [number, family] : found) {
            if (!identities_.empty() && identities_.back().first == number)
                refuse("an identity is of both families");
            identities_.emplace_back(number, decision::Identity{family, {}, {}, {}});
        }
    }

    /// Runs go over numbers that all are there.
    template <class Act> void each_identity(const NumberSet& set, const Act& act) {
        for (const NumberSet::Run& run : set.runs()) {
            auto place = std::lower_bound(
                identities_.begin(), identities_.end(), run.first,
                [](const auto& each, std::uint32_t number) { return each.first < number; });
            for (std::uint32_t number = run.first;; ++number, ++place) {
                if (place == identities_.end() || place->first != number)
                    refuse("a predicate holds of an identity that nothing has");
                act(place->second);
                if (number == run.last)
                    break;
            }
        }
    }

    void add_members(PredicateId id, const PredicateRecord& predicate) {
        each_identity(predicate.yes, [&](decision::Identity& to) { to.yes.push_back(id); });
        each_identity(predicate.unknown, [&](decision::Identity& to) { to.unknown.push_back(id); });
        for (const auto& [port, set] : predicate.members)
            each_identity(set, [&, port = port](decision::Identity& to) {
                to.port_members.push_back({id, port.protocol, port.port});
            });
    }

    Span place(const std::vector<Span>* spans, std::size_t at) const {
        if (spans == nullptr || at >= spans->size() || !(*spans)[at].known())
            return {};
        Span out = (*spans)[at];
        out.file = files_[out.file.value];
        return out;
    }
    template <class Key>
    static const std::vector<Span>* spans_of(const std::map<Key, std::vector<Span>>& all,
                                             const Key& key) {
        const auto found = all.find(key);
        return found == all.end() ? nullptr : &found->second;
    }

    const decision::Attribution& attribution(const ContentId& id) {
        const auto [known, added] = attributions_.try_emplace(id);
        if (!added)
            return known->second;
        SlotsRecord& record = slots_.at(id);
        const std::vector<Span>* spans = spans_of(origins_.slots, id);
        std::vector<Shared<decision::Slot>> slots;
        for (decision::Slot& slot : record.slots) {
            slot.span = place(spans, slots.size());
            slots.emplace_back(std::move(slot));
        }
        for (std::size_t i = 0; i < record.policies.size(); ++i)
            record.policies[i].span = place(spans, slots.size() + i);
        return known->second = {std::move(slots), std::move(record.policies)};
    }

    decision::Group group(const GroupRecord& record) {
        decision::Group out;
        for (const auto& [key, part] : record.programs) {
            const ProgramId id = ids_.at(part.program);
            const decision::Program& program = cluster_.program(id);
            const decision::Attribution& slots = attribution(part.slots);
            if (decision::Group::Key{program.direction, program.hook, program.family} != key)
                refuse("a program is for something else than its group says");
            if (slots_of(program) >= slots.size())
                refuse("a program has slots that stand for nothing");
            out.programs[key] = {id, slots};
        }
        return out;
    }

    void add_node(const std::string& name, const NodeRecord& node) {
        const auto first = static_cast<std::uint32_t>(cluster_.groups.size());
        for (const GroupRecord& each : node.groups)
            cluster_.groups.push_back(group(each));
        const std::vector<Span>* spans = spans_of(origins_.endpoints, name);
        for (std::size_t i = 0; i < node.endpoints.size(); ++i) {
            const EndpointRecord& from = node.endpoints[i];
            const decision::ObjectId id{static_cast<std::uint32_t>(cluster_.world.objects.size())};
            decision::Object& object = cluster_.world.objects.emplace_back();
            object.kind = from.kind;
            object.name = from.name;
            object.addresses = from.addresses;
            object.span = place(spans, i);
            if (from.unread) // where is told with the manifests
                object.unread.line = 1;
            decision::Endpoint& endpoint = cluster_.endpoints.emplace_back();
            endpoint.object = id;
            endpoint.group = decision::GroupId{first + from.group};
            endpoint.node = name;
            endpoint.interface_name = from.interface_name;
            endpoint.host_network = from.host_network;
            endpoint.is_host_endpoint = from.kind == decision::Object::Kind::HostEndpoint;
            endpoint.other_sources = from.other_sources;
            cluster_.groups[endpoint.group.value].members.push_back(id);
            if (endpoint.is_host_endpoint)
                cluster_.host_endpoints_by_name.emplace(from.name, id);
        }
    }

    const Bundle& bundle_;
    std::set<std::string> nodes_;
    Sources& sources_;
    decision::LoweredCluster& cluster_;
    std::map<ContentId, ProgramRecord> programs_;
    std::map<ContentId, SlotsRecord> slots_;
    PredicateRecords predicates_;
    Origins origins_;
    std::vector<FileId> files_;                  ///< by those of origins_
    std::map<std::uint32_t, PredicateId> local_; ///< by the bundle's number
    std::map<ContentId, ProgramId> ids_;
    std::vector<const ProgramRecord*> records_; ///< by ProgramId
    std::map<ContentId, decision::Attribution> attributions_;
    backends::IdentityNumbers::Recorded identities_;
};

} // namespace

NodeView view_of(const Bundle& bundle, std::set<std::string> nodes) {
    Sources sources;
    decision::LoweredCluster cluster;
    ViewBuilder builder(bundle, std::move(nodes), sources, cluster);
    builder.run();
    backends::IdentityNumbers numbers = builder.numbers();
    backends::OwnSides own = builder.own(numbers);
    return {std::move(sources), std::move(cluster), std::move(numbers), std::move(own)};
}

} // namespace polecat::bundle
