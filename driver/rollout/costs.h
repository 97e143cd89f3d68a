/// How long a node takes to load a transaction: estimates, from what was measured once.
#pragma once

#include "backends/node/work.h"

namespace polecat::driver {

/// Microseconds of processor time for each. Measured with nftables 1.0.6 on Linux 6.18 (one core of
/// an EPYC at about 3 GHz): `nft -f` of files with 10,000 and 50,000 elements (maps of words, and
/// of ranges of addresses), 1,000 maps, 2,000 chains of 2 and of 10 rules with counter and comment,
/// the least of three runs each, in a network namespace of its own; a file that changes nothing is
/// `transaction`. Most of it is nft(8) itself: that which writes netlink is faster. A node that has
/// other work takes as much longer as it is busy.
struct Costs {
    double transaction = 2'500;
    double element_in = 3.8, range_in = 7.8, element_out = 3.2, element_dropped = 0.2;
    double map_in = 30, map_out = 18, chain_in = 7.5, chain_out = 5, rule_in = 7.1, rule_out = 2;
};
inline constexpr Costs kNftCosts;

/// The same of iptables 1.8.9 and ipset 7.17: `ipset restore` of 5,000 and 20,000 members and of
/// 500 sets, `iptables-restore --noflush` of 500 chains of 2 and of 10 rules with a list of ports
/// and a comment. Of both variants the dearer one, which is nft's; the legacy one takes some 3
/// microseconds for each rule that is in the table already as well.
inline constexpr Costs kIptablesCosts{1'000, 6.7, 6.7, 6.7, 0, 12, 4, 1, 1, 18, 5};

/// Of one transaction.
inline double seconds_for(const backends::Work& work, const Costs& costs) {
    const auto each = [](std::size_t number, double cost) {
        return static_cast<double>(number) * cost;
    };
    const double microseconds =
        costs.transaction + each(work.elements_in, costs.element_in) +
        each(work.ranges_in, costs.range_in) + each(work.elements_out, costs.element_out) +
        each(work.elements_dropped, costs.element_dropped) + each(work.maps_in, costs.map_in) +
        each(work.maps_out, costs.map_out) + each(work.chains_in, costs.chain_in) +
        each(work.chains_out, costs.chain_out) + each(work.rules_in, costs.rule_in) +
        each(work.rules_out, costs.rule_out);
    return microseconds / 1e6;
}

} // namespace polecat::driver
