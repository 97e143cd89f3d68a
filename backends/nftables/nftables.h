/// The nftables backend: a node's image to a ruleset and back (docs/nftables.md). The same policy
/// is the same ruleset: the number of a generation comes into it when it is loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "artefact/nft/ruleset.h"
#include "backends/nftables/generation.h"
#include "backends/node/node_image.h"
#include "support/result.h"

namespace polecat::backends {

/// Which of its two names a map has whose elements can't be changed in place: one is filled while
/// the other is in use.
struct Slots {
    std::set<std::string> second; ///< of "addr4", "net6", "pod4", ...
    std::string name(const std::string& map) const {
        return map + (second.contains(map) ? "_b" : "_a");
    }
    void flip(const std::string& map) {
        if (!second.insert(map).second)
            second.erase(map);
    }
};

nft::Ruleset emit(const NodeImage& image, const Slots& slots = {});

/// Bits of the conntrack mark that rules write, and nobody else may.
std::uint32_t flow_mark_bits(const NodeImage& image);

/// The names that a ruleset has.
Slots slots_of(const nft::Ruleset& ruleset);

/// Recovers the image from a ruleset, ours or the kernel's listing. A ruleset that is not exactly
/// of emit()'s form is an error: nothing may stand in it that this reader does not understand.
Result<NodeImage> read_back(const nft::Ruleset& ruleset);

/// What a node loads.
struct CompiledRules {
    nft::Ruleset rules;
    std::string text; ///< of `rules`, to replace what is there
};
/// emit(), and nothing but what reads back as `image`: an error is a fault of ours.
Result<CompiledRules> compile(const NodeImage& image);

/// The number that a loaded ruleset was given; nullopt: that of a bundle, which has none yet.
std::optional<Generation> generation_of(const nft::Ruleset& ruleset);

} // namespace polecat::backends
