// Chains and sets by iptables' plan. A set that stands there while it goes on says so to whoever
// comes after an end that was none.
#include "backends/iptables/plan.h"
#include "driver/compile/filter_folder.h"
#include "driver/load/connections.h"
#include "driver/load/load.h"

namespace polecat::driver {

namespace {

Result<bool> run_step(const iptables::Plan::Step& step, std::uint16_t number,
                      runtime::Iptables variant) {
    if (step.command.starts_with("ipset"))
        return runtime::ipset_restore(step.text);
    const net::Family family = step.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4;
    return runtime::iptables_restore(variant, family, iptables::with_generation(step.text, number));
}

/// Takes the marker out of what is held.
bool was_unfinished(HeldRules& held) {
    return std::erase_if(held.rules.sets,
                         [](const auto& set) { return set.name == kUnfinishedSet; }) != 0;
}

/// After an end that was none all is written, and flows judged anew; what is left over is another
/// load's.
Result<iptables::Plan> plan_of(const HeldRules& held, bool unfinished,
                               const iptables::FilterImage& image) {
    const auto beside = numbers_of_nftables();
    if (!beside)
        return Error{beside.error()};
    auto next = iptables::plan(held.rules, image, beside->empty());
    if (unfinished || !next) // nothing of ours is there
        return iptables::plan_from_nothing(image);
    return next;
}

} // namespace

Result<Loaded> load_filters(const iptables::FilterImage& image, const LoadOptions& options) {
    if (const auto alone = stands_alone(options.variant); !alone)
        return Error{alone.error()};
    auto held = held_rules(options.variant);
    if (!held)
        return Error{held.error()};
    const bool unfinished = was_unfinished(*held);
    const auto planned = plan_of(*held, unfinished, image);
    if (!planned)
        return Error{planned.error()};
    const iptables::Plan& plan = *planned;
    Loaded out;
    const auto next = [&](const std::string& what) { return out.next(what, options); };
    const auto mark = [&](const char* verb, const char* rest) {
        return runtime::ipset_restore(std::string(verb) + " " + kUnfinishedSet + rest + "\n");
    };
    std::uint16_t number = held->numbers.empty() ? 0 : *held->numbers.rbegin();
    if (!plan.steps.empty() && !options.only_tell) {
        if (const auto done = mark("create", " hash:net family inet maxelem 16777216 -exist");
            !done)
            return Error{done.error()};
    }
    for (const iptables::Plan::Step& step : plan.steps)
        if (next(step.command + ": " + step.what)) {
            if (step.next_number) {
                const auto found = next_number(*held, options.variant);
                if (!found)
                    return Error{found.error()};
                number = *found;
                held->numbers.insert(number);
            }
            if (const auto done = run_step(step, number, options.variant); !done)
                return Error{done.error()};
        }
    if (!hooks_come_first(*held, plan.result) && next("rules that send packets to the chains"))
        if (const auto done = put_hooks_first(options.variant, plan.result); !done)
            return Error{done.error()};
    if (!plan.forget.empty() && next("forget connections of addresses that came or went"))
        if (const auto done = forget(plan.forget); !done)
            return Error{done.error()};
    if (!out.whole || plan.steps.empty() || options.only_tell)
        return out;
    if (const auto done = mark("destroy", ""); !done)
        return Error{done.error()};
    if (!unfinished)
        return out;
    auto rest = load_filters(image, options);
    if (!rest)
        return rest;
    out.steps.insert(out.steps.end(), rest->steps.begin(), rest->steps.end());
    out.whole = rest->whole;
    return out;
}

} // namespace polecat::driver
