/// For backends/nftables/read*.cpp.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "backends/nftables/layout.h"
#include "backends/nftables/nftables.h"

namespace polecat::backends::reading {

struct Failure {
    std::string message;
};

[[noreturn]] inline void fail(const std::string& message) {
    throw Failure{message};
}

inline std::uint32_t number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size())
        fail("`" + std::string(text) + "` is no number");
    return value;
}

inline std::uint32_t number_after(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix))
        fail("`" + std::string(text) + "` is no " + std::string(prefix) + "N");
    return number_of(text.substr(prefix.size()));
}

inline std::uint32_t mark_of(const nft::Element& element) {
    const auto* mark = std::get_if<std::uint32_t>(&element.value);
    if (mark == nullptr)
        fail("an element has no mark");
    return *mark;
}
inline const std::string& target_of(const nft::Element& element) {
    const auto* to = std::get_if<nft::Goto>(&element.value);
    if (to == nullptr)
        fail("an element has no chain");
    return to->chain;
}
inline std::uint32_t identity_of(std::uint32_t mark) {
    if ((mark & layout::kIdentityFlag) == 0 || (mark & ~layout::kIdentityFlag) == 0)
        fail("a mark is no identity");
    return (mark & ~layout::kIdentityFlag) - 1;
}

inline const nft::Map& map_of(const nft::Ruleset& ruleset, const std::string& name) {
    const nft::Map* found = ruleset.find_map(name);
    if (found == nullptr)
        fail("map " + name + " is missing");
    return *found;
}
inline const nft::Chain& chain_of(const nft::Ruleset& ruleset, const std::string& name) {
    const nft::Chain* found = ruleset.find_chain(name);
    if (found == nullptr)
        fail("chain " + name + " is missing");
    return *found;
}

/// The rest of a program of which hook and direction are known. What its rules show of the node's
/// settings goes into `node`.
void read_program(const nft::Ruleset& ruleset, const std::string& name, ProgramImage& program,
                  NodeImage& node);

} // namespace polecat::backends::reading
