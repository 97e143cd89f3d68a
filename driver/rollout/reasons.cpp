#include "driver/rollout/reasons.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "ir/decision/eval.h"

namespace polecat::driver {

using backends::NodeImage;

struct Reasons::State {
    const RulesSide& base;
    const RulesSide& head;
    bool compared = false; ///< both are manifests
    ManifestChanges changes;
    std::map<Reason, std::size_t> made; ///< beside those of `changes`
    std::map<std::string, Span> places; ///< of HEAD's policies, where it is manifests

    std::size_t make(Reason reason) {
        const auto [place, added] = made.try_emplace(reason, changes.all.size());
        if (added)
            changes.all.push_back(std::move(reason));
        return place->second;
    }
};

namespace {

std::optional<ManifestVersion> version_of(const RulesSide& side) {
    if (side.input() == nullptr)
        return std::nullopt;
    return ManifestVersion{*side.input(), *side.lowered()};
}

/// What an address is to the rules before and after.
enum class AddressChange : std::uint8_t { Comes, Goes, Other };

/// Settings that differ, by what FelixConfiguration calls them.
std::string changed_settings(const NodeImage& before, const NodeImage& after) {
    std::string out;
    const auto look = [&](const char* name, bool same) {
        if (!same)
            out += (out.empty() ? "" : ", ") + std::string(name);
    };
    look("defaultEndpointToHostAction", before.to_host == after.to_host);
    look("interfacePrefix", before.interface_prefixes == after.interface_prefixes);
    look("allowVXLANPacketsFromWorkloads or vxlanPort",
         before.dropped_vxlan_port == after.dropped_vxlan_port);
    look("allowIPIPPacketsFromWorkloads", before.drops_ipip == after.drops_ipip);
    look("disableConntrackInvalidCheck", before.drops_invalid == after.drops_invalid);
    look("nftablesFilterDenyAction", before.rejects == after.rejects);
    look("logActionRateLimit", before.log_rate == after.log_rate);
    look("failsafe ports",
         before.failsafe_in == after.failsafe_in && before.failsafe_out == after.failsafe_out);
    look("tunnels or addresses of nodes", before.tunnels == after.tunnels);
    return out;
}

} // namespace

/// The reasons of one node.
class NodeReasons {
  public:
    NodeReasons(Reasons::State& state, const NodeChange& change) : state_(state), change_(change) {}

    Reasons::Found run() {
        find_programs();
        find_addresses();
        find_workloads();
        find_rows();
        unknown_ends_ = unknown_ends_ || change_.before.outside != change_.after.outside;
        if (unknown_ends_)
            find_questions();
        const std::string settings = changed_settings(change_.before, change_.after);
        if (!settings.empty())
            found_.insert(state_.make({"settings", "changed: " + settings, ""}));
        return {{found_.begin(), found_.end()}, complete_};
    }

  private:
    static const ProgramUse* use_of(const ProgramUses& uses, const std::string& program) {
        const auto found = uses.find(program);
        return found == uses.end() ? nullptr : &found->second;
    }

    /// Of programs that come, or that go.
    struct Policies {
        std::set<std::string> ruling, silent; ///< the latter where none of their rules is there

        void add(const ProgramUse& use) {
            for (const std::string& each : use.policies)
                (use.without_rules.contains(each) ? silent : ruling).insert(each);
        }
        bool has(const std::string& policy) const {
            return ruling.contains(policy) || silent.contains(policy);
        }
    };

    void find_programs() {
        Policies come, go;
        for (const RulesPart& part : change_.parts.parts) {
            const bool comes = part.change == PartChange::Comes;
            if (part.kind != PartKind::Program || (!comes && part.change != PartChange::Goes))
                continue;
            const ProgramUse* use =
                use_of(comes ? change_.uses_after : change_.uses_before, part.name);
            if (use == nullptr) {
                complete_ = false; // no names are there for it
                continue;
            }
            (comes ? come : go).add(*use);
            if (state_.compared && !explain(*use))
                unknown_programs_ = true;
        }
        if (!state_.compared)
            compare_uses(come, go);
        // Another cut of packets or rows that are usual: what the ends are has changed.
        unknown_ends_ = unknown_ends_ || unknown_programs_;
    }

    bool explain(const ProgramUse& use) {
        bool any = false;
        for (const std::string& policy : use.policies)
            if (const auto found = state_.changes.policies.find(policy);
                found != state_.changes.policies.end()) {
                found_.insert(found->second);
                any = true;
            }
        for (const std::string& endpoint : use.endpoints)
            if (const auto found = state_.changes.endpoints.find(endpoint);
                found != state_.changes.endpoints.end()) {
                found_.insert(found->second.begin(), found->second.end());
                any = true;
            }
        return any;
    }

    /// By the names alone: what is in programs that come and in none that go, and the other way
    /// round; where there is no such, what the other side may not show, and all that they have.
    void compare_uses(const Policies& come, const Policies& go) {
        bool any = false;
        const auto add_missing = [&](const std::set<std::string>& of, const Policies& other,
                                     const char* what) {
            for (const std::string& policy : of)
                if (!other.has(policy)) {
                    add_policy(policy, what);
                    any = true;
                }
        };
        add_missing(come.ruling, go, "is in programs that come, and in none that go");
        add_missing(go.ruling, come, "is in programs that go, and in none that come");
        if (any)
            return;
        add_missing(come.silent, go, "may be new: it has no rules, by which BASE would show it");
        add_missing(go.silent, come, "may be gone: it has no rules, by which HEAD would show it");
        for (const std::string& policy : come.ruling)
            add_policy(policy, "may have changed: BASE's text of it is not there");
    }

