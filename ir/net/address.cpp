#include "ir/net/address.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace polecat::net {

namespace {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const std::size_t end = part < 3 ? text.find('.') : text.size();
        if (end == std::string_view::npos || end == 0 || end > 3 || (end > 1 && text[0] == '0'))
            return std::nullopt;
        std::uint32_t octet = 0;
        const auto [rest, error] = std::from_chars(text.data(), text.data() + end, octet);
        if (error != std::errc{} || rest != text.data() + end || octet > 255)
            return std::nullopt;
        value = value << 8 | octet;
        text.remove_prefix(part < 3 ? end + 1 : end);
    }
    return value;
}

/// The 16-bit groups of one side of "::"; an IPv4 tail gives two groups.
bool parse_groups(std::string_view text, std::vector<std::uint16_t>& groups) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(':'), text.size());
        const std::string_view part = text.substr(0, end);
        if (part.find('.') != std::string_view::npos) {
            const auto tail = parse_ipv4(part);
            if (!tail || end != text.size())
                return false;
            groups.push_back(static_cast<std::uint16_t>(*tail >> 16));
            groups.push_back(static_cast<std::uint16_t>(*tail & 0xffff));
            return true;
        }
        std::uint16_t group = 0;
        const auto [rest, error] =
            std::from_chars(part.data(), part.data() + part.size(), group, 16);
        if (part.empty() || part.size() > 4 || error != std::errc{} ||
            rest != part.data() + part.size())
            return false;
        groups.push_back(group);
        if (end == text.size())
            return true;
        text.remove_prefix(end + 1);
        if (text.empty())
            return false; // a single trailing colon
    }
    return true;
}

std::optional<Address> parse_ipv6(std::string_view text) {
    std::vector<std::uint16_t> head, tail;
    const std::size_t gap = text.find("::");
    if (!parse_groups(text.substr(0, gap), head))
        return std::nullopt;
    if (gap != std::string_view::npos && !parse_groups(text.substr(gap + 2), tail))
        return std::nullopt;
    const std::size_t given = head.size() + tail.size();
    if (gap == std::string_view::npos ? given != 8 : given > 7)
        return std::nullopt;
    // The dotted part stands last only.
    if (gap != std::string_view::npos && text.substr(0, gap).find('.') != std::string_view::npos)
        return std::nullopt;
    std::array<std::uint16_t, 8> all{};
    std::copy(head.begin(), head.end(), all.begin());
    std::copy(tail.begin(), tail.end(), all.end() - static_cast<std::ptrdiff_t>(tail.size()));
    Address out{Family::V6, 0, 0};
    for (std::size_t i = 0; i < 4; ++i) {
        out.high = out.high << 16 | all[i];
        out.low = out.low << 16 | all[i + 4];
    }
    if (out.high == 0 && out.low >> 32 == 0xffff)
        return Address{Family::V4, 0, out.low & 0xffffffff};
    return out;
}

std::string hex(std::uint16_t value) {
    std::array<char, 8> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16).ptr;
    return {buffer.data(), end};
}

std::string to_string_v6(const Address& address) {
    std::array<std::uint16_t, 8> groups{};
    for (unsigned i = 0; i < 4; ++i) {
        groups[i] = static_cast<std::uint16_t>(address.high >> (48 - 16 * i));
        groups[i + 4] = static_cast<std::uint16_t>(address.low >> (48 - 16 * i));
    }
    // RFC 5952: the first longest run of two or more zero groups becomes "::".
    std::size_t best = 8, best_length = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t length = 0;
        while (i + length < 8 && groups[i + length] == 0)
            ++length;
        if (length > best_length) {
            best = i;
            best_length = length;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == best) {
            out += "::";
            i += best_length - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':')
            out += ':';
        out += hex(groups[i]);
    }
    return out;
}

struct Mask {
    std::uint64_t high, low;
};

/// The bits of a prefix, laid on the address's representation.
Mask mask_of(Family family, unsigned prefix) {
    if (family == Family::V4)
        return {0, prefix == 0 ? 0 : (~std::uint64_t{0} << (32 - prefix)) & 0xffffffff};
    const auto bits = [](unsigned n) { return n == 0 ? 0 : ~std::uint64_t{0} << (64 - n); };
    return {bits(std::min(prefix, 64U)), prefix > 64 ? bits(prefix - 64) : 0};
}

/// Sorts and joins overlapping and adjacent ranges.
std::vector<Range> normalize(std::vector<Range> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<Range> out;
    for (const Range& range : ranges) {
        if (!out.empty() && out.back().last.family == range.first.family) {
            const auto after = next(out.back().last);
            if (!after || range.first <= *after) {
                out.back().last = std::max(out.back().last, range.last);
                continue;
            }
        }
        out.push_back(range);
    }
    return out;
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos)
        return parse_ipv6(text);
    if (const auto value = parse_ipv4(text))
        return Address{Family::V4, 0, *value};
    return std::nullopt;
}

std::string_view to_string(Family family) {
    return family == Family::V4 ? "IPv4" : "IPv6";
}

std::string to_string(const Address& address) {
    if (address.family == Family::V6)
        return to_string_v6(address);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += std::to_string(address.low >> shift & 255) + (shift > 0 ? "." : "");
    return out;
}

unsigned width(Family family) {
    return family == Family::V4 ? 32 : 128;
}

Address first_address(Family family) {
    return {family, 0, 0};
}

Address last_address(Family family) {
    if (family == Family::V4)
        return {family, 0, 0xffffffff};
    return {family, ~std::uint64_t{0}, ~std::uint64_t{0}};
}

