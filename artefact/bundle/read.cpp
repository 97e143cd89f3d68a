#include <algorithm>

#include "artefact/bundle/bundle.h"
#include "artefact/bundle/codec.h"
#include "artefact/bundle/templates.h"
#include "support/sha2.h"

namespace polecat::bundle {

using Fault = Refused::Fault;

namespace {

std::string described(const PartEntry& entry) {
    return "part `" + std::string(to_string(entry.kind)) +
           (entry.key.empty() ? "" : " " + entry.key) + "`";
}

[[noreturn]] void inconsistent(const std::string& what) {
    throw Refused{Fault::Unreadable, what};
}

/// Of several parts; their files get numbers of the whole.
class OriginsMerger {
  public:
    void add(const Origins& part) {
        std::vector<std::uint32_t> numbers;
        for (const std::string& file : part.files) {
            const auto [known, added] =
                files_.try_emplace(file, static_cast<std::uint32_t>(out_.files.size()));
            numbers.push_back(known->second);
            if (added)
                out_.files.push_back(file);
        }
        const auto of_whole = [&](std::vector<Span> spans) {
            for (Span& span : spans)
                if (span.known() && span.file.value >= numbers.size())
                    inconsistent("a place is in a file that its origins do not name");
                else if (span.known())
                    span.file = FileId{numbers[span.file.value]};
            return spans;
        };
        for (const auto& [id, spans] : part.slots)
            out_.slots[id] = of_whole(spans);
        for (const auto& [node, spans] : part.endpoints)
            out_.endpoints[node] = of_whole(spans);
    }
    Origins take() { return std::move(out_); }

