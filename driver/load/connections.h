/// Connections that this machine's conntrack keeps, asked and deleted by conntrack(8).
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "ir/net/address.h"
#include "support/result.h"

namespace polecat::driver {

/// Deletes those to and from these addresses.
Result<bool> forget(const std::vector<net::Address>& addresses);
/// Deletes those whose mark is `value` in the bits of `mask`.
Result<bool> forget_marked(std::uint32_t value, std::uint32_t mask);
Result<bool> forget_all();

Result<std::set<std::uint32_t>> marks_of_connections();

} // namespace polecat::driver
