#include "analyzer/lint/selectors/doubts.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Object;
using policy::Policy;
using policy::Workload;
using selector::Selector;

namespace {

void soften(diag::Diagnostic& diagnostic, std::string why) {
    diagnostic.severity = diag::Severity::Note;
    diagnostic.as_usual();
    diagnostic.with_note(std::move(why));
}

/// Labels that say what a pod belongs to, not what it is.
bool is_of_groups(std::string_view label) {
    static constexpr std::string_view kLabels[] = {"part-of", "managed-by", "environment", "env",
                                                   "team",    "project",    "created-by"};
    const std::size_t slash = label.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? label : label.substr(slash + 1);
    return std::find(std::begin(kLabels), std::end(kLabels), name) != std::end(kLabels);
}

/// `true` or `1` stands under many labels.
bool is_telling(std::string_view value) {
    return value.size() > 2 && value != "true" && value != "false" && value != "yes" &&
           value != "enabled" && value != "default" &&
           value.find_first_not_of("0123456789.") != std::string_view::npos;
}

/// The tests that must all hold.
void collect_tests(const Selector& selector, std::vector<Selector>& out) {
    if (selector.term().op != selector::Op::And)
        return out.push_back(selector);
    for (const Selector& child : selector.term().children)
        collect_tests(child, out);
}

bool is_of_pods(const Selector& test) {
    return test.term().children.empty() &&
           !test.term().label.starts_with(policy::kNamespacePrefix) &&
           !test.term().label.starts_with("projectcalico.org/");
}

} // namespace

/// What is asked of labels of pods, and who stands where the rest holds.
struct Doubts::Asked {
    std::vector<Selector> tests;
    std::vector<const Workload*> pods;
};

Doubts::Doubts(Context& context) : context_(context) {
    for (const policy::Service& each : context_.cluster.services) {
        if (each.selector.empty())
            continue;
        services_.push_back(&each);
        served_.add(effective(selector::Labels(each.selector), each.meta.space));
    }
}

selector::Labels Doubts::effective(const selector::Labels& own, const std::string& space) const {
    const std::string prefix(policy::kNamespacePrefix);
    std::vector<std::pair<std::string, std::string>> out(own.begin(), own.end());
    out.emplace_back(policy::kNamespaceLabel, space);
    out.emplace_back(policy::kOrchestratorLabel, "k8s");
    for (const std::string_view name : {policy::kCalicoNameLabel, policy::kNameLabel})
        out.emplace_back(prefix + std::string(name), space);
    if (const auto* given = context_.extent.labels_of_namespace(space))
        for (const auto& [label, value] : *given)
            out.emplace_back(prefix + std::string(label), value);
    return selector::Labels(out);
}

const selector::LabelIndex& Doubts::pods() {
    if (!pods_) {
        pods_.emplace();
        for (const Workload& each : context_.cluster.workloads)
            pods_->add(effective(each.pod_labels, each.meta.space));
    }
    return *pods_;
}

void Doubts::weigh(diag::Diagnostic& diagnostic, const Selector& selector, bool explained,
                   const Policy* policy) {
    if (const auto served = served_.select(selector); !served.empty())
        return soften(diagnostic, "Service " + full_name(services_[served.front()]->meta) +
                                      " leads to such pods, which may come from elsewhere");
    if (const std::string label = label_of_chart(selector); !label.empty())
        return soften(diagnostic, "charts give their pods the label `" + label +
                                      "`, and no pod of the input has it");
    const Asked asked = asked_by(selector);
    std::string sign = under_another_label(asked);
    if (sign.empty())
        sign = nearly(asked);
    if (sign.empty() && policy != nullptr)
        sign = left_open(asked, *policy);
    if (!sign.empty())
        diagnostic.with_note(sign);
    else if (!explained && !context_.extent.is_whole())
        soften(diagnostic, "no pod of the input comes near, so who is meant may be kept "
                           "elsewhere");
}

Doubts::Asked Doubts::asked_by(const Selector& selector) {
    Asked out;
    collect_tests(selector, out.tests);
    const auto middle = std::stable_partition(out.tests.begin(), out.tests.end(), is_of_pods);
    const Selector place = Selector::all_of({middle, out.tests.end()});
    out.tests.erase(middle, out.tests.end());
    for (const std::uint32_t number : pods().select(place))
        out.pods.push_back(&context_.cluster.workloads[number]);
    return out;
}

