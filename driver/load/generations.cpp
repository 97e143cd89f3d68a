#include "driver/load/generations.h"

#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/load/connections.h"
#include "driver/load/numbers.h"
#include "runtime/nft.h"

namespace polecat::driver {

using backends::Generation;

namespace {

constexpr const char* kTable = "polecat_generations";
/// Sets of addresses, by family.
constexpr const char* kForget4 = "forget4";
constexpr const char* kForget6 = "forget6";

/// What stands in the braces of `elements`; nothing where there is no such set.
std::vector<std::string> elements_of(std::string_view listing, const std::string& set) {
    std::vector<std::string> out;
    const std::size_t begin = listing.find("\tset " + set + " {");
    if (begin == std::string_view::npos)
        return out;
    listing = listing.substr(begin, listing.find("\n\t}", begin) - begin);
    constexpr std::string_view kOpens = "elements = {";
    const std::size_t opens = listing.find(kOpens);
    if (opens == std::string_view::npos)
        return out;
    listing = listing.substr(opens + kOpens.size());
    listing = listing.substr(0, listing.find('}'));
    std::string word;
    for (const char each : std::string(listing) + ",")
        if (each == ',') {
            out.push_back(std::move(word));
            word.clear();
        } else if (each != ' ' && each != '\t' && each != '\n') {
            word += each;
        }
    return out;
}

std::optional<std::uint32_t> hexadecimal(std::string_view word) {
    std::uint32_t value = 0;
    if (!word.starts_with("0x"))
        return std::nullopt;
    word.remove_prefix(2);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
    return error == std::errc() && end == word.data() + word.size() ? std::optional(value)
                                                                    : std::nullopt;
}

constexpr std::uint32_t mask_at(unsigned lowest) {
    return std::uint32_t{Generation::kLast} << lowest;
}

/// With the numbers that neither connections nor rules have.
Result<Generations> make_table(const std::optional<Generation>& held, unsigned lowest) {
    const auto marks = marks_of_connections();
    if (!marks)
        return Error{marks.error()};
    Generations out;
    out.is_there = true;
    for (std::uint16_t number = 1; number <= Generation::kLast; ++number)
        out.free.insert(Generation{number}.bits(lowest));
    for (const std::uint32_t mark : *marks)
        out.free.erase(mark & mask_at(lowest));
    if (held)
        out.free.erase(held->bits(lowest));
    std::vector<std::string> numbers;
    for (const std::uint32_t bits : out.free)
        numbers.push_back(fmt::format("{:#010x}", bits));
    // Not as a compiled folder says it: a block of a table that "create" makes brings nft 0.9.8
    // down.
    const auto made = runtime::nft_load(fmt::format("create table inet {0}\n"
                                                    "add set inet {0} free {{ type mark; }}\n"
                                                    "add element inet {0} free {{ {1} }}\n",
                                                    kTable, fmt::join(numbers, ", ")));
    return made ? Result<Generations>(std::move(out)) : Error{made.error()};
}

Result<Generations> table_there(const std::optional<Generation>& held, unsigned lowest) {
    auto found = held_generations();
    return !found || found->is_there ? std::move(found) : make_table(held, lowest);
}

Generation next_of(const Generations& generations, const std::optional<Generation>& held,
                   unsigned lowest) {
    if (held)
        return held->next();
    for (const std::uint32_t bits : generations.free)
        if (bits != 0 && (bits & ~mask_at(lowest)) == 0)
            return {static_cast<std::uint16_t>(bits >> lowest)};
    return {};
}

/// What rules of iptables put on flows, as bits of the conntrack mark.
Result<std::set<std::uint32_t>> marks_of_iptables() {
    std::set<std::uint32_t> out;
    for (const auto variant : {runtime::Iptables::Nft, runtime::Iptables::Legacy}) {
        const auto numbers = numbers_of_iptables(variant);
        if (!numbers)
            return Error{numbers.error()};
        for (const std::uint16_t number : *numbers)
            out.insert(Generation{number}.bits());
    }
    return out;
}

std::string add_text(const char* set, net::Family family,
                     const std::vector<net::Address>& addresses) {
    std::vector<std::string> own;
    for (const net::Address& each : addresses)
        if (each.family == family)
            own.push_back(net::to_string(each));
    std::string out = fmt::format("add set inet {} {} {{ type ipv{}_addr; }}\n", kTable, set,
                                  family == net::Family::V6 ? 6 : 4);
    if (!own.empty())
        out += fmt::format("add element inet {} {} {{ {} }}\n", kTable, set, fmt::join(own, ", "));
    return out;
}

} // namespace

Result<Generations> held_generations() {
    Generations out;
    const auto there = runtime::nft_has_table(kTable);
    if (!there)
        return Error{there.error()};
    if (!*there)
        return out;
    const auto listed = runtime::nft_list(kTable);
    if (!listed)
        return Error{listed.error()};
    out.is_there = true;
    const auto unknown = [](const std::string& word) {
        return Error{fmt::format("table inet {} has `{}`, which is not polecat's", kTable, word)};
    };
    for (const std::string& word : elements_of(*listed, "free")) {
        const auto bits = hexadecimal(word);
        if (!bits)
            return unknown(word);
        out.free.insert(*bits);
    }
    for (const char* set : {kForget4, kForget6})
        for (const std::string& word : elements_of(*listed, set)) {
            const auto address = net::parse_address(word);
            if (!address)
                return unknown(word);
            out.to_forget.push_back(*address);
        }
    return out;
}

Result<std::uint32_t> take_generation(const std::optional<Generation>& held, unsigned lowest) {
    const auto generations = table_there(held, lowest);
    if (!generations)
        return Error{generations.error()};
    const auto beside = marks_of_iptables();
    if (!beside)
        return Error{beside.error()};
    Generation next = next_of(*generations, held, lowest);
    while (beside->contains(next.bits(lowest)))
        next = next.next();
    const std::uint32_t bits = next.bits(lowest);
    const auto taken = generations->free.contains(bits)
                           ? runtime::nft_load(fmt::format(
                                 "delete element inet {} free {{ {:#010x} }}\n", kTable, bits))
                           : forget_marked(bits, mask_at(lowest));
    return taken ? Result<std::uint32_t>(bits) : Error{taken.error()};
}

Result<bool> note(const std::vector<net::Address>& addresses, const std::optional<Generation>& held,
                  unsigned lowest) {
    if (const auto there = table_there(held, lowest); !there)
        return Error{there.error()};
    return runtime::nft_load(add_text(kForget4, net::Family::V4, addresses) +
                             add_text(kForget6, net::Family::V6, addresses));
}

Result<bool> forget_noted() {
    const auto noted = held_generations();
    if (!noted)
        return Error{noted.error()};
    if (auto done = forget(noted->to_forget); !done)
        return done;
    return runtime::nft_load(fmt::format("flush set inet {0} {1}\nflush set inet {0} {2}\n", kTable,
                                         kForget4, kForget6));
}

} // namespace polecat::driver
