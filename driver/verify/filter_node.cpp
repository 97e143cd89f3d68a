#include "driver/verify/filter_node.h"

#include <iterator>

#include <fmt/format.h>

#include "backends/iptables/iptables.h"
#include "driver/compile/filter_folder.h"
#include "driver/verify/filter_beside.h"

namespace polecat::driver {

NodeVerdict with_proof(NodeVerdict out, NodeProof proof, const NameAt& name_at) {
    NodeVerdict::Proof told = proof.counts();
    if (out.proof) { // of tables
        told.proved += out.proof->proved;
        told.different += out.proof->different;
        told.closed += out.proof->closed;
        told.unknown += out.proof->unknown;
    }
    out.proof = told;
    if (proof.differences.empty())
        return out;
    out.state = NodeVerdict::State::Differs;
    for (Difference& each : proof.differences)
        if (each.flow) {
            each.flow->source_name = name_at(each.flow->source);
            each.flow->destination_name = name_at(each.flow->destination);
        }
    out.differences.insert(out.differences.begin(),
                           std::make_move_iterator(proof.differences.begin()),
                           std::make_move_iterator(proof.differences.end()));
    return out;
}

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
    if (listed)
        if (const auto own = iptables::read_back(*sides.own); !own)
            return unread(sides.folder + ": " + own.error());
    auto held = listed ? listed_filter_rules_in(sides.listing) : sides.own;
    if (!held)
        return unread(held.error());
    const bool compares = sides.policy || listed;
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
    if (out.differences.empty() && !image)
        return unread((listed ? sides.listing : sides.folder) + ": " + image.error());
    out.state = !out.differences.empty() ? State::Differs : compares ? State::Equal : State::Whole;
    if (!sides.policy || sides.prover == nullptr)
        return out;
    NodeProof proof = sides.prover->prove(out.node, *held);
    return with_proof(std::move(out), std::move(proof), sides.name_at);
}

} // namespace polecat::driver
