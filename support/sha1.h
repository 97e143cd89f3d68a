/// SHA-1 (RFC 3174), only because Calico names interfaces by it; never for trust.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace polecat {

std::array<std::uint8_t, 20> sha1(std::string_view data);

} // namespace polecat
