/// AS numbers of BGP, and which of them mean something special (IANA, RFC 5398, 6996, 7300, 7607).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace polecat::net {

using AsNumber = std::uint32_t;

/// "64512", or dotted "1.10".
std::optional<AsNumber> parse_as_number(std::string_view text);
/// 64512 to 65534 and 4200000000 to 4294967294.
bool is_private(AsNumber number);
/// Why no router may have it ("reserved for documentation"); empty: it may.
std::string_view reserved_for(AsNumber number);

} // namespace polecat::net
