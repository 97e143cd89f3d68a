#include "driver/verify/filter_node.h"

#include <iterator>

#include <fmt/format.h>

#include "backends/iptables/iptables.h"
#include "driver/compile/filter_folder.h"
#include "driver/verify/filter_beside.h"

namespace polecat::driver {

namespace {

/// Why what was compiled is not whole; empty: it is.
std::string own_lacks(const FilterSides& sides) {
    const auto image = iptables::read_back(*sides.own);
    if (!image)
        return sides.folder + ": " + image.error();
    return sides.folder.empty() ? "" : filter_files_lack(sides.folder, *image);
}

} // namespace

std::vector<Difference> listed_filter_differences(iptables::Ruleset& held,
                                                  const iptables::Ruleset& wanted,
                                                  const NameAt& name_at,
                                                  std::vector<std::string>& notes) {
    std::vector<Difference> out = hook_differences(held, wanted);
    if (std::erase_if(held.sets, [](const auto& set) { return set.name == kUnfinishedSet; }) != 0)
        out.push_back({"",
                       fmt::format("a load was broken off (set {} is there): `polecat load` "
                                   "finishes it",
                                   kUnfinishedSet),
                       {}});
    iptables::Ruleset cut = held;
    const std::size_t left = take_left_over(cut, wanted);
    if (filter_differences(cut, wanted, name_at).empty()) {
        held = std::move(cut);
        if (left != 0)
            notes.push_back(
                fmt::format("{} chains and sets of an earlier policy stand there; no rule of ours "
                            "leads to them",
                            left));
        return out;
    }
    auto more = filter_differences(held, wanted, name_at);
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
    return out;
}

Result<iptables::Ruleset> held_filters(const FilterSides& sides) {
    return sides.listing.empty() ? sides.own : listed_filter_rules_in(sides.listing);
}

NodeVerdict judge_filters(NodeVerdict out, const FilterSides& sides) {
    using State = NodeVerdict::State;
    const auto unread = [&out](std::string why) {
        out.state = State::Unread;
        out.why = std::move(why);
        return out;
    };
    if (!sides.own)
        return unread(sides.own.error());
    const bool listed = !sides.listing.empty();
    const bool compares = sides.policy || listed;
    // Of a folder beside manifests the difference says more.
    const std::string lack = own_lacks(sides);
    if (!lack.empty() && (listed || !compares))
        return unread(lack);
    auto held = held_filters(sides);
    if (!held)
        return unread(held.error());
    if (compares) {
        iptables::Ruleset wanted = sides.policy ? iptables::emit(*sides.policy) : *sides.own;
        wanted.sort();
        out.differences = listed
                              ? listed_filter_differences(*held, wanted, sides.name_at, out.notes)
                              : filter_differences(*held, wanted, sides.name_at);
    }
    if (listed)
        for (std::string& each : filter_breaks(sides.listing))
            out.differences.push_back({"", std::move(each), {}});
    const auto image = iptables::read_back(*held);
    if (image) {
        out.programs = image->programs.size();
        out.addresses = image->pods.size();
    }
    if (!out.differences.empty()) {
        out.state = State::Differs;
        return out;
    }
    if (!image || !lack.empty())
        return unread(image ? lack
                            : (listed ? sides.listing : sides.folder) + ": " + image.error());
    out.state = compares ? State::Equal : State::Whole;
    return out;
}

} // namespace polecat::driver
