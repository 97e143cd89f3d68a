/// From a lowered cluster to what a bundle says of it: canonical, whatever order manifests came in.
#pragma once

#include "artefact/bundle/records.h"
#include "backends/node/numbers.h"
#include "ir/decision/identity.h"
#include "support/source.h"

namespace polecat::bundle {

/// Numbers of an earlier bundle, which what is still there keeps.
struct Base {
    backends::Numbers identities;
    std::map<std::string, std::uint32_t> predicates; ///< by text
};
/// Throws Refused where numbers are none that rules can hold.
Base base_of(const Contents& contents);
/// Likewise, of a part of them.
void check_numbers(const backends::Numbers& numbers);

Contents pack(const decision::LoweredCluster& cluster, const decision::Identities& identities,
              const Sources& sources, const Base& base = {});

/// `act` is called with each id that the program asks, and gives the one to take its place.
template <class Act> void replace_predicates(decision::Program& program, const Act& act) {
    const auto each_of = [&](std::vector<decision::PredicateId>& list) {
        for (decision::PredicateId& id : list)
            id = act(id);
    };
    for (decision::Stage& stage : program.stages)
        for (decision::Entry& entry : stage.entries) {
            decision::Match match = entry.match;
            for (decision::EndMatch* end : {&match.source, &match.destination}) {
                each_of(end->all);
                each_of(end->none);
                for (auto* ports : {&end->ports, &end->not_ports})
                    if (*ports)
                        each_of((*ports)->named);
            }
            entry.match = std::move(match);
        }
}

} // namespace polecat::bundle