    void add_policy(const std::string& policy, const char* what) {
        const auto place = state_.places.find(policy);
        const bool known = place != state_.places.end() && place->second.known();
        found_.insert(state_.make(
            {policy, what,
             known ? state_.head.input()->sources.describe(place->second) : std::string()}));
    }

    void find_addresses() {
        const auto& before = change_.before.addresses;
        const auto& after = change_.after.addresses;
        for (const auto& [address, identity] : before) {
            const auto found = after.find(address);
            if (found == after.end())
                explain(address, AddressChange::Goes);
            else if (found->second != identity)
                explain(address, AddressChange::Other);
            else
                continue;
            changed_.insert(identity);
            if (found != after.end())
                changed_.insert(found->second);
        }
        for (const auto& [address, identity] : after)
            if (!before.contains(address)) {
                explain(address, AddressChange::Comes);
                changed_.insert(identity);
            }
    }

    void explain(const net::Address& address, AddressChange how) {
        if (!state_.compared) {
            found_.insert(state_.make(seen(address, how)));
            return;
        }
        const auto found = state_.changes.addresses.find(address);
        if (found == state_.changes.addresses.end())
            unknown_ends_ = true; // others ask more or less of it
        else
            found_.insert(found->second.begin(), found->second.end());
    }

    /// What rules show of an address, with the name that manifests of either side have for it.
    Reason seen(const net::Address& address, AddressChange how) const {
        Reason out;
        const char* what = how == AddressChange::Comes  ? "is new"
                           : how == AddressChange::Goes ? "is gone"
                                                        : "is another to policy: its labels "
                                                          "changed, or what policies ask of them";
        out.object = net::to_string(address);
        for (const RulesSide* side : {&state_.head, &state_.base}) {
            if (side->lowered() == nullptr)
                continue;
            const auto& cluster = side->lowered()->cluster;
            const auto held = decision::end_of(cluster.world, address).objects;
            if (held.empty())
                continue;
            const decision::Object& object = cluster.world.object(held.front());
            out.object = fmt::format("{} {} ({})", object.manifest_kind, object.name,
                                     net::to_string(address));
            if (object.span.known())
                out.at = side->input()->sources.describe(object.span);
            break;
        }
        out.what = what;
        return out;
    }

    using Places = std::set<std::pair<std::string, net::Address>>;
    static Places places_of(const NodeImage& image) {
        Places out;
        for (const backends::DispatchEntry& each : image.dispatch)
            out.emplace(each.interface, each.address);
        return out;
    }

    /// A pod that moves between nodes has its address everywhere all the while.
    void find_workloads() {
        const Places before = places_of(change_.before), after = places_of(change_.after);
        for (const auto& place : before)
            if (!after.contains(place))
                explain(place.second, AddressChange::Goes);
        for (const auto& place : after)
            if (!before.contains(place))
                explain(place.second, AddressChange::Comes);
        const auto points = [](const NodeImage& image) {
            std::set<std::string> out;
            for (const backends::AttachPoint& each : image.attached)
                out.insert(each.interface);
            return out;
        };
        if (points(change_.before) != points(change_.after) && found_.empty())
            complete_ = false;
    }

    /// Rows that come or go in programs that stay: of identities whose addresses changed, or of
    /// those that policies tell apart now.
    void find_rows() {
        for (const auto& [name, program] : change_.after.programs) {
            const auto was = change_.before.programs.find(name);
            if (was == change_.before.programs.end() || was->second == program)
                continue;
            const auto& before = was->second->others;
            const auto& after = program->others;
            for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
                look_at(before[i].rows, after[i].rows);
                look_at(after[i].rows, before[i].rows);
            }
        }
    }
    using Rows = std::map<std::uint32_t, std::uint32_t>;
    void look_at(const Rows& of, const Rows& other) {
        for (const auto& [identity, row] : of) {
            const auto found = other.find(identity);
            if ((found == other.end() || found->second != row) && !changed_.contains(identity))
                unknown_ends_ = true;
        }
    }

    /// Ends changed and no object of them did: what is asked of them has.
    void find_questions() {
        found_.insert(state_.changes.questions.begin(), state_.changes.questions.end());
        found_.insert(state_.changes.others.begin(), state_.changes.others.end());
        complete_ = complete_ && !found_.empty();
    }

    Reasons::State& state_;
    const NodeChange& change_;
    std::set<std::size_t> found_;
    std::set<std::uint32_t> changed_; ///< identities of addresses that changed
    bool unknown_ends_ = false, unknown_programs_ = false;
    bool complete_ = true;
};

Reasons::Reasons(const RulesSide& base, const RulesSide& head)
    : state_(std::make_unique<State>(State{base, head, false, {}, {}, {}})) {
    const auto before = version_of(base), now = version_of(head);
    state_->compared = before && now;
    if (state_->compared)
        state_->changes = changes_between(*before, *now);
    if (!now)
        return;
    for (const policy::OrderedTier& tier : now->lowered.policies.tiers)
        for (const policy::Policy* each : tier.policies)
            state_->places[policy::to_string(policy_name(*each))] = each->meta.span;
}

Reasons::~Reasons() = default;

Reasons::Found Reasons::of(const NodeChange& change) {
    return NodeReasons(*state_, change).run();
}

const std::vector<Reason>& Reasons::all() const {
    return state_->changes.all;
}

} // namespace polecat::driver
