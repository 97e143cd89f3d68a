// A bundle as BASE or HEAD of a rollout.
#include <algorithm>

#include "backends/bundle/pack.h"
#include "driver/bundle/folder.h"
#include "driver/bundle/node.h"
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
            of_node(node).compiled().image(node, found);
            out.programs.merge(current_->compiled().numbers().programs);
        }
        return out;
    }
    void number_by(backends::Numbers base) override {
        base_ = std::move(base);
        current_.reset();
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
        return made<backends::NodeImage>(node, [&](diag::Diagnostics& found) {
            return of_node(node).compiled().image(node, found);
        });
    }

    ProgramUses uses(const std::string& node, const backends::NodeImage& of) override {
        if (!nodes_.contains(node))
            return {};
        return uses_in(of_node(node).compiled().origins(node, of));
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
        return made<iptables::FilterImage>(node, [&](diag::Diagnostics& found) {
            return of_node(node).compiled().filter_image(node, found);
        });
    }

    Result<std::optional<Tables>> tables(const std::string& node) override {
        return made<Tables>(node, [&](diag::Diagnostics& found) {
            return tables_of(of_node(node).compiled(), node, found);
        });
    }

  private:
    /// The node that was asked for last; each costs a good part of the bundle.
    BundleNode& of_node(const std::string& node) {
        if (!current_ || current_name_ != node) {
            current_ = std::make_unique<BundleNode>(opened_.bundle, node, base_);
            current_name_ = node;
        }
        return *current_;
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
    std::unique_ptr<BundleNode> current_;
    std::string current_name_;
};

} // namespace

std::unique_ptr<RulesSide> packed_side(const std::string& folder, const std::string& key) {
    return std::make_unique<PackedSide>(folder, key);
}

} // namespace polecat::driver
