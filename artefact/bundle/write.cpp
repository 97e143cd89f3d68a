#include <optional>

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

/// What of a part's kind is looked at: these parts, or all.
using Buckets = std::set<std::uint32_t>;

/// Those files that a part names, so that others' leave it as it is.
void take_files(const std::vector<std::string>& files, Origins& part) {
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

} // namespace

/// One update. `touched`: nullptr: all.
class Parts::Update {
  public:
    Update(Parts& parts, const Contents& contents, const Touched* touched)
        : parts_(parts), contents_(contents), touched_(touched) {}

    Change run() {
        if (touched_ == nullptr)
            put(PartKind::Settings, "", bytes_of(contents_.settings));
        if (touched_ == nullptr || touched_->ranges)
            put(PartKind::Ranges, "", bytes_of(contents_.ranges));
        put_addresses();
        put_records(PartKind::Predicates, contents_.predicates, &Touched::predicates);
        put_records(PartKind::Programs, contents_.programs, &Touched::programs);
        put_records(PartKind::Slots, contents_.slots, &Touched::slots);
        put_nodes();
        put_templates();
        put_origins();
        for (const auto& [name, was_there] : seen_)
            if (const bool is_there = parts_.uses_.contains(name); was_there && !is_there)
                out_.gone.insert(name);
            else if (was_there || !is_there)
                out_.come.erase(name);
        return std::move(out_);
    }

  private:
    void note(const std::string& name) { seen_.emplace(name, parts_.uses_.contains(name)); }

    void drop(const PartEntry& entry) {
        const std::string name = entry.name();
        note(name);
        const auto uses = parts_.uses_.find(name);
        if (--uses->second == 0)
            parts_.uses_.erase(uses);
    }

    void erase(PartKind kind, const std::string& key) {
        const auto found = parts_.entries_.find({kind, key});
        if (found == parts_.entries_.end())
            return;
        drop(found->second);
        parts_.entries_.erase(found);
    }

    void erase_all(PartKind kind) {
        const auto first = parts_.entries_.lower_bound({kind, ""});
        auto last = first;
        for (; last != parts_.entries_.end() && last->first.first == kind; ++last)
            drop(last->second);
        parts_.entries_.erase(first, last);
    }

    void put(PartKind kind, std::string key, std::string bytes) {
        PartEntry entry{kind, std::move(key), sha256(bytes), bytes.size()};
        erase(kind, entry.key);
        const std::string name = entry.name();
        note(name);
        ++parts_.uses_[name];
        out_.come.insert_or_assign(name, std::move(bytes));
        parts_.entries_.emplace(std::pair(kind, entry.key), std::move(entry));
    }

    /// Which parts of a kind are made anew; those are then gone until they are put. nullopt: all,
    /// since records are spread anew.
    template <class Names>
    std::optional<Buckets> begin(PartKind kind, std::size_t records, std::size_t in_part,
                                 const Names& names) {
        std::uint8_t& bits = parts_.bits_[static_cast<std::size_t>(kind)];
        const std::uint8_t now = bits_for(records, in_part);
        if (touched_ != nullptr && now == bits) {
            Buckets out;
            names([&](const auto& name) { out.insert(bucket_of(name, bits)); });
            for (const std::uint32_t bucket : out)
                erase(kind, bucket_key(bucket));
            return out;
        }
        bits = now;
        erase_all(kind);
        return std::nullopt;
    }

    template <class Name> static auto each_of(const std::set<Name>& names) {
        return [&names](const auto& act) {
            for (const Name& name : names)
                act(name);
        };
    }
    unsigned bits(PartKind kind) const { return parts_.bits_[static_cast<std::size_t>(kind)]; }
    static bool is_in(const std::optional<Buckets>& wanted, std::uint32_t bucket) {
        return !wanted || wanted->contains(bucket);
    }

    /// Records by name, each to be stepped over.
    template <class Key, class Record>
    void put_records(PartKind kind, const std::map<Key, Record>& records,
                     std::set<Key> Touched::*names) {
        const std::set<Key> none;
        const auto wanted = begin(kind, records.size(), kInPart,
                                  each_of(touched_ != nullptr ? touched_->*names : none));
        if (wanted && wanted->empty())
            return;
        std::map<std::uint32_t, std::vector<const std::pair<const Key, Record>*>> buckets;
        for (const auto& each : records)
            if (const std::uint32_t bucket = bucket_of(each.first, bits(kind));
                is_in(wanted, bucket))
                buckets[bucket].push_back(&each);
        for (const auto& [bucket, list] : buckets) {
            Encoder out;
            out.out().array(list.size());
            for (const auto* each : list) {
                out.out().array(2);
                out.put(each->first);
                out.put_apart(each->second);
            }
            put(kind, bucket_key(bucket), out.take());
        }
    }

