#include "artefact/bundle/bundle.h"
#include "artefact/bundle/codec.h"
#include "artefact/bundle/templates.h"
#include "support/sha2.h"

namespace polecat::bundle {

namespace {

/// Records in a part, about. Addresses are small.
constexpr std::size_t kInPart = 64, kAddressesInPart = 1024;

std::uint8_t bits_for(std::size_t records, std::size_t in_part) {
    std::uint8_t bits = 0;
    while (records >> bits > in_part && bits < 16)
        ++bits;
    return bits;
}

template <class T> std::string bytes_of(const T& record) {
    Encoder out;
    out.put(record);
    return out.take();
}

class PartsWriter {
  public:
    explicit PartsWriter(std::string compiler) { manifest_.compiler = std::move(compiler); }

    unsigned spread(PartKind kind, std::size_t records, std::size_t in_part = kInPart) {
        return manifest_.bits[static_cast<std::size_t>(kind)] = bits_for(records, in_part);
    }

    void add(PartKind kind, std::string key, std::string bytes) {
        PartEntry entry{kind, std::move(key), sha256(bytes), bytes.size()};
        out_.parts.emplace(entry.name(), std::move(bytes));
        manifest_.parts.push_back(std::move(entry));
    }
    template <class T> void add_record(PartKind kind, std::string key, const T& record) {
        add(kind, std::move(key), bytes_of(record));
    }

    /// Records by name, each to be stepped over.
    template <class Key, class Record>
    void add_records(PartKind kind, const std::map<Key, Record>& records) {
        const unsigned bits = spread(kind, records.size());
        std::map<std::uint32_t, std::vector<const std::pair<const Key, Record>*>> buckets;
        for (const auto& each : records)
            buckets[bucket_of(each.first, bits)].push_back(&each);
        for (const auto& [bucket, list] : buckets) {
            Encoder out;
            out.out().array(list.size());
            for (const auto* each : list) {
                out.out().array(2);
                out.put(each->first);
                out.put_apart(each->second);
            }
            add(kind, bucket_key(bucket), out.take());
        }
    }

    void add_addresses(const AddressNumbers& addresses) {
        const unsigned bits = spread(PartKind::Addresses, addresses.size(), kAddressesInPart);
        std::map<std::uint32_t, AddressNumbers> buckets;
        for (const auto& each : addresses)
            buckets[bucket_of(each.first, bits)].insert(each);
        for (const auto& [bucket, list] : buckets)
            add_record(PartKind::Addresses, bucket_key(bucket), list);
    }

    void add_templates(const std::vector<TemplateRecord>& templates) {
        const unsigned bits = spread(PartKind::Templates, templates.size());
        std::map<std::uint32_t, std::vector<TemplateRecord>> buckets;
        for (const TemplateRecord& each : templates)
            buckets[bucket_of(std::string_view(each.space), bits)].push_back(each);
        for (const auto& [bucket, list] : buckets)
            add(PartKind::Templates, bucket_key(bucket), bytes_of_templates(list));
    }

    void add_origins(const Origins& origins) {
        const unsigned bits = spread(PartKind::Origins, origins.slots.size());
        std::map<std::uint32_t, Origins> buckets;
        for (const auto& each : origins.slots)
            buckets[bucket_of(each.first, bits)].slots.insert(each);
        for (const auto& each : origins.endpoints)
            buckets[bucket_of(std::string_view(each.first), bits)].endpoints.insert(each);
        for (auto& [bucket, part] : buckets) {
            take_files(origins.files, part);
            add_record(PartKind::Origins, bucket_key(bucket), part);
        }
    }

    Written take() {
        out_.manifest = print(manifest_);
        return std::move(out_);
    }

  private:
    /// Those files that a part names, so that others' leave it as it is.
    static void take_files(const std::vector<std::string>& files, Origins& part) {
        std::map<std::uint32_t, std::uint32_t> numbers;
        const auto each_span = [&](const auto& act) {
            for (auto& [id, spans] : part.slots)
                for (Span& span : spans)
                    act(span);
            for (auto& [node, spans] : part.endpoints)
                for (Span& span : spans)
                    act(span);
        };
        each_span([&](Span& span) {
            if (span.file.value < files.size())
                numbers[span.file.value];
        });
        for (auto& [file, number] : numbers) {
            number = static_cast<std::uint32_t>(part.files.size());
            part.files.push_back(files[file]);
        }
        each_span([&](Span& span) {
            if (const auto known = numbers.find(span.file.value); known != numbers.end())
                span.file = FileId{known->second};
        });
    }

    Manifest manifest_;
    Written out_;
};

} // namespace

Written write(const Contents& contents, std::string compiler) {
    PartsWriter out(std::move(compiler));
    out.add_record(PartKind::Settings, "", contents.settings);
    out.add_record(PartKind::Ranges, "", contents.ranges);
    out.add_addresses(contents.addresses);
    out.add_records(PartKind::Predicates, contents.predicates);
    out.add_records(PartKind::Programs, contents.programs);
    out.add_records(PartKind::Slots, contents.slots);
    for (const auto& [name, node] : contents.nodes)
        out.add_record(PartKind::Node, name, node);
    out.add_templates(contents.templates);
    out.add_origins(contents.origins);
    return out.take();
}

ContentId id_of(const SlotsRecord& slots, decision::Direction direction) {
    return content_id(bytes_of(slots).append(decision::to_string(direction)));
}

std::string to_bytes(const NodeRecord& record) {
    return bytes_of(record);
}
std::string to_bytes(const ProgramRecord& record) {
    return bytes_of(record);
}
std::string to_bytes(const PredicateRecord& record) {
    return bytes_of(record);
}
std::string to_bytes(const SettingsRecord& record) {
    return bytes_of(record);
}
std::string to_bytes(const RangesRecord& record) {
    return bytes_of(record);
}
std::string to_bytes(const Origins& record) {
    return bytes_of(record);
}

} // namespace polecat::bundle
