// What is not whole, not as it was, not of this version or not of this key is refused as a whole.
#include <doctest/doctest.h>

#include "artefact/bundle/sign.h"
#include "support/sha2.h"
#include "tests/bundle/packed.h"

using namespace polecat;
using Fault = bundle::Refused::Fault;

namespace {

bundle::Written sample() {
    const auto cluster = testing::loaded(testing::random_text(2, true));
    return bundle::write(testing::packed(*cluster), "test");
}

template <class Act> std::optional<Fault> fault_of(const Act& act) {
    try {
        act();
    } catch (const bundle::Refused& refused) {
        CHECK(!refused.why.empty());
        return refused.fault;
    }
    return std::nullopt;
}

std::optional<Fault> fault_of_bundle(const bundle::Written& written) {
    return fault_of([&] { testing::opened(written).all(); });
}

} // namespace

TEST_CASE("a manifest that is cut short or changed is refused") {
    const bundle::Written whole = sample();
    CHECK(fault_of_bundle(whole) == std::nullopt);
    for (std::size_t size = 0; size < whole.manifest.size(); ++size) {
        bundle::Written cut{whole.manifest.substr(0, size), whole.parts};
        CHECK(fault_of_bundle(cut).has_value());
    }
    testing::Random random(1);
    std::size_t good = 0;
    for (int i = 0; i < 2000; ++i) {
        bundle::Written changed = whole;
        const std::size_t at = random.below(changed.manifest.size());
        changed.manifest[at] = static_cast<char>(changed.manifest[at] ^ (1 << random.below(8)));
        // The compiler's name, and a node's, may be any; a signature tells.
        good += fault_of_bundle(changed) ? 0 : 1;
    }
    CHECK(good < 400);
}

TEST_CASE("a part that is missing, cut short or changed is refused") {
    const bundle::Written whole = sample();
    testing::Random random(2);
    for (const auto& [name, bytes] : whole.parts) {
        bundle::Written changed = whole;
        changed.parts.erase(name);
        CHECK(fault_of_bundle(changed) == Fault::Truncated);
        changed.parts[name] = bytes.substr(0, random.below(bytes.size()));
        CHECK(fault_of_bundle(changed) == Fault::Truncated);
        changed.parts[name] = bytes + "x";
        CHECK(fault_of_bundle(changed) == Fault::Altered);
        for (int i = 0; i < 20; ++i) {
            changed.parts[name] = bytes;
            char& byte = changed.parts[name][random.below(bytes.size())];
            byte = static_cast<char>(byte ^ (1 << random.below(8)));
            CHECK(fault_of_bundle(changed) == Fault::Altered);
        }
    }
}

// As if the digest were right: whoever signs may have made nonsense.
TEST_CASE("a part with nonsense in it is refused, or is one with the same bytes") {
    const bundle::Written whole = sample();
    testing::Random random(3);
    std::size_t refused = 0;
    for (int i = 0; i < 4000; ++i) {
        bundle::Manifest manifest = bundle::parse_manifest(whole.manifest);
        bundle::PartEntry& entry = manifest.parts[random.below(manifest.parts.size())];
        std::string bytes = whole.parts.at(entry.name());
        for (std::size_t n = random.below(3) + 1; n > 0; --n)
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        entry.digest = sha256(bytes);
        bundle::Written changed = whole;
        changed.parts[entry.name()] = bytes;
        changed.manifest = bundle::print(manifest);
        const auto fault = fault_of([&] {
            const bundle::Bundle read = testing::opened(changed);
            const bundle::Contents contents = read.all();
            // What is a cluster is one for nodes as well, or they refuse it.
            for (const std::string& node : read.nodes())
                CHECK(fault_of([&] {
                          bundle::view_of(read, {node});
                      }).value_or(Fault::Unreadable) == Fault::Unreadable);
        });
        CHECK(fault.value_or(Fault::Unreadable) == Fault::Unreadable);
        refused += fault ? 1 : 0;
    }
    CHECK(refused > 1000);
}

