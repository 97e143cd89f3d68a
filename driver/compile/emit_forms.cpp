#include "driver/compile/emit_forms.h"

#include "backends/manifests/manifests.h"
#include "ir/decision/identity.h"
#include "ir/decision/print.h"
#include "ir/decision/table.h"

namespace polecat::driver {

namespace {

std::string tables(const decision::LoweredCluster& cluster) {
    const decision::Identities identities(cluster);
    std::string out = decision::to_text(cluster.predicates);
    for (const decision::Program& program : cluster.programs) {
        std::vector<decision::Identity> ends;
        for (const auto& [address, id] : identities.endpoint_addresses(program.family))
            ends.push_back(identities[id]);
        for (const auto& [nets, id] : identities.outside(program.family))
            ends.push_back(identities[id]);
        const auto table = decision::flatten(program, cluster.predicates, ends, ends);
        out += table ? decision::to_text(*table) : "# table not made: " + table.error() + "\n";
    }
    return out;
}

} // namespace

std::string emit_form(const std::string& form, const policy::Cluster& policy,
                      const decision::LoweredCluster& cluster) {
    if (form == "policy-ir")
        return backends::to_yaml(policy);
    if (form == "table")
        return tables(cluster);
    std::string out;
    for (const decision::Program& program : cluster.programs)
        out += decision::to_text(program, cluster.predicates);
    return out;
}

} // namespace polecat::driver
