#include "analyzer/ends/hypothetical.h"

#include <algorithm>

#include "ir/decision/table.h"
#include "ir/policy/scope.h"

namespace polecat::analyzer {

Hypothetical::Hypothetical(const decision::LoweredCluster& cluster)
    : cluster_(cluster), world_(cluster.world), first_(world_.objects.size()) {}

std::size_t Hypothetical::add_pod(const std::string& space, const selector::Labels& labels,
                                  std::vector<policy::EndpointPort> ports) {
    decision::Object pod;
    pod.name = space + "/(a new pod)";
    pod.manifest_kind = "Pod";
    pod.addresses_known = false;
    pod.ports = std::move(ports);
    pod.labels = labels;
    pod.labels.set(policy::kNamespaceLabel, space);
    pod.labels.set(policy::kOrchestratorLabel, "k8s");
    pod.labels.set_default(policy::kServiceAccountLabel, "default");
    const std::string prefix(policy::kNamespacePrefix);
    const auto& objects = cluster_.world.objects;
    const auto sibling =
        std::find_if(objects.begin(), objects.end(), [&](const decision::Object& object) {
            return object.labels.find(policy::kNamespaceLabel) == space;
        });
    const bool names_are_lost =
        sibling != objects.end() &&
        !sibling->labels.find(std::string(prefix).append(policy::kCalicoNameLabel));
    if (!names_are_lost)
        for (const std::string_view name : {policy::kCalicoNameLabel, policy::kNameLabel})
            pod.labels.set(std::string(prefix).append(name), space);
    if (sibling != objects.end())
        for (const auto& [label, value] : sibling->labels)
            if (label.starts_with(prefix))
                pod.labels.set_default(label, value);
    world_.objects.push_back(std::move(pod));
    return world_.objects.size() - 1 - first_;
}

decision::Identity
Hypothetical::identity(std::size_t pod, net::Family family,
                       const std::vector<decision::PredicateId>& predicates) const {
    decision::Identity out;
    out.family = family;
    const decision::ObjectId id{static_cast<std::uint32_t>(first_ + pod)};
    const decision::Object& object = world_.object(id);
    const decision::End end{{id}, std::nullopt};
    for (const decision::PredicateId each : predicates) {
        const decision::Predicate& predicate = cluster_.predicates[each];
        if (const auto* ports = std::get_if<decision::NamedPortSet>(&predicate)) {
            for (const policy::EndpointPort& port : object.ports)
                if (port.name == ports->name && ports->selector.matches(object.labels) &&
                    (ports->protocol == 0 || ports->protocol == port.protocol))
                    out.port_members.push_back({each, port.protocol, port.port});
            continue;
        }
        if (decision::is_port_set(predicate))
            continue; // a service with ports: not a member
        const auto answer = decision::holds(predicate, world_, end, family, 0, std::nullopt);
        if (answer == decision::Tri::Yes)
            out.yes.push_back(each);
        else if (answer == decision::Tri::Unknown)
            out.unknown.push_back(each);
    }
    std::sort(out.port_members.begin(), out.port_members.end());
    return out;
}

} // namespace polecat::analyzer
