#include "driver/load/numbers.h"

#include <charconv>
#include <optional>
#include <string>

#include "runtime/nft.h"
#include "runtime/process.h"

namespace polecat::driver {

namespace {

constexpr const char* kPolicyTable = "polecat";
constexpr const char* kFlowMark = "ct mark ";
/// Of flow marks of iptables, and of nftables where both go by the same numbers: one more is
/// either's own.
constexpr std::uint32_t kOwnBits = 0xdfff0000, kBesideBits = 0x7fff0000;
constexpr std::uint32_t kNumber = 0xfff;

void add_number(const iptables::FlowMark& mark, FlowNumbers& to) {
    if (mark.generation)
        to.insert(*mark.generation);
}

/// The hexadecimal constant behind the first `word`.
std::optional<std::uint32_t> constant_behind(std::string_view line, std::string_view word) {
    const std::size_t at = line.find(word);
    if (at == std::string_view::npos)
        return std::nullopt;
    line.remove_prefix(at + word.size());
    if (!line.starts_with("0x"))
        return std::nullopt;
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(line.data() + 2, line.data() + line.size(), value, 16);
    return error == std::errc() ? std::optional(value) : std::nullopt;
}

/// Bits that are asked or set, and what they are; of another form: all bits, which says that it was
/// not understood.
struct MarkedBits {
    std::uint32_t mask = ~0U, value = 0;
};
MarkedBits marked_bits(std::string_view line) {
    const auto bits = constant_behind(line, "& ");
    if (line.find("ct mark set ") != std::string_view::npos) {
        const auto value = constant_behind(line, "| ");
        const std::uint32_t kept = bits ? *bits : value ? ~*value : 0;
        return {~kept | value.value_or(0), value.value_or(0)};
    }
    auto value = constant_behind(line, "== ");
    if (!value)
        value = constant_behind(line, "!= ");
    return bits && value ? MarkedBits{*bits, *value} : MarkedBits{};
}

} // namespace

FlowNumbers numbers_in(const iptables::Table& table) {
    FlowNumbers out;
    for (const iptables::Chain& chain : table.chains)
        for (const iptables::Rule& rule : chain.rules) {
            add_number(rule.target.mark, out);
            for (const iptables::Match& match : rule.matches)
                if (const auto* mark = std::get_if<iptables::FlowMarkIs>(&match))
                    add_number(mark->mark, out);
        }
    return out;
}

Result<FlowNumbers> numbers_in_nft(std::string_view listing) {
    FlowNumbers out;
    while (!listing.empty()) {
        const std::string_view line = listing.substr(0, listing.find('\n'));
        listing.remove_prefix(std::min(listing.size(), line.size() + 1));
        if (line.find(kFlowMark) == std::string_view::npos)
            continue;
        const MarkedBits bits = marked_bits(line);
        if ((bits.mask & kOwnBits) == 0)
            continue;
        if ((bits.mask & ~kBesideBits) != 0)
            return Error{"table inet polecat has a rule of flow marks that can't stand beside "
                         "those of iptables:" +
                         std::string(line)};
        if (const auto number = static_cast<std::uint16_t>(bits.value >> 16 & kNumber); number != 0)
            out.insert(number);
    }
    return out;
}

Result<FlowNumbers> numbers_of_nftables() {
    if (!runtime::is_installed("nft"))
        return FlowNumbers{};
    const auto there = runtime::nft_has_table(kPolicyTable);
    if (!there)
        return Error{there.error()};
    if (!*there)
        return FlowNumbers{};
    const auto listed = runtime::nft_list(kPolicyTable);
    return listed ? numbers_in_nft(*listed) : Result<FlowNumbers>(Error{listed.error()});
}

Result<FlowNumbers> numbers_of_iptables(runtime::Iptables variant) {
    FlowNumbers out;
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        if (!runtime::is_installed(runtime::iptables_program(variant, family, "save")))
            continue;
        const auto listed = runtime::iptables_save(variant, family);
        if (!listed)
            return Error{listed.error()};
        if (listed->empty()) // nobody has made a table yet
            continue;
        const auto table = iptables::parse_table(*listed);
        if (!table)
            return Error{"what " + runtime::iptables_program(variant, family, "save") +
                         " lists: " + table.error()};
        out.merge(numbers_in(*table));
    }
    return out;
}

} // namespace polecat::driver