std::optional<Address> next(const Address& address) {
    if (address == last_address(address.family))
        return std::nullopt;
    Address out = address;
    if (++out.low == 0)
        ++out.high;
    return out;
}

std::optional<Address> previous(const Address& address) {
    if (address == first_address(address.family))
        return std::nullopt;
    Address out = address;
    if (out.low-- == 0)
        --out.high;
    return out;
}

Address Cidr::last() const {
    const Mask mask = mask_of(base.family, prefix);
    const Address all = last_address(base.family);
    return {base.family, base.high | (all.high & ~mask.high), base.low | (all.low & ~mask.low)};
}

Cidr block_of(const Address& address, std::uint8_t prefix) {
    const Mask mask = mask_of(address.family, prefix);
    return {{address.family, address.high & mask.high, address.low & mask.low}, prefix};
}

bool Cidr::contains(const Address& address) const {
    return address.family == base.family && base <= address && address <= last();
}

std::optional<Cidr> parse_cidr(std::string_view text, CidrForm form) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos && form != CidrForm::OrAddress)
        return std::nullopt;
    const auto address = parse_address(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    unsigned prefix = width(address->family);
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [rest, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
        if (digits.empty() || error != std::errc{} || rest != digits.data() + digits.size() ||
            prefix > width(address->family))
            return std::nullopt;
    }
    const Mask mask = mask_of(address->family, prefix);
    const Address base{address->family, address->high & mask.high, address->low & mask.low};
    if (form == CidrForm::Strict && base != *address)
        return std::nullopt;
    return Cidr{base, static_cast<std::uint8_t>(prefix)};
}

std::string to_string(const Cidr& cidr) {
    return to_string(cidr.base) + "/" + std::to_string(cidr.prefix);
}

AddressSet AddressSet::of(const Cidr& cidr) {
    return of(Range{cidr.first(), cidr.last()});
}

AddressSet AddressSet::of(Range range) {
    AddressSet out;
    out.ranges_.push_back(range);
    return out;
}

AddressSet AddressSet::of(std::vector<Range> ranges) {
    AddressSet out;
    out.ranges_ = normalize(std::move(ranges));
    return out;
}

AddressSet AddressSet::of(const std::vector<Cidr>& cidrs) {
    AddressSet out;
    for (const Cidr& cidr : cidrs)
        out.ranges_.push_back({cidr.first(), cidr.last()});
    out.ranges_ = normalize(std::move(out.ranges_));
    return out;
}

AddressSet AddressSet::all(Family family) {
    return of(Range{first_address(family), last_address(family)});
}

bool AddressSet::contains(const Address& address) const {
    const auto after = std::upper_bound(
        ranges_.begin(), ranges_.end(), address,
        [](const Address& value, const Range& range) { return value < range.first; });
    return after != ranges_.begin() && address <= std::prev(after)->last;
}

bool AddressSet::contains(const AddressSet& other) const {
    return (other - *this).empty();
}

bool AddressSet::intersects(const AddressSet& other) const {
    return !(*this & other).empty();
}

AddressSet AddressSet::operator|(const AddressSet& other) const {
    AddressSet out;
    out.ranges_ = ranges_;
    out.ranges_.insert(out.ranges_.end(), other.ranges_.begin(), other.ranges_.end());
    out.ranges_ = normalize(std::move(out.ranges_));
    return out;
}

AddressSet AddressSet::operator&(const AddressSet& other) const {
    AddressSet out;
    auto a = ranges_.begin();
    auto b = other.ranges_.begin();
    while (a != ranges_.end() && b != other.ranges_.end()) {
        const Address first = std::max(a->first, b->first);
        const Address last = std::min(a->last, b->last);
        if (first <= last)
            out.ranges_.push_back({first, last});
        (a->last < b->last ? a : b)++;
    }
    return out;
}

AddressSet AddressSet::operator-(const AddressSet& other) const {
    AddressSet out;
    auto cut = other.ranges_.begin();
    for (const Range& range : ranges_) {
        Address from = range.first;
        bool rest = true;
        while (cut != other.ranges_.end() && cut->last < from)
            ++cut;
        for (auto each = cut; each != other.ranges_.end() && each->first <= range.last; ++each) {
            if (from < each->first)
                out.ranges_.push_back({from, *previous(each->first)});
            const auto after = next(each->last);
            rest = after && after->family == range.last.family && *after <= range.last;
            if (!rest)
                break;
            from = *after;
        }
        if (rest)
            out.ranges_.push_back({from, range.last});
    }
    return out;
}

AddressSet AddressSet::of_family(Family family) const {
    return *this & all(family);
}

std::vector<Cidr> AddressSet::cidrs() const {
    std::vector<Cidr> out;
    for (const Range& range : ranges_) {
        std::optional<Address> from = range.first;
        while (from && *from <= range.last) {
            Cidr best{*from, static_cast<std::uint8_t>(width(from->family))};
            while (best.prefix > 0) {
                const auto shorter = static_cast<std::uint8_t>(best.prefix - 1);
                const Mask mask = mask_of(from->family, shorter);
                const Cidr wider{*from, shorter};
                if ((from->high & ~mask.high) != 0 ||
                    (from->low & ~mask.low & last_address(from->family).low) != 0 ||
                    wider.last() > range.last)
                    break;
                best = wider;
            }
            out.push_back(best);
            from = next(best.last());
        }
    }
    return out;
}

} // namespace polecat::net
