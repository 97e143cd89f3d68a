/// Tables that differ in one endpoint's addresses: words that may be written while packets are
/// judged by the tables.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "artefact/bpf/image.h"

namespace polecat::bpf {

struct InPlace {
    std::vector<WordChange> words; ///< in this order; each of them leaves what may be met
    /// Addresses that come or go.
    std::vector<net::Address> moved;
    /// An address that stays is another one to policy.
    bool judges_anew = false;
};

/// nullopt: more differs than what a packet may meet half of. Both are of one version.
std::optional<InPlace> in_place(const std::vector<std::uint32_t>& from,
                                const std::vector<std::uint32_t>& to);

} // namespace polecat::bpf
