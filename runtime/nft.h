/// Talks to the kernel's nftables through nft(8): the only place that starts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "support/result.h"

namespace polecat::runtime {

/// Loads a text (`nft -f -`). One transaction: all of it or nothing. The error is nft's own words.
/// `generation`: what `$generation` in it stands for.
Result<bool> nft_load(const std::string& text, std::optional<std::uint32_t> generation = {});
/// Whether there is a table inet NAME.
Result<bool> nft_has_table(const std::string& table);
/// `nft -nn list ruleset`.
Result<std::string> nft_list_all();
/// `nft -nn list table inet NAME`.
Result<std::string> nft_list(const std::string& table);
/// The same of one set of table ip NAME.
Result<std::string> nft_list_set(const std::string& table, const std::string& set);

} // namespace polecat::runtime
