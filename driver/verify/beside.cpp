#include "driver/verify/beside.h"

#include <fmt/format.h>

#include "backends/nftables/nftables.h"

namespace polecat::driver {

Beside beside(const nft::OtherTables& others, const backends::NodeImage& image) {
    Beside out;
    const std::uint32_t ours = backends::flow_mark_bits(image);
    for (const auto& each : others.marks)
        if ((each.bits & ours) != 0)
            out.breaks.push_back(fmt::format(
                "chain {} writes bits {:#010x} of conntrack marks, where these rules keep what "
                "they "
                "found of a flow: what was denied may pass, and what was allowed may be dropped",
                each.chain, each.bits & ours));
    for (const std::string& chain : others.offloads)
        out.breaks.push_back("chain " + chain +
                             " takes packets past all rules (a flowtable, or fwd to an interface): "
                             "no policy is asked of them, or no change of it reaches them");
    for (const std::string& each : others.unknown)
        out.breaks.push_back("chain " + each +
                             ": the listing does not show which bits of conntrack marks it writes");
    for (const auto& each : others.drops)
        out.notes.push_back(fmt::format(
            "chain {} drops at hook {} whatever its own rules do not accept, also what these rules "
            "let through",
            each.chain, each.hook));
    return out;
}

} // namespace polecat::driver
