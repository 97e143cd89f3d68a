// Rules of nftables by their plan. What an end that was none left undone, the next plan sees in
// what the kernel lists; whose connections go then is noted before anything changes.
#include <fmt/format.h>

#include "backends/nftables/plan.h"
#include "backends/nftables/reachable.h"
#include "driver/load/generations.h"
#include "driver/load/load.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"

namespace polecat::driver {

namespace {

using backends::Generation;

/// Empty where there is no table.
Result<std::string> listed_policy() {
    const std::string table = nft::Ruleset{}.table;
    const auto there = runtime::nft_has_table(table);
    if (!there)
        return Error{there.error()};
    return *there ? runtime::nft_list(table) : Result<std::string>(std::string());
}

/// Whatever is there and can't be read is not replaced: whose it is, a person has to say.
Error not_ours(const std::string& why) {
    return Error{
        fmt::format("table inet {0} of this machine can't be brought to other rules: {1}; `nft "
                    "flush table inet {0}; nft delete table inet {0}` takes it away (no policy of "
                    "it holds then), and after that this loads",
                    nft::Ruleset{}.table, why)};
}

class RuleLoader {
  public:
    RuleLoader(const backends::NodeImage& image, const LoadOptions& options)
        : image_(image), options_(options), lowest_(image.flow_mark_bit) {}

    Result<Loaded> run() {
        if (const auto planned = make_plan(); !planned)
            return Error{planned.error()};
        const auto kept = held_generations();
        if (!kept)
            return Error{kept.error()};
        if (const auto ready = prepare(); !ready)
            return Error{ready.error()};
        for (const backends::Plan::Step& step : plan_.steps)
            if (next(step.what))
                if (const auto done = runtime::nft_apply(step.does, number_); !done)
                    return Error{done.error()};
        if ((!plan_.forget.empty() || !kept->to_forget.empty()) &&
            next("forget connections of addresses that came or went"))
            if (const auto done = forget_noted(); !done)
                return Error{done.error()};
        return std::move(out_);
    }

  private:
    bool next(const std::string& what) { return out_.next(what, options_); }

    Result<bool> make_plan() {
        const auto listed = listed_policy();
        if (!listed)
            return Error{listed.error()};
        const auto rules = nft::parse(*listed);
        if (!listed->empty() && !rules)
            return not_ours(rules.error());
        if (listed->empty() || backends::without_hooks(*rules)) { // or broken off before them
            plan_ = backends::hooks_last(backends::plan_from_nothing(image_));
            return true;
        }
        auto made = backends::plan(*rules, image_);
        if (!made)
            return not_ours(made.error());
        plan_ = std::move(*made);
        held_ = backends::generation_of(backends::without_unreachable(*rules));
        if (!held_) // rules of a folder, not of a kernel
            return not_ours("its rules have no generation");
        number_ = held_->bits(lowest_);
        return true;
    }

    /// What has to be known of connections before rules change.
    Result<bool> prepare() {
        if (!plan_.forget.empty() && next("note whose connections are to be forgotten"))
            if (auto done = note(plan_.forget, held_, lowest_); !done)
                return done;
        if (plan_.judges_anew && next("take the next generation")) {
            const auto taken = take_generation(held_, lowest_);
            if (!taken)
                return Error{taken.error()};
            number_ = *taken;
        }
        return true;
    }

    const backends::NodeImage& image_;
    const LoadOptions& options_;
    unsigned lowest_;
    std::optional<Generation> held_;
    backends::Plan plan_;
    std::uint32_t number_ = 0;
    Loaded out_;
};

} // namespace

Result<Loaded> load_rules(const backends::NodeImage& image, const LoadOptions& options) {
    return RuleLoader(image, options).run();
}

} // namespace polecat::driver
