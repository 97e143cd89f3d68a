/// Address ranges that are not of the public internet.
#pragma once

#include "ir/net/address.h"

namespace polecat::net {

/// Addresses that nobody on the internet sends answers to: private, of carriers, unique local.
const AddressSet& private_addresses();
/// What is of no use as a destination in the internet: those, link-local, loopback,
/// documentation, multicast and the like.
const AddressSet& special_addresses();
/// Those by which the ends of a cluster's own network go: private and link-local ones, loopback.
const AddressSet& local_addresses();

} // namespace polecat::net
