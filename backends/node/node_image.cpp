#include "backends/node/node_image.h"

#include <algorithm>

#include "backends/node/numbers.h"

namespace polecat::backends {

bool NodeImage::attaches(decision::Hook hook) const {
    return std::any_of(attached.begin(), attached.end(),
                       [&](const AttachPoint& each) { return each.hook == hook; });
}

bool NodeImage::attaches(decision::Hook hook, decision::Direction direction) const {
    return std::any_of(attached.begin(), attached.end(), [&](const AttachPoint& each) {
        return each.hook == hook && each.direction == direction;
    });
}

std::vector<std::string> NodeImage::host_interfaces() const {
    std::set<std::string> out;
    for (const AttachPoint& each : attached)
        if (each.interface != "*")
            out.insert(each.interface);
    return {out.begin(), out.end()};
}

void NodeImage::number_groups() {
    std::map<EndpointGroup, std::uint32_t> before, after;
    for (const auto& [number, group] : groups)
        before[group] = number;
    groups.clear();
    for (const auto& [group, number] : before) {
        const std::string digest = digest_of(group.egress + " " + group.ingress, 7);
        auto made = static_cast<std::uint32_t>(std::stoul(digest, nullptr, 16) + 1);
        while (groups.contains(made))
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
