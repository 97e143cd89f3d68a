/// Outside addresses in words: those that no endpoint has.
#pragma once

#include <cstddef>
#include <string>

#include "ir/net/address.h"

namespace polecat::driver {

/// Some of the outside addresses `whole`, by what they are or by what they are not: "outside
/// 10.0.0.0/8", "any outside address but 10.0.0.0/8"; `every`: what all of them are called. At most
/// `most` CIDRs are named. Addresses of endpoints in between are no matter, since "outside" leaves
/// them out: 10.0.0.0/8 is called so whatever pods it holds.
std::string outside_label(const net::AddressSet& nets, const net::AddressSet& whole,
                          const std::string& every = "any outside address", std::size_t most = 4);

} // namespace polecat::driver
