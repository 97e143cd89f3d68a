/// Rules as the expressions that nft(8) makes of them, one by one the same, so that its listing
/// shows them as they were written. For runtime/netlink only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "artefact/nft/ruleset.h"
#include "runtime/netlink/messages.h"

namespace polecat::runtime::netlink {

/// At the end of a chain, after the sets that stand in the rule. `generation`: what `$generation`
/// stands for; a rule that says it needs one. `next_id`: of sets within the transaction.
void write_rule(Messages& out, const std::string& table, const std::string& chain,
                const nft::Rule& rule, std::optional<std::uint32_t> generation,
                std::uint32_t& next_id);

} // namespace polecat::runtime::netlink
