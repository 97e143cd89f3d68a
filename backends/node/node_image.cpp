#include "backends/node/node_image.h"

#include "backends/node/numbers.h"

namespace polecat::backends {

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
}

} // namespace polecat::backends
