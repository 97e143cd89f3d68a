/// The list of a bundle's parts with their digests: the one file that changes with any of them, and
/// that a signature is of.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/bundle/records.h"

namespace polecat::bundle {

/// Counts up where a reader of before could not read, or would misunderstand, what is written now.
/// Readers take every version up to theirs (docs/bundles.md has the promise).
inline constexpr std::uint64_t kVersion = 1;

enum class PartKind : std::uint8_t {
    Settings,
    Ranges,
    Addresses,
    Predicates,
    Programs,
    Slots,
    Node,
    Templates,
    Origins,
};
inline constexpr std::size_t kPartKinds = 9;
std::string_view to_string(PartKind kind);

using Digest = std::array<std::uint8_t, 32>;
std::string hex(const std::uint8_t* data, std::size_t size);
inline std::string hex(const auto& bytes) {
    return hex(bytes.data(), bytes.size());
}
ContentId content_id(std::string_view text);

struct PartEntry {
    PartKind kind = PartKind::Settings;
    std::string key; ///< of Node: its name; otherwise the bucket in hexadecimal
    Digest digest{};
    std::uint64_t size = 0;
    auto operator<=>(const PartEntry&) const = default;
    std::string name() const { return hex(digest); } ///< of its file
};

/// Records of a kind are spread over 2^bits parts, by their names, so that a change of one writes
/// little and a reader of one reads little. 0 bits: one part.
struct Manifest {
    std::uint64_t version = kVersion;
    std::string compiler;
    std::array<std::uint8_t, kPartKinds> bits{};
    std::vector<PartEntry> parts; ///< sorted

    const PartEntry* find(PartKind kind, std::string_view key) const;
    /// A digest of all parts but Origins: what nodes enforce.
    Digest meaning() const;
};

std::string print(const Manifest& manifest);

/// Why a bundle is refused: none of it may be used.
struct Refused {
    enum class Fault : std::uint8_t {
        Unreadable,   ///< it is no bundle, or not well formed
        Truncated,    ///< something of it is missing
        Altered,      ///< a part is not what the manifest lists
        LaterVersion, ///< of a polecat to come
        Signature,    ///< there is none, or it is of another key or manifest
        Key,          ///< what the caller would have it signed with is no key
    };
    Fault fault = Fault::Unreadable;
    std::string why;
    std::string file = {}; ///< of Key: where that is
};

/// Throws Refused.
Manifest parse_manifest(std::string_view bytes);

// Which part a record is in.
std::uint32_t bucket_of(const ContentId& id, unsigned bits);
std::uint32_t bucket_of(const net::Address& address, unsigned bits);
std::uint32_t bucket_of(std::string_view name, unsigned bits);
std::uint32_t bucket_of(std::uint32_t predicate, unsigned bits);
std::string bucket_key(std::uint32_t bucket);

} // namespace polecat::bundle