  private:
    std::map<std::string, std::uint32_t> files_;
    Origins out_;
};

} // namespace

Bundle::Bundle(std::string_view manifest, ReadPart read)
    : manifest_(parse_manifest(manifest)), read_(std::move(read)) {}

std::vector<std::string> Bundle::nodes() const {
    std::vector<std::string> out;
    for (const PartEntry& each : manifest_.parts)
        if (each.kind == PartKind::Node && !each.key.empty())
            out.push_back(each.key);
    return out;
}

/// Nothing of a part is looked at before its digest is right.
std::string Bundle::bytes_of(const PartEntry& entry) const {
    auto bytes = read_(entry.name(), entry.size);
    if (!bytes)
        throw Refused{Fault::Truncated, described(entry) + " is missing: " + bytes.error()};
    if (bytes->size() < entry.size)
        throw Refused{Fault::Truncated, described(entry) + " has " + std::to_string(bytes->size()) +
                                            " bytes of " + std::to_string(entry.size)};
    if (bytes->size() != entry.size || sha256(*bytes) != entry.digest)
        throw Refused{Fault::Altered, described(entry) + " does not have the digest that the "
                                                         "manifest lists"};
    return std::move(*bytes);
}

template <class Act> void Bundle::with_bytes(const PartEntry& entry, const Act& act) const {
    const std::string bytes = bytes_of(entry);
    try {
        act(bytes);
    } catch (const cbor::Failure& failure) {
        throw Refused{Fault::Unreadable, described(entry) + ": " + failure.message};
    }
}

template <class Act> void Bundle::in_part(const PartEntry& entry, const Act& act) const {
    with_bytes(entry, [&](const std::string& bytes) {
        Decoder in(bytes);
        act(in);
        in.finish();
    });
}

template <class Act>
void Bundle::in_part(PartKind kind, const std::string& key, const Act& act) const {
    if (const PartEntry* entry = manifest_.find(kind, key))
        in_part(*entry, act);
}

template <class Act> void Bundle::in_all(PartKind kind, const Act& act) const {
    for (const PartEntry& each : manifest_.parts)
        if (each.kind == kind)
            in_part(each, [&](Decoder& in) { act(in, each); });
}

/// Who asks for it by its name looks into one part alone.
template <class Name> void Bundle::check_place(const PartEntry& entry, const Name& name) const {
    const unsigned bits = manifest_.bits[static_cast<std::size_t>(entry.kind)];
    if (bucket_key(bucket_of(name, bits)) != entry.key)
        inconsistent(described(entry) + " has what belongs into another part");
}

namespace {

/// Whether all of these identities are known; `known`: sorted, each once.
bool has_all(const std::vector<std::uint32_t>& known, const NumberSet& set) {
    return std::all_of(set.runs().begin(), set.runs().end(), [&](const NumberSet::Run& run) {
        const auto first = std::lower_bound(known.begin(), known.end(), run.first);
        const std::size_t left = static_cast<std::size_t>(known.end() - first);
        return run.first <= run.last && run.last - run.first < left && *first == run.first &&
               first[run.last - run.first] == run.last;
    });
}

/// Records of a part; of `wanted` only, where it is given.
template <class Key, class Record>
void read_records(Decoder& in, const std::set<Key>* wanted, std::map<Key, Record>& out) {
    Key last{};
    for (std::size_t left = in.in().array(), first = left; left > 0; --left) {
        Key key{};
        if (in.in().array() != 2)
            in.in().fail("a record with its name");
        in.get(key);
        if (left != first && !(last < key))
            in.in().fail("records in ascending order");
        last = key;
        if (out.contains(key))
            in.in().fail("each record once");
        if (wanted != nullptr && !wanted->contains(key)) {
            in.in().bytes();
            continue;
        }
        in.get_apart(out[key]);
    }
}

} // namespace

template <class Key, class Record>
std::map<Key, Record> Bundle::records(PartKind kind, const std::set<Key>& wanted) const {
    std::set<std::string> keys;
    for (const Key& each : wanted)
        keys.insert(bucket_key(bucket_of(each, manifest_.bits[static_cast<std::size_t>(kind)])));
    std::map<Key, Record> out;
    for (const std::string& key : keys)
        in_part(kind, key, [&](Decoder& in) { read_records(in, &wanted, out); });
    if (out.size() != wanted.size())
        inconsistent("it refers to " + std::string(to_string(kind)) + " that it lacks");
    return out;
}

template <class Key, class Record> std::map<Key, Record> Bundle::records(PartKind kind) const {
    std::map<Key, Record> out;
    in_all(kind, [&](Decoder& in, const PartEntry& entry) {
        std::map<Key, Record> part;
        read_records<Key, Record>(in, nullptr, part);
        for (auto& [key, record] : part)
            check_place(entry, key);
        out.merge(part);
    });
    return out;
}

SettingsRecord Bundle::settings() const {
    SettingsRecord out;
    if (manifest_.find(PartKind::Settings, "") == nullptr)
        inconsistent("it has no settings");
    in_part(PartKind::Settings, "", [&](Decoder& in) { in.get(out); });
    return out;
}

RangesRecord Bundle::ranges() const {
    RangesRecord out;
    in_part(PartKind::Ranges, "", [&](Decoder& in) { in.get(out); });
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        if (!out.ranges.contains(net::first_address(family)))
            inconsistent("its ranges do not cover all addresses");
    return out;
}

AddressNumbers Bundle::addresses() const {
    // As lists: a map of each part would be most of the time that this takes.
    std::vector<std::pair<net::Address, std::uint32_t>> all, part;
    in_all(PartKind::Addresses, [&](Decoder& in, const PartEntry&) {
        in.get(part);
        for (std::size_t i = 1; i < part.size(); ++i)
            if (!(part[i - 1].first < part[i].first))
                in.in().fail("keys in ascending order");
        all.insert(all.end(), part.begin(), part.end());
    });
    std::sort(all.begin(), all.end());
    AddressNumbers out(all.begin(), all.end());
    if (out.size() != all.size())
        inconsistent("an address stands twice");
    return out;
}

NodeRecord Bundle::node(const std::string& name) const {
    NodeRecord out;
    in_part(PartKind::Node, name, [&](Decoder& in) { in.get(out); });
    for (const EndpointRecord& each : out.endpoints)
        if (each.group >= out.groups.size())
            inconsistent("endpoint " + each.name + " is of a group that is not there");
    return out;
}

PredicateRecords Bundle::predicates(const std::set<std::uint32_t>& wanted) const {
    return records<std::uint32_t, PredicateRecord>(PartKind::Predicates, wanted);
}

std::map<ContentId, ProgramRecord> Bundle::programs(const std::set<ContentId>& wanted) const {
    return records<ContentId, ProgramRecord>(PartKind::Programs, wanted);
}

std::map<ContentId, SlotsRecord> Bundle::slots(const std::set<ContentId>& wanted) const {
    return records<ContentId, SlotsRecord>(PartKind::Slots, wanted);
}

Origins Bundle::origins(const std::set<ContentId>& slots,
                        const std::set<std::string>& nodes) const {
    const unsigned bits = manifest_.bits[static_cast<std::size_t>(PartKind::Origins)];
    std::set<std::string> keys;
    for (const ContentId& each : slots)
        keys.insert(bucket_key(bucket_of(each, bits)));
    for (const std::string& each : nodes)
        keys.insert(bucket_key(bucket_of(std::string_view(each), bits)));
    OriginsMerger merger;
    for (const std::string& key : keys)
        in_part(PartKind::Origins, key, [&](Decoder& in) {
            Origins part;
            in.get(part);
            merger.add(part);
        });
    Origins out = merger.take();
    std::erase_if(out.slots, [&](const auto& each) { return !slots.contains(each.first); });
    std::erase_if(out.endpoints, [&](const auto& each) { return !nodes.contains(each.first); });
    return out;
}

std::vector<TemplateRecord> Bundle::templates(const std::string& space) const {
    const unsigned bits = manifest_.bits[static_cast<std::size_t>(PartKind::Templates)];
    std::vector<TemplateRecord> out;
    const std::string key = bucket_key(bucket_of(std::string_view(space), bits));
    if (const PartEntry* entry = manifest_.find(PartKind::Templates, key))
        with_bytes(*entry, [&](const std::string& bytes) { out = read_templates(bytes); });
    std::erase_if(out, [&](const TemplateRecord& each) { return each.space != space; });
    return out;
}

Contents Bundle::all() const {
    Contents out;
    out.settings = settings();
    out.ranges = ranges();
    out.addresses = addresses();
    out.predicates = records<std::uint32_t, PredicateRecord>(PartKind::Predicates);
    out.programs = records<ContentId, ProgramRecord>(PartKind::Programs);
    out.slots = records<ContentId, SlotsRecord>(PartKind::Slots);
    for (const PartEntry& each : manifest_.parts)
        if (each.kind == PartKind::Node)
            out.nodes[each.key] = node(each.key);
    for (const PartEntry& each : manifest_.parts)
        if (each.kind == PartKind::Templates)
            with_bytes(each, [&](const std::string& bytes) {
                const auto part = read_templates(bytes);
                for (const TemplateRecord& look : part)
                    check_place(each, std::string_view(look.space));
                out.templates.insert(out.templates.end(), part.begin(), part.end());
            });
    OriginsMerger merger;
    in_all(PartKind::Origins, [&](Decoder& in, const PartEntry& entry) {
        Origins part;
        in.get(part);
        for (const auto& [id, spans] : part.slots)
            check_place(entry, id);
        for (const auto& [name, spans] : part.endpoints)
            check_place(entry, std::string_view(name));
        merger.add(part);
    });
    out.origins = merger.take();
    check_references(out);
    return out;
}

void Bundle::check_references(const Contents& contents) const {
    const auto check = [](bool there, const std::string& what) {
        if (!there)
            inconsistent("it refers to " + what + " that it lacks");
    };
    const auto check_group = [&](const GroupRecord& group) {
        for (const auto& [key, part] : group.programs) {
            const auto program = contents.programs.find(part.program);
            check(program != contents.programs.end(), "a program");
            check(contents.slots.contains(part.slots), "slots");
        }
    };
    std::set<std::uint32_t> numbers;
    for (const auto* places : {&contents.addresses, &contents.ranges.ranges})
        for (const auto& [address, number] : *places)
            numbers.insert(number);
    const std::vector<std::uint32_t> known(numbers.begin(), numbers.end());
    const auto check_set = [&](const NumberSet& set) { check(has_all(known, set), "an identity"); };
    std::set<std::string> texts; // of two numbers nobody could say which a program means
    for (const auto& [number, record] : contents.predicates) {
        if (!texts.insert(to_string(record.predicate)).second)
            inconsistent("a predicate has two numbers");
        check_set(record.yes);
        check_set(record.unknown);
        for (const auto& [port, set] : record.members) {
            if (set.empty())
                inconsistent("a predicate has a port at which it holds of nobody");
            check_set(set);
        }
    }
    for (const auto& [id, record] : contents.programs)
        check_set(record.own);
    for (const auto& [name, node] : contents.nodes)
        for (const GroupRecord& group : node.groups)
            check_group(group);
    for (const TemplateRecord& each : contents.templates)
        check_group(each.group);
    for (const auto& [id, record] : contents.programs)
        for (const bool source : {true, false})
            for (const decision::PredicateId each : decision::predicates_of(record.program, source))
                check(contents.predicates.contains(each.value), "a predicate");
}

} // namespace polecat::bundle
