/// Bundles as files: a manifest, and parts by their digests. Writing says which files there are;
/// reading takes what is asked for and refuses what is not as the manifest lists it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "artefact/bundle/manifest.h"
#include "artefact/bundle/records.h"
#include "support/result.h"

namespace polecat::bundle {

struct Written {
    std::string manifest;
    std::map<std::string, std::string> parts; ///< bytes by name
};
Written write(const Contents& contents, std::string compiler);

/// What is not as it was when the parts were last written.
struct Touched {
    bool ranges = false;
    std::set<net::Address> addresses;
    std::set<std::uint32_t> predicates;
    std::set<ContentId> programs, slots; ///< of slots: what they are, or where they stand
    std::set<std::string> nodes, spaces; ///< namespaces: their templates
};

/// The parts of contents that change: what an update gives is what write() would give of all.
class Parts {
  public:
    explicit Parts(std::string compiler) : compiler_(std::move(compiler)) {}
    struct Change {
        std::map<std::string, std::string> come; ///< bytes by name
        std::set<std::string> gone;              ///< names
    };
    Change write_all(const Contents& contents);
    Change update(const Contents& contents, const Touched& touched);
    std::string manifest() const;
    std::size_t size() const { return uses_.size(); }

  private:
    class Update;
    std::string compiler_;
    std::array<std::uint8_t, kPartKinds> bits_{};
    std::map<std::pair<PartKind, std::string>, PartEntry> entries_;
    std::map<std::string, std::size_t> uses_; ///< entries by name: two parts may be equal
};

/// The name of slots, from what they say and of which direction: the rules of a policy may say the
/// same in both, and stand in two places.
ContentId id_of(const SlotsRecord& slots, decision::Direction direction);

/// What a record is in a part: equal bytes, equal records.
std::string to_bytes(const NodeRecord& record);
std::string to_bytes(const ProgramRecord& record);
std::string to_bytes(const PredicateRecord& record);
std::string to_bytes(const SettingsRecord& record);
std::string to_bytes(const RangesRecord& record);
std::string to_bytes(const Origins& record);

/// Everything throws Refused.
class Bundle {
  public:
    /// The bytes of a part, by its name; an error: there is none. `size`: what the manifest lists;
    /// one that has more may be refused unread.
    using ReadPart =
        std::function<Result<std::string>(const std::string& name, std::uint64_t size)>;

    Bundle(std::string_view manifest, ReadPart read);
    const Manifest& manifest() const { return manifest_; }
    std::vector<std::string> nodes() const;

    SettingsRecord settings() const;
    RangesRecord ranges() const;
    AddressNumbers addresses() const;
    NodeRecord node(const std::string& name) const; ///< empty where there is none of the name
    /// Those of the numbers or ids, which must be there.
    PredicateRecords predicates(const std::set<std::uint32_t>& wanted) const;
    std::map<ContentId, ProgramRecord> programs(const std::set<ContentId>& wanted) const;
    std::map<ContentId, SlotsRecord> slots(const std::set<ContentId>& wanted) const;
    /// Of these slots and of the endpoints of these nodes; none where the bundle has no origins.
    Origins origins(const std::set<ContentId>& slots, const std::set<std::string>& nodes) const;
    /// Of a namespace.
    std::vector<TemplateRecord> templates(const std::string& space) const;
    /// All there is, every part checked.
    Contents all() const;

  private:
    std::string bytes_of(const PartEntry& entry) const;
    template <class Act> void with_bytes(const PartEntry& entry, const Act& act) const;
    template <class Act> void in_part(const PartEntry& entry, const Act& act) const;
    template <class Act> void in_part(PartKind kind, const std::string& key, const Act& act) const;
    template <class Act> void in_all(PartKind kind, const Act& act) const;
    template <class Name> void check_place(const PartEntry& entry, const Name& name) const;
    template <class Key, class Record>
    std::map<Key, Record> records(PartKind kind, const std::set<Key>& wanted) const;
    template <class Key, class Record> std::map<Key, Record> records(PartKind kind) const;
    void check_references(const Contents& contents) const;

    Manifest manifest_;
    ReadPart read_;
};

} // namespace polecat::bundle
