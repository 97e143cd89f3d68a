/// BASE and HEAD of a rollout: manifests, a folder that `polecat compile` wrote, or a listing of
/// what one node runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/bpf/bpf.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "driver/compile/compilation.h"
#include "driver/compile/origins.h"
#include "driver/input/input.h"
#include "passes/lower.h"

namespace polecat::driver {

/// Who runs a program, and whose rules it has.
struct ProgramUse {
    std::string direction;               ///< "ingress"; of host endpoints with the hook
    std::vector<std::string> endpoints;  ///< names, sorted
    std::set<std::string> policies;      ///< "NetworkPolicy shop/web"
    std::set<std::string> without_rules; ///< of `policies`; only manifests show those
    bool operator==(const ProgramUse&) const = default;
};
using ProgramUses = std::map<std::string, ProgramUse>; ///< by name of the program

/// By what origins.json says.
ProgramUses uses_in(const Origins& origins);

class RulesSide {
  public:
    virtual ~RulesSide() = default;

    virtual std::string name() const = 0; ///< "base/ (manifests)"
    virtual std::set<std::string> nodes() const = 0;
    /// What numbers mean there, for HEAD to go by; nullopt: it does not say.
    virtual std::optional<backends::Numbers> numbers() = 0;
    /// For manifests: go by these. Before anything is asked for a node.
    virtual void number_by(backends::Numbers base) = 0;
    struct Held {
        nft::Ruleset rules;
        backends::NodeImage image;
        bool may_have_more = false; ///< what an unfinished plan left is among the rules
    };
    /// What a node has by this as BASE; nullopt: nothing. An error says why it can't be told.
    virtual Result<std::optional<Held>> held(const std::string& node) = 0;
    /// What a node is to have by this as HEAD; nullopt: nothing is said of it.
    virtual Result<std::optional<backends::NodeImage>> wanted(const std::string& node) = 0;
    /// Of a node that was asked for.
    virtual ProgramUses uses(const std::string& node, const backends::NodeImage& image) = 0;
    virtual std::vector<std::string> notes() const { return {}; }

    /// The same for iptables.
    virtual Result<std::optional<iptables::Ruleset>> held_filter(const std::string& node) = 0;
    virtual Result<std::optional<iptables::FilterImage>> wanted_filter(const std::string& node) = 0;
    virtual ProgramUses filter_uses(const std::string& /*node*/,
                                    const iptables::FilterImage& /*image*/) {
        return {};
    }

    /// The same for the BPF classifier, of BASE as of HEAD.
    struct Tables {
        bpf::Node node;
        bpf::Image tables;
        std::optional<iptables::Ruleset> listed{}; ///< the rules around, of what a node lists
    };
    virtual Result<std::optional<Tables>> tables(const std::string& /*node*/) {
        return Error{name() + " has no tables"};
    }

    /// nullptr: it is no manifests.
    virtual const Input* input() const { return nullptr; }
    virtual const passes::Lowered* lowered() const { return nullptr; }
};

/// What compiles to for a node; nullopt: what can't be said is told.
std::optional<RulesSide::Tables> tables_of(Compilation& compiled, const std::string& node,
                                           diag::Diagnostics& told);

/// `input` must outlive it. Diagnostics of what rules can't say go to `diagnostics`, where given.
std::unique_ptr<RulesSide> manifests_side(std::string name, const Input& input,
                                          diag::Diagnostics* diagnostics);
/// Of iptables a folder has no numbers. An error where it lacks those that it should have.
Result<std::unique_ptr<RulesSide>> compiled_side(const std::string& folder, bool of_iptables);
/// A bundle of `compile --target bundle`, whose nodes make rules of it. `key`: a file with the
/// public key that it must be signed with, or empty. This and numbers() throw bundle::Refused.
std::unique_ptr<RulesSide> packed_side(const std::string& folder, const std::string& key);
/// `numbers`: the compiled folder that the node was loaded from, empty: none is known.
Result<std::unique_ptr<RulesSide>> listing_side(const std::string& path, const std::string& node,
                                                const std::string& numbers);
/// A folder with `rules.v4`, `rules.v6` and `sets.ipset` as a node lists them.
Result<std::unique_ptr<RulesSide>> filter_listing_side(const std::string& folder,
                                                       const std::string& node);
/// The same with `tables.bpf` beside them. `numbers`: as of listing_side().
Result<std::unique_ptr<RulesSide>>
table_listing_side(const std::string& folder, const std::string& node, const std::string& numbers);

/// A note of a listing that nobody says the compiled folder of.
std::string numbers_unknown(const std::string& listing);

} // namespace polecat::driver
