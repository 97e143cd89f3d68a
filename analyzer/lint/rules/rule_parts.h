/// What ends of rules say, as sets. For analyzer/lint only.
#pragma once

#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "ir/policy/rule.h"

namespace polecat::lint {

net::PortSet numbers_of(const std::vector<policy::Port>& ports); ///< names are left out
bool all_numbers(const std::vector<policy::Port>& ports);
net::AddressSet set_of(const std::vector<At<net::Cidr>>& nets);
/// Says nothing of who is there, or that any address will do.
bool is_anybody(policy::EntityRule end);

} // namespace polecat::lint
