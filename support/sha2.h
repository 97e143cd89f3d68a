/// SHA-224 and SHA-256 (FIPS 180-4) and base64url (RFC 4648, without padding): Calico's set names,
/// what a report may run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace polecat {

std::array<std::uint8_t, 28> sha224(std::string_view data);
std::array<std::uint8_t, 32> sha256(std::string_view data);
std::string base64url(const std::uint8_t* data, std::size_t size);

} // namespace polecat
