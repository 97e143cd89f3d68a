#include "frontend/kinds/pod_makers.h"

#include <algorithm>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/other_kinds.h"

namespace polecat::frontend {

namespace {

/// A list of containers or a single one, anywhere below.
bool holds_containers(const yaml::Node& node, int depth) {
    constexpr int kDeepest = 8;
    if (depth > kDeepest)
        return false;
    const auto names_image = [](const yaml::Node& each) {
        return each.is_mapping() && each.find("image") != nullptr;
    };
    for (const yaml::Member& member : node.members) {
        if (member.key == "containers" && member.value.is_sequence() &&
            std::any_of(member.value.items.begin(), member.value.items.end(), names_image))
            return true;
        if ((member.key == "container" && names_image(member.value)) ||
            member.key == "podTemplate" || holds_containers(member.value, depth + 1))
            return true;
    }
    return std::any_of(node.items.begin(), node.items.end(),
                       [&](const yaml::Node& each) { return holds_containers(each, depth + 1); });
}

bool counts_pods(const yaml::Node& spec) {
    for (const char* key : {"replicas", "instances"})
        if (const yaml::Node* found = spec.find(key);
            found != nullptr && yaml::as_integer(*found).has_value())
            return true;
    return false;
}

/// Where the pods will be: what deploys other objects may name another namespace than its own.
std::string namespace_of(const yaml::Node& root) {
    const yaml::Node* spec = root.find("spec");
    const yaml::Node* destination =
        spec != nullptr && spec->is_mapping() ? spec->find("destination") : nullptr;
    for (std::string space :
         {scalar_text(destination, "namespace"), scalar_text(spec, "targetNamespace"),
          scalar_text(root.find("metadata"), "namespace")})
        if (!space.empty())
            return space;
    return "default";
}

} // namespace

bool makes_pods(std::string_view group, std::string_view kind, const yaml::Node& root) {
    if (group == "apiextensions.k8s.io" || group == "autoscaling")
        return false; // schemas of kinds, and what counts the pods of another object
    const yaml::Node* spec = root.find("spec");
    return is_known_as(OtherUse::MakesPods, group, kind) ||
           (spec != nullptr && spec->is_mapping() &&
            (counts_pods(*spec) || holds_containers(*spec, 0)));
}

void note_unread_pods(const yaml::Node& root, const std::string& kind, policy::Cluster& cluster) {
    const yaml::Node* meta = root.find("metadata");
    const yaml::Node* name = meta != nullptr && meta->is_mapping() ? meta->find("name") : nullptr;
    cluster.unread_pods.try_emplace(
        namespace_of(root),
        policy::UnreadPods{object_label(root, kind), name != nullptr ? name->span : root.span});
}

} // namespace polecat::frontend
