#include "analyzer/diff/diff.h"

#include <map>
#include <set>

#include "analyzer/diff/family.h"
#include "ir/decision/print.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::ObjectId;

namespace {

using Names = std::map<std::string, ObjectId>;

void add_missing(const Names& mine, const Names& theirs, const std::string& prefix,
                 std::vector<std::string>& out) {
    std::set<ObjectId> seen;
    for (const auto& [name, id] : mine)
        if (!theirs.contains(name) && seen.insert(id).second)
            out.push_back(prefix + name);
}

/// The text of a host endpoint's program; empty: it has none.
std::string program_text(const LoweredCluster& cluster, ObjectId object,
                         const decision::Group::Key& key) {
    const auto* found = cluster.find(object, key.direction, key.hook, key.family);
    return found == nullptr
               ? ""
               : decision::to_text(cluster.program(found->program), cluster.predicates);
}

void compare_other_hooks(const LoweredCluster& base, const LoweredCluster& head,
                         std::vector<std::string>& out) {
    using decision::Direction;
    using decision::Hook;
    for (const auto& [name, id] : base.host_endpoints_by_name) {
        const auto twin = head.host_endpoints_by_name.find(name);
        if (twin == head.host_endpoints_by_name.end())
            continue;
        bool same = true;
        for (const Hook hook : {Hook::Untracked, Hook::PreDnat, Hook::Forward})
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                    const decision::Group::Key key{direction, hook, family};
                    same = same &&
                           program_text(base, id, key) == program_text(head, twin->second, key);
                }
        if (!same)
            out.push_back(name);
    }
}

} // namespace

bool Diff::has(ChangeKind kind) const {
    for (const FamilyDiff& family : families)
        for (const FlowChange& change : family.changes)
            if (change.kind == kind)
                return true;
    return false;
}

Diff diff(const LoweredCluster& base, const LoweredCluster& head, bool with_programs) {
    Diff out;
    out.atoms = HttpAtoms({&base, &head});
    const decision::Identities base_identities(base), head_identities(head);
    Sameness same(base, head);
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        out.families.push_back(diff_family({base, base_identities}, {head, head_identities}, same,
                                           family, out.atoms, out.depends, with_programs));
    add_missing(base.workloads_by_name, head.workloads_by_name, "", out.gone);
    add_missing(base.host_endpoints_by_name, head.host_endpoints_by_name, "hep:", out.gone);
    add_missing(head.workloads_by_name, base.workloads_by_name, "", out.added);
    add_missing(head.host_endpoints_by_name, base.host_endpoints_by_name, "hep:", out.added);
    compare_other_hooks(base, head, out.other_hooks);
    return out;
}

} // namespace polecat::analyzer
