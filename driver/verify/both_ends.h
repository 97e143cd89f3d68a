/// The addresses of two images: which identity of the one and of the other belong together.
#pragma once

#include <map>
#include <optional>

#include "backends/node/node_image.h"

namespace polecat::driver {

/// nullopt: the image says nothing of the address, and drops its packets.
using KnownIdentity = std::optional<std::uint32_t>;

KnownIdentity identity_of(const backends::NodeImage& image, const net::Address& address);

struct BothIdentities {
    KnownIdentity rules, policy;
    auto operator<=>(const BothIdentities&) const = default;
};

/// Every pair that an address of the range has, with one such address: an endpoint's where there is
/// one.
std::map<BothIdentities, net::Address> both_identities(const backends::NodeImage& rules,
                                                       const backends::NodeImage& policy,
                                                       const net::Range& range);

} // namespace polecat::driver
