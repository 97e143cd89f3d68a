/// IP addresses, CIDR ranges and sets of addresses, both families.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::net {

enum class Family : std::uint8_t { V4 = 4, V6 = 6 };
std::string_view to_string(Family family); ///< "IPv4", "IPv6"

/// An address in host order: IPv4 in the low 32 bits of `low`.
struct Address {
    Family family = Family::V4;
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const Address&) const = default;
};

/// Strict: dotted quad without leading zeros (Go net.ParseIP), RFC 4291 text for IPv6; an
/// IPv4-mapped IPv6 address (::ffff:1.2.3.4) is the IPv4 address, as in Go.
std::optional<Address> parse_address(std::string_view text);
/// Canonical text (RFC 5952 for IPv6).
std::string to_string(const Address& address);
/// 32 or 128.
unsigned width(Family family);
Address first_address(Family family);
Address last_address(Family family);
/// The neighbour, if there is one in the family.
std::optional<Address> next(const Address& address);
std::optional<Address> previous(const Address& address);

/// A CIDR range; bits beyond the prefix are zero.
struct Cidr {
    Address base;
    std::uint8_t prefix = 0;

    Family family() const { return base.family; }
    Address first() const { return base; }
    Address last() const;
    bool contains(const Address& address) const;
    auto operator<=>(const Cidr&) const = default;
};

/// The block of that size around an address: bits beyond the prefix are cleared.
Cidr block_of(const Address& address, std::uint8_t prefix);

enum class CidrForm : std::uint8_t {
    Strict,    ///< "a/n" with no bit set beyond the prefix
    Masked,    ///< "a/n"; bits beyond the prefix are cleared (Go net.ParseCIDR)
    OrAddress, ///< as Masked, and a bare address is a /32 or /128
};
std::optional<Cidr> parse_cidr(std::string_view text, CidrForm form);
std::string to_string(const Cidr& cidr);

/// A closed range of addresses of one family.
struct Range {
    Address first;
    Address last;
    auto operator<=>(const Range&) const = default;
};

/// A set of addresses: sorted, disjoint, non-adjacent ranges, so equal sets compare equal.
class AddressSet {
  public:
    AddressSet() = default;
    static AddressSet of(const Cidr& cidr);
    static AddressSet of(Range range);
    static AddressSet of(const std::vector<Cidr>& cidrs);
    static AddressSet of(std::vector<Range> ranges);
    static AddressSet all(Family family);

    bool empty() const { return ranges_.empty(); }
    bool contains(const Address& address) const;
    bool contains(const AddressSet& other) const;
    bool intersects(const AddressSet& other) const;
    AddressSet operator|(const AddressSet& other) const;
    AddressSet operator&(const AddressSet& other) const;
    AddressSet operator-(const AddressSet& other) const;
    /// Only the addresses of one family.
    AddressSet of_family(Family family) const;
    const std::vector<Range>& ranges() const { return ranges_; }
    /// The fewest CIDRs with this union, in address order.
    std::vector<Cidr> cidrs() const;
    auto operator<=>(const AddressSet&) const = default;

  private:
    std::vector<Range> ranges_;
};

} // namespace polecat::net
