#include "driver/lint/run.h"

#include "analyzer/lint/lint.h"
#include "analyzer/lint/suppression.h"
#include "driver/input/unread.h"
#include "frontend/suppressions.h"

namespace polecat::driver {

namespace {

/// Of a policy that could not be read nothing can be said but that. Points into `policies`.
policy::OrderedPolicies readable_policies(const policy::OrderedPolicies& policies) {
    policy::OrderedPolicies out;
    out.tiers = policies.tiers;
    for (policy::OrderedTier& tier : out.tiers)
        std::erase_if(tier.policies,
                      [](const policy::Policy* each) { return each->meta.unread.known(); });
    std::erase_if(out.tiers, [](const policy::OrderedTier& tier) { return tier.policies.empty(); });
    return out;
}

} // namespace

Checked check_input(Input& input, const LintConfig& config, const Prepare& prepare) {
    Checked out;
    out.loads = !input.diagnostics.has_errors();
    out.ran = !leaves_nothing(input.diagnostics);
    if (out.ran) {
        const auto [all, lowered] = passes::lower(input.cluster);
        const policy::OrderedPolicies policies = readable_policies(all);
        const decision::PolicyRules rules = passes::lower_policies(input.cluster, all);
        lint::Settings settings = config.settings;
        settings.policy_rules = &rules;
        if (prepare)
            prepare(policies, lowered, settings);
        lint::Context context(input.cluster, policies, lowered, settings);
        lint::run(context, input.diagnostics);
    }
    input.diagnostics.sort();
    const auto suppressions = frontend::read_suppressions(input.sources);
    out.suppressed = lint::suppress(suppressions, out.loads, input.diagnostics);
    // Before severities are chosen, which may make an error of what was a warning of reading.
    if (config.baseline)
        out.known =
            config.baseline->take(input.diagnostics, input.sources, config.choice, out.loads);
    if (!config.write_baseline.empty() && out.loads) {
        out.baseline = Baseline(config.write_baseline);
        out.baseline->add(input.diagnostics, input.sources, config.choice);
    }
    lint::apply(config.choice, input.diagnostics);
    return out;
}

} // namespace polecat::driver
