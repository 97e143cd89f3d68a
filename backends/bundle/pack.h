/// From a lowered cluster to what a bundle says of it: canonical, whatever order manifests came in.
#pragma once

#include <memory>

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

/// An endpoint with what it runs.
struct PackedEndpoint {
    std::string node;
    EndpointRecord record; ///< `group` is not filled in
    std::shared_ptr<const GroupRecord> group;
    Span span; ///< as those of Origins
    selector::Labels labels;
    std::vector<policy::EndpointPort> ports;

    bool is_host() const { return record.kind == decision::Object::Kind::HostEndpoint; }
    /// A host endpoint that could not be read may be on any node.
    bool is_placed() const { return !node.empty() || (is_host() && record.unread); }
    std::string space() const { return record.name.substr(0, record.name.find('/')); }
};
/// What runs on a node, and where that stands.
NodeRecord node_record(const std::vector<const PackedEndpoint*>& list, std::vector<Span>& spans);
/// Where endpoints that look alike are of two groups (profiles of their own), none is a template.
std::vector<TemplateRecord> templates_of(const std::vector<const PackedEndpoint*>& list);

/// Contents with what they were put together from.
struct Packed {
    Contents contents;
    std::vector<PackedEndpoint> endpoints; ///< as the cluster has them
    std::vector<ContentId> programs;       ///< likewise
    std::map<ContentId, std::string> said; ///< digests of what is said of programs
};
Packed pack_all(const decision::LoweredCluster& cluster, const decision::Identities& identities,
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
