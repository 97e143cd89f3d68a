/// Talks to the kernel through iptables(8) and ipset(8): the only place that starts them.
#pragma once

#include <cstdint>
#include <string>

#include "ir/net/address.h"
#include "support/result.h"

namespace polecat::runtime {

/// `ipset restore`. The error is its own words.
Result<bool> ipset_restore(const std::string& text);
Result<std::string> ipset_save();

/// Both variants work: "iptables-nft" and "iptables-legacy".
enum class Iptables : std::uint8_t { Nft, Legacy };
/// The program of that name: "ip6tables-nft-save".
std::string iptables_program(Iptables variant, net::Family family, const char* what);
/// `iptables-restore --noflush`, or `ip6tables-restore`: all of it or nothing.
Result<bool> iptables_restore(Iptables variant, net::Family family, const std::string& text);
/// `iptables-save`: all tables.
Result<std::string> iptables_save(Iptables variant, net::Family family);

} // namespace polecat::runtime