/// A pod that has half of the several labels that are asked for, or more, and what it lacks; empty:
/// there is none. Labels that every pod there has, as kustomizations give them, say nothing, and
/// neither do those of a whole application.
std::string Doubts::nearly(const Asked& asked) const {
    std::vector<Selector> tests = asked.tests;
    std::erase_if(tests, [&](const Selector& test) {
        return is_of_groups(test.term().label) ||
               (asked.pods.size() > 1 &&
                std::all_of(asked.pods.begin(), asked.pods.end(),
                            [&](const auto* pod) { return test.matches(pod->pod_labels); }));
    });
    for (const Workload* pod : asked.pods) {
        std::vector<std::string> lacks;
        for (const Selector& test : tests)
            if (!test.matches(pod->pod_labels))
                lacks.push_back("`" + test.canonical() + "`");
        if (lacks.size() < tests.size() && 2 * lacks.size() <= tests.size())
            return fmt::format("{} {} comes near, but for {}", pod->kind, full_name(pod->meta),
                               listed(lacks));
    }
    return "";
}

/// A pod that has the value of one of the labels under another one, and all else that is asked for;
/// empty: there is none.
std::string Doubts::under_another_label(const Asked& asked) const {
    for (const Workload* pod : asked.pods) {
        const Selector* lacks = nullptr;
        std::size_t missing = 0;
        for (const Selector& test : asked.tests)
            if (!test.matches(pod->pod_labels)) {
                lacks = &test;
                ++missing;
            }
        if (missing != 1 || lacks->term().op != selector::Op::Equal ||
            !is_telling(lacks->term().values.front()))
            continue;
        for (const auto& [label, value] : pod->pod_labels)
            if (value == lacks->term().values.front() && !is_of_groups(label))
                return fmt::format("{} {} has `{}` under `{}`, not under `{}`", pod->kind,
                                   full_name(pod->meta), std::string(value), std::string(label),
                                   lacks->term().label);
    }
    return "";
}

/// Pods of the policy's namespace have these labels, with other values, and no policy governs any
/// of them: what it keeps out comes in.
std::string Doubts::left_open(const Asked& asked, const Policy& policy) {
    const std::string& space = policy.meta.space;
    const bool known =
        !asked.tests.empty() &&
        std::all_of(asked.tests.begin(), asked.tests.end(), [&](const Selector& test) {
            return std::any_of(asked.pods.begin(), asked.pods.end(), [&](const auto* pod) {
                return pod->pod_labels.find(test.term().label).has_value();
            });
        });
    if (policy::is_global(policy.kind) || policy::is_staged(policy.kind) || !known ||
        is_governed(space) || has_pods_elsewhere(space))
        return "";
    return fmt::format("no policy governs any pod of namespace {}: what this one is to keep out "
                       "comes in",
                       space);
}

/// A Service leads to none that are here.
bool Doubts::has_pods_elsewhere(const std::string& space) const {
    const auto& workloads = context_.cluster.workloads;
    return std::any_of(services_.begin(), services_.end(), [&](const policy::Service* each) {
        return each->meta.space == space &&
               std::none_of(workloads.begin(), workloads.end(), [&](const Workload& pod) {
                   return pod.meta.space == space &&
                          std::all_of(each->selector.begin(), each->selector.end(),
                                      [&](const auto& asked) {
                                          const auto has = pod.pod_labels.find(asked.first);
                                          return has && *has == asked.second;
                                      });
               });
    });
}

bool Doubts::is_governed(const std::string& space) {
    if (!governed_) {
        governed_.emplace();
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            if (policy::is_staged(policy.kind))
                return;
            for (const decision::ObjectId id : context_.select(policy::subject_of(policy)))
                if (const auto of = context_.object(id).labels.find(policy::kNamespaceLabel))
                    governed_->emplace(*of);
        });
    }
    return governed_->contains(space);
}

/// One that the selector asks for and no pod here has; empty: there is none.
std::string Doubts::label_of_chart(const Selector& selector) const {
    static constexpr std::string_view kLabels[] = {"app.kubernetes.io/instance", "helm.sh/chart",
                                                   "release"};
    const selector::Term& term = selector.term();
    for (const Selector& child : term.children)
        if (std::string label = label_of_chart(child); !label.empty())
            return label;
    const auto& workloads = context_.cluster.workloads;
    const bool strange =
        std::find(std::begin(kLabels), std::end(kLabels), term.label) != std::end(kLabels) &&
        std::none_of(workloads.begin(), workloads.end(), [&](const Workload& each) {
            return each.pod_labels.find(term.label).has_value();
        });
    return strange ? term.label : "";
}

} // namespace polecat::lint
