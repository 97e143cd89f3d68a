#include "driver/input/outside.h"

#include "driver/input/input.h"

namespace polecat::driver {

namespace {

/// With the gaps between addresses of `nets` that hold none of the others.
net::AddressSet filled(const net::AddressSet& nets, const net::AddressSet& others) {
    std::vector<net::Range> ranges = nets.ranges();
    auto next = others.ranges().begin();
    for (std::size_t i = 1; i < nets.ranges().size(); ++i) {
        const net::Range gap{nets.ranges()[i - 1].last, nets.ranges()[i].first};
        while (next != others.ranges().end() && next->first < gap.first)
            ++next;
        const bool is_free = next == others.ranges().end() || gap.last < next->first;
        if (is_free && gap.first.family == gap.last.family)
            ranges.push_back(gap);
    }
    return net::AddressSet::of(std::move(ranges));
}

/// The smallest CIDR with all of `nets`.
net::Cidr around(const net::AddressSet& nets) {
    const net::Address first = nets.ranges().front().first, last = nets.ranges().back().last;
    auto prefix = static_cast<std::uint8_t>(net::width(first.family));
    while (!net::block_of(first, prefix).contains(last))
        --prefix;
    return net::block_of(first, prefix);
}

} // namespace

std::string outside_label(const net::AddressSet& nets, const net::AddressSet& whole,
                          const std::string& every, std::size_t most) {
    const net::AddressSet rest = whole - nets;
    const net::AddressSet these = filled(nets, rest), others = filled(rest, nets);
    const std::size_t count = these.cidrs().size();
    // A whole that is one CIDR is best called by that.
    if (others.empty())
        return count > 1 || these.cidrs().front().prefix == 0 ? every
                                                              : "outside " + text_of(these, most);
    const net::Cidr block = around(nets);
    const auto holes = filled(net::AddressSet::of(block) & rest, nets);
    const std::size_t without = others.cidrs().size(), with_holes = holes.cidrs().size();
    if (without < count && without <= with_holes)
        return every + " but " + text_of(others, most);
    if (!holes.empty() && with_holes < count)
        return "outside " + net::to_string(block) + " but " + text_of(holes, most);
    return "outside " + text_of(these, most);
}

} // namespace polecat::driver
