/// Table inet polecat_generations of this machine's kernel, which outlives rules: the numbers that
/// no connection has, and addresses whose connections a load has still to delete, should it end
/// before it does.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "backends/nftables/generation.h"
#include "ir/net/address.h"
#include "support/result.h"

namespace polecat::driver {

struct Generations {
    bool is_there = false;
    std::set<std::uint32_t> free; ///< as bits of the conntrack mark
    std::vector<net::Address> to_forget;
};
Result<Generations> held_generations();

/// The bits of the number after that of the rules that are `held`, which nobody else gets then. No
/// connection has it any more: where that is not known, those that do are deleted.
Result<std::uint32_t> take_generation(const std::optional<backends::Generation>& held,
                                      unsigned lowest);

/// Keeps the addresses for forget_noted(), also of another load.
Result<bool> note(const std::vector<net::Address>& addresses,
                  const std::optional<backends::Generation>& held, unsigned lowest);
Result<bool> forget_noted();

} // namespace polecat::driver
