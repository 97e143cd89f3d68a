#include "backends/bpf/stretches.h"

#include <algorithm>

namespace polecat::bpf {

Stretches lay_over(std::vector<Stretch> ranges, std::vector<Stretch> exact) {
    std::sort(ranges.begin(), ranges.end());
    std::sort(exact.begin(), exact.end());
    for (Stretch& each : exact)
        each.exact = true;
    Stretches out;
    const auto add_range = [&](const net::Address& first, const net::Address& last,
                               std::uint32_t leaf) {
        if (last < first)
            return;
        const bool joins = !out.empty() && !out.back().exact && out.back().leaf == leaf &&
                           net::next(out.back().range.last) == first;
        if (joins)
            out.back().range.last = last;
        else
            out.push_back({{first, last}, leaf, false});
    };
    auto place = exact.begin();
    for (const Stretch& each : ranges) {
        net::Address first = each.range.first;
        for (; place != exact.end() && place->range.first < first; ++place)
            out.push_back(*place);
        bool whole = false; // an exact address stands at its end
        for (; place != exact.end() && place->range.last <= each.range.last; ++place) {
            if (const auto before = net::previous(place->range.first))
                add_range(first, *before, each.leaf);
            out.push_back(*place);
            whole = place->range.last == each.range.last;
            if (!whole)
                first = *net::next(place->range.last);
        }
        if (!whole)
            add_range(first, each.range.last, each.leaf);
    }
    out.insert(out.end(), place, exact.end());
    return out;
}

Stretches identities_of(const backends::NodeImage& image, net::Family family) {
    std::vector<Stretch> ranges, exact;
    for (const auto& [range, identity] : image.outside)
        if (range.first.family == family)
            ranges.push_back({range, identity});
    for (const auto& [address, identity] : image.addresses)
        if (address.family == family)
            exact.push_back({{address, address}, identity});
    return lay_over(std::move(ranges), std::move(exact));
}

} // namespace polecat::bpf
