#include "analyzer/questions/new_pods.h"

#include <algorithm>

#include "analyzer/ends/end_groups.h"
#include "ir/policy/scope.h"

namespace polecat::analyzer {

using decision::PredicateId;
using selector::Labels;

namespace {

constexpr const char* kNewSpace = "(new)";

/// The namespace that labels ask for.
std::string space_of(const Labels& labels) {
    const std::string prefix(policy::kNamespacePrefix);
    for (const std::string& label :
         {std::string(policy::kNamespaceLabel), prefix + std::string(policy::kNameLabel),
          prefix + std::string(policy::kCalicoNameLabel)})
        if (const auto value = labels.find(label))
            return std::string(*value);
    return kNewSpace;
}

/// Whether who may make the second pod may make the first: it has every label of it.
bool asks_no_more(const NewPod& first, const NewPod& second) {
    return std::all_of(first.labels.begin(), first.labels.end(), [&](const auto& each) {
        const auto value = second.labels.find(each.first);
        return value && *value == each.second;
    });
}

} // namespace

NewPods::NewPods(const decision::LoweredCluster& cluster,
                 const std::vector<policy::Namespace>& namespaces)
    : cluster_(cluster), pods_(cluster) {
    for (const policy::Namespace& space : namespaces)
        namespaces_.emplace(space.meta.name, policy::inherited_labels(space));
}

/// A namespace that exists has the labels it has, whatever was asked for.
const NewPods::Pod& NewPods::pod_of(const Labels& wanted) {
    std::vector<std::pair<std::string, std::string>> key(wanted.begin(), wanted.end());
    const auto found = known_.find(key);
    if (found != known_.end())
        return found->second;
    Pod pod{space_of(wanted), {}, 0};
    const auto exists = namespaces_.find(pod.space);
    for (const auto& [label, value] : wanted)
        if (exists == namespaces_.end() || !label.starts_with(policy::kNamespacePrefix))
            pod.labels.set(label, value);
    if (exists != namespaces_.end())
        for (const auto& [label, value] : exists->second)
            pod.labels.set(label, value);
    pod.number = pods_.add_pod(pod.space, pod.labels);
    return known_.emplace(std::move(key), std::move(pod)).first->second;
}

const LabelAnswer& NewPods::labels_for(const std::vector<PredicateId>& wanted,
                                       const std::vector<PredicateId>& excluded) {
    const auto [place, added] = answers_.try_emplace({wanted, excluded});
    if (!added)
        return place->second;
    const auto selectors = [&](const std::vector<PredicateId>& from) {
        std::vector<selector::Selector> out;
        for (const PredicateId id : from)
            if (const auto* set = std::get_if<decision::ObjectSet>(&cluster_.predicates[id]))
                out.push_back(set->selector);
        return out;
    };
    // Addresses, services and domains are not known of a pod that is not there; eval says so.
    const auto asked = selectors(wanted);
    if (!asked.empty())
        place->second = find_labels(asked, selectors(excluded));
    return place->second;
}

std::vector<const NewPods::Pod*> NewPods::candidates(const decision::Program& ingress) {
    constexpr std::size_t kMostDenied = 8; // so that the labels to tell apart stay few
    std::vector<const Pod*> out{&pod_of({})};
    std::vector<PredicateId> denied; // by rules before
    const auto add = [&](const LabelAnswer& answer) {
        if (answer.kind != LabelAnswer::Kind::Yes)
            return;
        const Pod* pod = &pod_of(answer.labels);
        if (std::find(out.begin(), out.end(), pod) == out.end())
            out.push_back(pod);
    };
    for (const decision::Stage& stage : ingress.stages)
        for (const decision::Entry& entry : stage.entries) {
            const decision::EndMatch& source = entry.match->source;
            if (entry.staged)
                continue;
            if (entry.action == decision::Action::Deny && source.all.size() == 1 &&
                source.none.empty() && denied.size() < kMostDenied)
                denied.push_back(source.all.front());
            if (entry.action != decision::Action::Allow)
                continue;
            add(labels_for(source.all, source.none));
            if (denied.empty())
                continue;
            auto excluded = source.none;
            excluded.insert(excluded.end(), denied.begin(), denied.end());
            add(labels_for(source.all, excluded));
        }
    return out;
}

std::vector<NewPod> NewPods::reaching(ProgramView<ProgramFlows>& ingress,
                                      const decision::Identity& own) {
    const net::Family family = ingress.program().family;
    std::vector<NewPod> out;
    for (const Pod* pod : candidates(ingress.program())) {
        const Bounds<ConnectionSet> sets =
            ingress.between(own, pods_.identity(pod->number, family, ingress.asks_of_others()));
        NewPod found{pod->space == kNewSpace ? "" : pod->space, pod->labels, sets};
        const bool is_new = std::none_of(out.begin(), out.end(), [&](const NewPod& before) {
            return asks_no_more(before, found) &&
                   (found.connections.may - before.connections.may).empty() &&
                   (found.connections.sure - before.connections.sure).empty();
        });
        if (!found.connections.may.empty() && is_new)
            out.push_back(std::move(found));
    }
    return out;
}

} // namespace polecat::analyzer
