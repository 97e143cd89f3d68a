#include "tests/conformance/runner/warning_count.h"

#include <algorithm>

#include "ir/policy/scope.h"
#include "tests/conformance/runner/query_parts.h"
#include "tests/conformance/runner/selected.h"

namespace polecat::conformance {

using decision::Object;
using decision::ObjectId;
using Kind = SelectionWarning::Kind;

Selected operator&(const Selected& a, const Selected& b) {
    Selected out;
    for (const ObjectId id : a.objects)
        if (b.objects.contains(id))
            out.objects.insert(id);
    out.outside = a.outside && b.outside;
    return out;
}

Selected operator|(Selected a, const Selected& b) {
    a.objects.insert(b.objects.begin(), b.objects.end());
    a.outside = a.outside || b.outside;
    return a;
}

Selected operator-(Selected a, const Selected& b) {
    for (const ObjectId id : b.objects)
        a.objects.erase(id);
    return a;
}

void Picker::warn(Kind kind, const std::string& text) {
    out_.push_back({kind, to_string(about_.name) + ": " + text});
}

Selected Picker::matching(const selector::Selector& selector) const {
    Selected out;
    const auto& objects = of_.lowered.world.objects;
    for (std::uint32_t i = 0; i < objects.size(); ++i)
        if (objects[i].selectable && selector.matches(objects[i].labels))
            out.objects.insert(ObjectId{i});
    return out;
}

Selected Picker::in_namespace(const std::string& space) const {
    return space.empty()
               ? matching(selector::Selector::all())
               : matching(selector::Selector::equal(std::string(policy::kNamespaceLabel), space));
}

Selected Picker::in_namespaces() const {
    return matching(selector::Selector::has(std::string(policy::kNamespaceLabel)));
}

Selected Picker::all() const {
    Selected out = matching(selector::Selector::all());
    out.outside = true;
    return out;
}

std::vector<SelectionWarning> selection_warnings(const Configuration& configuration) {
    std::vector<SelectionWarning> out;
    Picker pick(configuration, out);
    for (const PolicyRef& policy : policies_of(configuration.cluster)) {
        pick.begin(policy);
        if (policy.is_kubernetes())
            warn_about(configuration.cluster.kubernetes_policies[policy.index], pick);
        else
            warn_about(configuration.cluster.policies[policy.index], pick);
    }
    return out;
}

} // namespace polecat::conformance
