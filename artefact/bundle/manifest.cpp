#include "artefact/bundle/manifest.h"

#include <algorithm>
#include <cctype>

#include "artefact/bundle/codec.h"
#include "support/sha2.h"

namespace polecat::bundle {

namespace {

constexpr std::string_view kMagic = "polecat bundle";
constexpr unsigned kMostBits = 16;
/// Of a part: that of a million addresses has 30 MB.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

} // namespace

std::string_view to_string(PartKind kind) {
    static constexpr std::string_view kNames[kPartKinds] = {"settings",   "ranges",    "addresses",
                                                            "predicates", "programs",  "slots",
                                                            "node",       "templates", "origins"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string hex(const std::uint8_t* data, std::size_t size) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        out += kDigits[data[i] >> 4];
        out += kDigits[data[i] & 15];
    }
    return out;
}

ContentId content_id(std::string_view text) {
    const Digest digest = sha256(text);
    ContentId out{};
    std::copy_n(digest.begin(), out.size(), out.begin());
    return out;
}

const PartEntry* Manifest::find(PartKind kind, std::string_view key) const {
    const auto place =
        std::lower_bound(parts.begin(), parts.end(), std::pair(kind, key),
                         [](const PartEntry& each, const auto& to) {
                             return std::pair(each.kind, std::string_view(each.key)) < to;
                         });
    return place != parts.end() && place->kind == kind && place->key == key ? &*place : nullptr;
}

Digest Manifest::meaning() const {
    std::string all;
    for (const PartEntry& each : parts)
        if (each.kind != PartKind::Origins)
            all += std::string(to_string(each.kind)) + " " + each.key + " " + each.name() + "\n";
    return sha256(all);
}

std::string print(const Manifest& manifest) {
    Encoder out;
    out.out().array(5);
    out.put(std::string(kMagic));
    out.put(manifest.version);
    out.put(manifest.compiler);
    out.put(std::vector<std::uint8_t>(manifest.bits.begin(), manifest.bits.end()));
    out.out().array(manifest.parts.size());
    for (const PartEntry& each : manifest.parts) {
        out.out().array(4);
        out.put(static_cast<std::uint8_t>(each.kind));
        out.put(each.key);
        out.out().bytes({reinterpret_cast<const char*>(each.digest.data()), each.digest.size()});
        out.put(each.size);
    }
    return out.take();
}

namespace {

/// Names of nodes become names of folders; nothing else may stand in a line of meaning().
bool is_key_of(PartKind kind, const std::string& key) {
    if (kind == PartKind::Settings || kind == PartKind::Ranges)
        return key.empty();
    if (kind != PartKind::Node)
        return key.size() == 8 && key.find_first_not_of("0123456789abcdef") == std::string::npos;
    return !key.empty() && !key.starts_with('.') &&
           std::all_of(key.begin(), key.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '.' || c == '-';
           });
}

PartEntry read_entry(Decoder& in) {
    PartEntry out;
    if (in.in().array() != 4)
        in.in().fail("a part");
    out.kind = static_cast<PartKind>(in.in().number(kPartKinds - 1));
    in.get(out.key);
    if (!is_key_of(out.kind, out.key))
        in.in().fail("a part's name");
    const std::string_view digest = in.in().bytes();
    if (digest.size() != out.digest.size())
        in.in().fail("a digest of 32 bytes");
    std::copy(digest.begin(), digest.end(), out.digest.begin());
    out.size = in.in().number(kMostBytes);
    return out;
}

Manifest read_manifest(std::string_view bytes) {
    Decoder in(bytes);
    Manifest out;
    std::string magic;
    // A later version may have more fields.
    if (in.in().array() < 2)
        in.in().fail("a manifest");
    in.get(magic);
    if (magic != kMagic)
        in.in().fail("`" + std::string(kMagic) + "`");
    in.get(out.version);
    if (out.version > kVersion)
        throw Refused{Refused::Fault::LaterVersion,
                      "it has version " + std::to_string(out.version) +
                          ", and this polecat reads up to " + std::to_string(kVersion)};
    in.get(out.compiler);
    if (in.in().array() != kPartKinds)
        in.in().fail("how parts are spread");
    for (std::uint8_t& bits : out.bits)
        bits = static_cast<std::uint8_t>(in.in().number(kMostBits));
    for (std::size_t left = in.in().array(); left > 0; --left) {
        PartEntry entry = read_entry(in);
        if (!out.parts.empty() && std::pair(out.parts.back().kind, out.parts.back().key) >=
                                      std::pair(entry.kind, entry.key))
            in.in().fail("parts in order");
        out.parts.push_back(std::move(entry));
    }
    in.finish();
    if (print(out) != bytes)
        in.in().fail("five fields");
    return out;
}

} // namespace

Manifest parse_manifest(std::string_view bytes) {
    try {
        return read_manifest(bytes);
    } catch (const cbor::Failure& failure) {
        throw Refused{Refused::Fault::Unreadable, "its manifest is not one: " + failure.message};
    }
}

std::uint32_t bucket_of(const ContentId& id, unsigned bits) {
    const std::uint32_t first = static_cast<std::uint32_t>(id[0]) << 8 | id[1];
    return first >> (16 - bits);
}

std::uint32_t bucket_of(const net::Address& address, unsigned bits) {
    const std::uint64_t mixed = (address.high ^ address.low) * 0x9E3779B97F4A7C15u;
    return bits == 0 ? 0 : static_cast<std::uint32_t>(mixed >> (64 - bits));
}

std::uint32_t bucket_of(std::string_view name, unsigned bits) {
    return bucket_of(content_id(name), bits);
}

/// Numbers that lie beside each other are of one namespace, which a node reads together.
std::uint32_t bucket_of(std::uint32_t predicate, unsigned bits) {
    return bits == 0 ? 0 : predicate >> 3;
}

std::string bucket_key(std::uint32_t bucket) {
    const std::uint8_t bytes[] = {
        static_cast<std::uint8_t>(bucket >> 24), static_cast<std::uint8_t>(bucket >> 16),
        static_cast<std::uint8_t>(bucket >> 8), static_cast<std::uint8_t>(bucket)};
    return hex(bytes, sizeof bytes);
}

} // namespace polecat::bundle
