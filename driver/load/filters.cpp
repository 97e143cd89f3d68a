// Chains and sets by iptables' plan. A set that stands there while it goes on says so to whoever
// comes after an end that was none.
#include "backends/iptables/plan.h"
#include "driver/load/load.h"

namespace polecat::driver {

namespace {

constexpr const char* kMarker = "polecat-unfinished";

Result<bool> run_step(const iptables::Plan::Step& step, std::uint16_t number,
                      runtime::Iptables variant) {
    if (step.command.starts_with("ipset"))
        return runtime::ipset_restore(step.text);
    const net::Family family = step.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4;
    return runtime::iptables_restore(variant, family, iptables::with_generation(step.text, number));
}

iptables::Plan plan_of(HeldRules& held, const iptables::FilterImage& image) {
    const bool unfinished = std::erase_if(held.rules.sets, [](const iptables::Set& set) {
                                return set.name == kMarker;
                            }) != 0;
    if (unfinished || held.rules == iptables::Ruleset{})
        return iptables::plan_from_nothing(image);
    return iptables::plan_between(held.rules, image);
}

} // namespace

Result<Loaded> load_filters(const iptables::FilterImage& image, const LoadOptions& options) {
    auto held = held_rules(options.variant);
    if (!held)
        return Error{held.error()};
    const iptables::Plan plan = plan_of(*held, image);
    Loaded out;
    const auto next = [&](const std::string& what) {
        out.steps.push_back(what);
        out.whole = out.whole && options.go_on(what);
        return out.whole && !options.only_tell;
    };
    const auto mark = [&](const char* verb, const char* rest) {
        return runtime::ipset_restore(std::string(verb) + " " + kMarker + rest + "\n");
    };
    std::uint16_t number = held->number.value_or(0);
    if (!plan.steps.empty() && !options.only_tell) {
        if (const auto done = mark("create", " hash:net -exist"); !done)
            return Error{done.error()};
        if (plan.judges_anew) {
            const auto found = next_number(*held);
            if (!found)
                return Error{found.error()};
            number = *found;
        }
    }
    for (const iptables::Plan::Step& step : plan.steps)
        if (next(step.command + ": " + step.what))
            if (const auto done = run_step(step, number, options.variant); !done)
                return Error{done.error()};
    if (!held->has_hooks && next("rules that send packets to the chains"))
        if (const auto done = put_hooks_first(options.variant); !done)
            return Error{done.error()};
    if (!plan.forget.empty() && next("forget connections of addresses that came or went"))
        if (const auto done = forget(plan.forget); !done)
            return Error{done.error()};
    if (out.whole && !plan.steps.empty() && !options.only_tell)
        if (const auto done = mark("destroy", ""); !done)
            return Error{done.error()};
    return out;
}

} // namespace polecat::driver