    void put_addresses() {
        const std::set<net::Address> none;
        const auto wanted = begin(PartKind::Addresses, contents_.addresses.size(), kAddressesInPart,
                                  each_of(touched_ != nullptr ? touched_->addresses : none));
        if (wanted && wanted->empty())
            return;
        std::map<std::uint32_t, AddressNumbers> buckets;
        for (const auto& each : contents_.addresses)
            if (const std::uint32_t bucket = bucket_of(each.first, bits(PartKind::Addresses));
                is_in(wanted, bucket))
                buckets[bucket].insert(each);
        for (const auto& [bucket, list] : buckets)
            put(PartKind::Addresses, bucket_key(bucket), bytes_of(list));
    }

    void put_nodes() {
        if (touched_ == nullptr) {
            erase_all(PartKind::Node);
            for (const auto& [name, node] : contents_.nodes)
                put(PartKind::Node, name, bytes_of(node));
        } else
            for (const std::string& name : touched_->nodes)
                if (const auto node = contents_.nodes.find(name); node != contents_.nodes.end())
                    put(PartKind::Node, name, bytes_of(node->second));
                else
                    erase(PartKind::Node, name);
    }

    void put_templates() {
        const auto wanted =
            begin(PartKind::Templates, contents_.templates.size(), kInPart, [&](const auto& act) {
                for (const std::string& space : touched_->spaces)
                    act(std::string_view(space));
            });
        if (wanted && wanted->empty())
            return;
        std::map<std::uint32_t, std::vector<TemplateRecord>> buckets;
        const TemplateRecord* before = nullptr;
        std::uint32_t bucket = 0;
        for (const TemplateRecord& each : contents_.templates) {
            if (before == nullptr || before->space != each.space)
                bucket = bucket_of(std::string_view(each.space), bits(PartKind::Templates));
            before = &each;
            if (is_in(wanted, bucket))
                buckets[bucket].push_back(each);
        }
        for (const auto& [each, list] : buckets)
            put(PartKind::Templates, bucket_key(each), bytes_of_templates(list));
    }

    void put_origins() {
        const auto wanted =
            begin(PartKind::Origins, contents_.origins.slots.size(), kInPart, [&](const auto& act) {
                for (const ContentId& id : touched_->slots)
                    act(id);
                for (const std::string& node : touched_->nodes)
                    act(std::string_view(node));
            });
        if (wanted && wanted->empty())
            return;
        std::map<std::uint32_t, Origins> buckets;
        for (const auto& each : contents_.origins.slots)
            if (const std::uint32_t bucket = bucket_of(each.first, bits(PartKind::Origins));
                is_in(wanted, bucket))
                buckets[bucket].slots.insert(each);
        for (const auto& each : contents_.origins.endpoints)
            if (const std::uint32_t bucket =
                    bucket_of(std::string_view(each.first), bits(PartKind::Origins));
                is_in(wanted, bucket))
                buckets[bucket].endpoints.insert(each);
        for (auto& [bucket, part] : buckets) {
            take_files(contents_.origins.files, part);
            put(PartKind::Origins, bucket_key(bucket), bytes_of(part));
        }
    }

    Parts& parts_;
    const Contents& contents_;
    const Touched* touched_;
    std::map<std::string, bool> seen_; ///< names, and whether they were there before
    Change out_;
};

Parts::Change Parts::write_all(const Contents& contents) {
    return Update(*this, contents, nullptr).run();
}

Parts::Change Parts::update(const Contents& contents, const Touched& touched) {
    return Update(*this, contents, &touched).run();
}

std::string Parts::manifest() const {
    Manifest out;
    out.compiler = compiler_;
    out.bits = bits_;
    for (const auto& [key, entry] : entries_)
        out.parts.push_back(entry);
    return print(out);
}

Written write(const Contents& contents, std::string compiler) {
    Parts parts(std::move(compiler));
    Parts::Change all = parts.write_all(contents);
    return {parts.manifest(), std::move(all.come)};
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