TEST_CASE("a predicate with two numbers is refused, of the whole and by nodes that ask both") {
    const auto cluster = testing::loaded(testing::random_text(2, true));
    const bundle::Contents whole = testing::packed(*cluster);
    const std::uint32_t free = whole.predicates.rbegin()->first + 1;
    std::size_t refused_by_nodes = 0;
    for (const auto& [number, record] : whole.predicates) {
        bundle::Contents doubled = whole;
        doubled.predicates[free] = record;
        CHECK(fault_of_bundle(bundle::write(doubled, "")) == Fault::Unreadable);
        // One program asks the one, all others the other.
        for (auto& [id, program] : doubled.programs) {
            bool asks = false;
            bundle::replace_predicates(program.program, [&](decision::PredicateId each) {
                asks = asks || each.value == number;
                return each.value == number ? decision::PredicateId{free} : each;
            });
            if (asks)
                break;
        }
        const bundle::Written written = bundle::write(doubled, "");
        const bundle::Bundle read = testing::opened(written);
        for (const std::string& node : read.nodes()) {
            const auto fault = fault_of([&] { bundle::view_of(read, {node}); });
            CHECK(fault.value_or(Fault::Unreadable) == Fault::Unreadable);
            refused_by_nodes += fault ? 1 : 0;
        }
    }
    CHECK(refused_by_nodes > 0);
}

TEST_CASE("names of parts are what they can be, and records are where they are looked for") {
    const bundle::Written whole = sample();
    const auto renamed = [&](bundle::PartKind kind, const std::string& key) {
        bundle::Manifest manifest = bundle::parse_manifest(whole.manifest);
        for (bundle::PartEntry& each : manifest.parts)
            if (each.kind == kind)
                each.key = key;
        return bundle::Written{bundle::print(manifest), whole.parts};
    };
    using Kind = bundle::PartKind;
    CHECK(fault_of_bundle(renamed(Kind::Programs, bundle::bucket_key(0))) == std::nullopt);
    for (const Kind kind :
         {Kind::Programs, Kind::Slots, Kind::Predicates, Kind::Templates, Kind::Origins}) {
        CHECK(fault_of_bundle(renamed(kind, bundle::bucket_key(1))) == Fault::Unreadable);
        for (const char* key : {"", "0", "0000000g", "00000000\n", "node0"})
            CHECK(fault_of_bundle(renamed(kind, key)) == Fault::Unreadable);
    }
}

TEST_CASE("a later version is told as one") {
    bundle::Written written = sample();
    bundle::Manifest manifest = bundle::parse_manifest(written.manifest);
    manifest.version = bundle::kVersion + 1;
    written.manifest = bundle::print(manifest);
    CHECK(fault_of_bundle(written) == Fault::LaterVersion);
    // Whatever else it has.
    written.manifest = "\x83\x6epolecat bundle\x18\x64\xa0";
    CHECK(fault_of_bundle(written) == Fault::LaterVersion);
}

TEST_CASE("signatures hold for one manifest and one key") {
    const std::string key = bundle::new_key(), other = bundle::new_key();
    CHECK(key != other);
    const bundle::Written written = sample();
    const auto signature = bundle::sign(written.manifest, key);
    REQUIRE(signature.ok());
    const std::string open = *bundle::public_key_of(key), another = *bundle::public_key_of(other);
    const auto verified = [&](const std::string& manifest, const bundle::Signature& of,
                              const std::optional<std::string>& by) {
        return fault_of(
            [&] { bundle::verify(manifest, bundle::parse_signature(bundle::print(of)), by); });
    };
    CHECK(verified(written.manifest, *signature, open) == std::nullopt);
    CHECK(verified(written.manifest, *signature, open + "\n") == std::nullopt);
    CHECK(verified(written.manifest, *signature, std::nullopt) == std::nullopt);
    CHECK(verified(written.manifest, *signature, "") == Fault::Signature);
    CHECK(verified(written.manifest, *signature, another) == Fault::Signature);
    CHECK(verified(written.manifest, *signature, "no key") == Fault::Signature);
    CHECK(verified(written.manifest + "x", *signature, open) == Fault::Signature);
    bundle::Signature forged = *signature;
    forged.public_key = another;
    CHECK(verified(written.manifest, forged, another) == Fault::Signature);
    for (std::size_t i = 0; i < 128; ++i) {
        forged = *signature;
        forged.signature[i] = forged.signature[i] == '0' ? '1' : '0';
        CHECK(verified(written.manifest, forged, open) == Fault::Signature);
    }
    CHECK(fault_of([&] { bundle::parse_signature("ed25519 aa bb\n"); }) == Fault::Signature);
    CHECK(!bundle::sign(written.manifest, "not a key").ok());
    CHECK(!bundle::sign(written.manifest, key.substr(2)).ok());
}

TEST_CASE("Ed25519 is that of RFC 8032") {
    // Section 7.1, test 1.
    const auto signature = bundle::sign(
        "", "ed25519-private 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n");
    REQUIRE(signature.ok());
    CHECK(signature->public_key ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    CHECK(signature->signature ==
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}
