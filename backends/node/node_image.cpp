#include "backends/node/node_image.h"

#include <algorithm>

#include "backends/node/numbers.h"

namespace polecat::backends {

std::set<std::string> NodeImage::interfaces_at(decision::Hook hook,
                                               std::optional<decision::Direction> direction) const {
    std::set<std::string> out;
    for (const AttachPoint& each : attached)
        if (each.hook == hook && (!direction || each.direction == *direction))
            out.insert(each.interface);
    return out;
}

std::vector<std::string> NodeImage::host_interfaces() const {
    std::set<std::string> out;
    for (const AttachPoint& each : attached)
        if (each.interface != "*")
            out.insert(each.interface);
    return {out.begin(), out.end()};
}

std::uint32_t ProgramImage::Others::row_of(std::uint32_t identity) const {
    if (const auto found = rows.find(identity); found != rows.end())
        return found->second;
    const auto block = blocks.find(block_of(identity));
    return block == blocks.end() ? usual : block->second;
}

void NodeImage::number_groups(const std::map<std::uint32_t, EndpointGroup>& now) {
    std::map<EndpointGroup, std::uint32_t> before, after;
    std::map<EndpointGroup, std::uint32_t> known;
    for (const auto& [number, group] : now)
        known[group] = number;
    for (const auto& [number, group] : groups)
        before[group] = number;
    groups.clear();
    for (const auto& [group, number] : before) {
        const std::string digest = digest_of(group.egress + " " + group.ingress, 7);
        auto made = static_cast<std::uint32_t>(std::stoul(digest, nullptr, 16) + 1);
        if (const auto kept = known.find(group); kept != known.end())
            made = kept->second;
        else
            while (groups.contains(made) || now.contains(made))
                ++made;
        groups[made] = group;
        after[group] = made;
    }
    std::map<std::uint32_t, std::uint32_t> renumbered;
    for (const auto& [group, number] : before)
        renumbered[number] = after.at(group);
    for (DispatchEntry& entry : dispatch)
        entry.group = renumbered.at(entry.group);
    for (SourceRange& each : other_sources)
        each.group = renumbered.at(each.group);
}

} // namespace polecat::backends
