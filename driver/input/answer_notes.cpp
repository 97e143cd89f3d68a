#include "driver/input/answer_notes.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::driver {

std::string hooks_note(const decision::LoweredCluster& cluster) {
    const bool has_hooks =
        std::any_of(cluster.groups.begin(), cluster.groups.end(), [](const auto& group) {
            return std::any_of(group.programs.begin(), group.programs.end(), [](const auto& each) {
                return each.first.hook != decision::Hook::Normal;
            });
        });
    if (!has_hooks)
        return "";
    return "by the policies of both ends; preDNAT, untracked and forward policy of host endpoints "
           "on the way to others is followed by polecat reach with both ends and --port";
}

void tell_notes(const decision::LoweredCluster& cluster) {
    if (cluster.endpoints.empty())
        fmt::print(stderr, "note: {}\n", kNobody);
    if (const std::string note = hooks_note(cluster); !note.empty())
        fmt::print(stderr, "note: {}\n", note);
}

} // namespace polecat::driver
