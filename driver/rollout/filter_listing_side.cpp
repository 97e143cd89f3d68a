// What a node lists of iptables and ipset, as BASE or HEAD of a rollout.
#include <algorithm>

#include "driver/compile/filter_folder.h"
#include "driver/rollout/side.h"

namespace polecat::driver {

namespace {

class FilterListingSide : public RulesSide {
  public:
    FilterListingSide(std::string folder, std::string node, iptables::Ruleset rules)
        : folder_(std::move(folder)), node_(std::move(node)), rules_(std::move(rules)) {}

    std::string name() const override { return folder_ + " (listing of " + node_ + ")"; }
    std::set<std::string> nodes() const override { return {node_}; }
    std::optional<backends::Numbers> numbers() override { return std::nullopt; } // by digests
    void number_by(backends::Numbers /*base*/) override {}
    Result<std::optional<Held>> held(const std::string& /*node*/) override { return of_iptables(); }
    Result<std::optional<backends::NodeImage>> wanted(const std::string& /*node*/) override {
        return of_iptables();
    }
    ProgramUses uses(const std::string& /*node*/, const backends::NodeImage& /*image*/) override {
        return {};
    }

    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& node) override {
        return node == node_ ? std::optional(rules_) : std::nullopt;
    }
    Result<std::optional<iptables::FilterImage>> wanted_filter(const std::string& node) override {
        if (node != node_)
            return std::optional<iptables::FilterImage>();
        auto image = iptables::read_back(rules_);
        return image ? Result<std::optional<iptables::FilterImage>>(std::move(*image))
                     : Error{folder_ + ": " + image.error()};
    }

  private:
    Error of_iptables() const { return Error{folder_ + " is a listing of iptables"}; }

    std::string folder_, node_;
    iptables::Ruleset rules_;
};

} // namespace

Result<std::unique_ptr<RulesSide>> filter_listing_side(const std::string& folder,
                                                       const std::string& node) {
    auto rules = listed_filter_rules_in(folder);
    if (!rules)
        return Error{rules.error()};
    if (rules->find_set(kUnfinishedSet) != nullptr)
        return Error{folder + ": a load was broken off (set " + kUnfinishedSet +
                     " is there): `polecat load` finishes it by loading all of it"};
    return std::unique_ptr<RulesSide>(
        std::make_unique<FilterListingSide>(folder, node, std::move(*rules)));
}

} // namespace polecat::driver
