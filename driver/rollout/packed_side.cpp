// A bundle as BASE or HEAD of a rollout.
#include <algorithm>

#include "backends/bundle/pack.h"
#include "driver/bundle/folder.h"
#include "driver/bundle/nodes.h"
#include "driver/rollout/side.h"

namespace polecat::driver {

namespace {

/// Numbers of identities are the bundle's; those of programs are BASE's where it is HEAD.
class PackedSide : public RulesSide {
  public:
    PackedSide(std::string folder, const std::string& key)
        : folder_(std::move(folder)), opened_(open_bundle(folder_, key)) {
        for (const std::string& node : opened_.bundle.nodes())
            nodes_.insert(node);
    }

    std::string name() const override { return folder_ + " (bundle)"; }
    std::set<std::string> nodes() const override { return nodes_; }

    /// Of the programs of all nodes: what comes to one may run elsewhere already.
    std::optional<backends::Numbers> numbers() override {
        backends::Numbers out = bundle::base_of(opened_.bundle.all()).identities;
        for (const std::string& node : nodes_) {
            diag::Diagnostics found;
            compiled().image(node, found);
        }
        out.programs = compiled().numbers().programs;
        return out;
    }
    void number_by(backends::Numbers base) override {
        base_ = std::move(base);
        made_.reset();
    }

    Result<std::optional<Held>> held(const std::string& node) override {
        auto image = wanted(node);
        if (!image || !*image)
            return image ? Result<std::optional<Held>>(std::optional<Held>())
                         : Error{image.error()};
        nft::Ruleset rules = backends::emit(**image);
        return std::optional(Held{std::move(rules), std::move(**image)});
    }
    Result<std::optional<backends::NodeImage>> wanted(const std::string& node) override {
        return made<backends::NodeImage>(
            node, [&](diag::Diagnostics& found) { return compiled().image(node, found); });
    }

    ProgramUses uses(const std::string& node, const backends::NodeImage& of) override {
        if (!nodes_.contains(node))
            return {};
        return uses_in(compiled().origins(node, of));
    }

    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& node) override {
        auto image = wanted_filter(node);
        if (!image || !*image)
            return image ? Result<std::optional<iptables::Ruleset>>(
                               std::optional<iptables::Ruleset>())
                         : Error{image.error()};
        iptables::Ruleset rules = iptables::emit(**image);
        rules.sort();
        return std::optional(std::move(rules));
    }
    Result<std::optional<iptables::FilterImage>> wanted_filter(const std::string& node) override {
        return made<iptables::FilterImage>(
            node, [&](diag::Diagnostics& found) { return compiled().filter_image(node, found); });
    }

  private:
    /// All nodes together: their programs are made once.
    Compilation& compiled() {
        if (!made_)
            made_ = std::make_unique<BundleNodes>(opened_.bundle, nodes_, base_);
        return made_->compiled();
    }
    /// nullopt: the bundle has nothing for the node.
    template <class Image, class Make>
    Result<std::optional<Image>> made(const std::string& node, const Make& make) {
        if (!nodes_.contains(node))
            return std::optional<Image>();
        diag::Diagnostics found;
        try {
            if (std::optional<Image> image = make(found))
                return image;
        } catch (const bundle::Refused& refused) {
            return Error{folder_ + ": " + refused.why};
        }
        return Error{"rules can't say what " + folder_ + " has for it"};
    }

    std::string folder_;
    OpenBundle opened_;
    std::set<std::string> nodes_;
    backends::Numbers base_;
    std::unique_ptr<BundleNodes> made_;
};

} // namespace

std::unique_ptr<RulesSide> packed_side(const std::string& folder, const std::string& key) {
    return std::make_unique<PackedSide>(folder, key);
}

} // namespace polecat::driver
