#include "backends/iptables/build.h"

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/iptables/cut.h"
#include "backends/iptables/filter_rules.h"
#include "backends/iptables/layout.h"
#include "backends/iptables/levels.h"
#include "ir/path/interfaces.h"

namespace polecat::iptables {

using decision::Direction;
using decision::LoweredCluster;

namespace {

/// "ingress[0] of NetworkPolicy shop/web", "end of tier default".
std::string origin_of(const decision::Slot& slot, Direction direction) {
    std::string out;
    switch (slot.kind) {
    case decision::Slot::Kind::Rule:
        out = fmt::format("{}[{}] of {}", decision::to_string(direction), slot.rule_index,
                          to_string(slot.policy));
        break;
    case decision::Slot::Kind::EndOfTier:
        out = slot.tier.empty() ? "end of a profile" : "end of tier " + slot.tier;
        break;
    case decision::Slot::Kind::UnreadEndpoint:
        out = to_string(slot.policy) + " could not be read";
        break;
    case decision::Slot::Kind::EndOfProgram:
    case decision::Slot::Kind::AdminDown:
    case decision::Slot::Kind::Failsafe:
        out = "end of policy";
        break;
    }
    return filter_layout::plain_text(out, 200);
}

class FilterBuilder {
  public:
    FilterBuilder(const LoweredCluster& cluster, const FilterSets& sets,
                  backends::NodeImages& images, const backends::NodeImage& node,
                  std::size_t most_stages)
        : cluster_(cluster), sets_(sets), images_(images), node_(node), most_stages_(most_stages) {}

    FilterImage run(const std::string& name, bool with_pods) {
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            if (with_pods && endpoint.node == name && !endpoint.host_network &&
                !endpoint.is_host_endpoint)
                add_endpoint(endpoint);
        add_host_endpoints(name);
        for (const auto& [place, programs] : pods_)
            out_.pods.push_back({place.first, place.second, programs.egress, programs.ingress});
        return std::move(out_);
    }

    /// Untracked policy with a rule that only conntrack could be asked about.
    const std::string& unsaid() const { return unsaid_; }
    /// Programs that are closed since they have too many stages, by a tier of each.
    const std::set<std::string>& too_deep() const { return too_deep_; }

  private:
    void add_host_endpoints(const std::string& node) {
        out_.frame = frame_of(node_);
        out_.frame.attached.clear();
        const ir::NodeInterfaces interfaces = ir::interfaces_of(cluster_, node);
        for (const auto& each : interfaces.named)
            attach(each.host_endpoint, each.name);
        if (interfaces.wildcard)
            attach(*interfaces.wildcard, "*");
        std::sort(out_.frame.attached.begin(), out_.frame.attached.end());
    }

    void attach(decision::ObjectId id, const std::string& interface) {
        const decision::Endpoint& endpoint = *cluster_.endpoint_of(id);
        for (const auto& [key, program] : cluster_.groups[endpoint.group.value].programs)
            out_.frame.attached.push_back({interface, key.hook, key.direction, key.family,
                                           name_of(program, key.direction, key.hook)});
    }

    void add_endpoint(const decision::Endpoint& endpoint) {
        for (const backends::DispatchEntry& entry : node_.dispatch) {
            const auto& held = cluster_.world.object(endpoint.object).addresses;
            if (entry.interface != endpoint.interface_name ||
                std::find(held.begin(), held.end(), entry.address) == held.end())
                continue;
            const auto width = static_cast<std::uint8_t>(net::width(entry.address.family));
            pods_.try_emplace({entry.interface, net::block_of(entry.address, width)},
                              programs_of(endpoint, entry.address.family));
        }
    }

    backends::EndpointGroup programs_of(const decision::Endpoint& endpoint, net::Family family) {
        return {program(endpoint, Direction::Egress, family),
                program(endpoint, Direction::Ingress, family)};
    }

    std::string program(const decision::Endpoint& endpoint, Direction direction,
                        net::Family family) {
        return name_of(*cluster_.find(endpoint.object, direction, decision::Hook::Normal, family),
                       direction, decision::Hook::Normal);
    }

    std::string name_of(const decision::GroupProgram& found, Direction direction,
                        decision::Hook hook) {
        auto& known = names_[{found.program.value, found.slots.identity()}];
        if (!known.empty())
            return known;
        FilterProgram made = make(found, direction, hook);
        std::string text =
            fmt::format("{} {}\n", decision::to_string(direction), net::to_string(made.family));
        if (hook != decision::Hook::Normal)
            text += fmt::format("hook {}\n", static_cast<int>(hook));
        for (const FilterStage& stage : made.stages)
            text += text_of(stage);
        known = "p" + backends::digest_of(text, 12);
        if (!out_.programs.try_emplace(known, made).second && out_.programs.at(known) != made)
            throw std::logic_error("two programs have one name: " + known);
        return known;
    }

    /// All that an image holds of a stage: what a name is made from.
    static std::string text_of(const FilterStage& stage) {
        iptables::Table table{{{"rules", {}}}};
        std::string out;
        for (const FilterRule& rule : stage.rules) {
            out += fmt::format("{} {} {}\n", to_string(rule.action), rule.slot, rule.what);
            table.chains.front().rules.push_back({rule.matches, {}, {}});
        }
        return out + iptables::print(table) +
               fmt::format("{} {} {}\n", static_cast<int>(stage.end), stage.slot, stage.what);
    }

    FilterProgram make(const decision::GroupProgram& found, Direction direction,
                       decision::Hook hook) {
        backends::NamedProgram left_out; // told by whoever made the node's image
        const decision::Program program =
            backends::Programs::expressible(cluster_, found.program, left_out);
        FilterProgram out;
        out.hook = hook;
        out.family = program.family;
        const auto what = [&](decision::SlotId slot) {
            return origin_of(found.slots[slot.value], direction);
        };
        if (node_.programs.at(images_.name_of(found.program))->closed) {
            close(out);
            return out;
        }
        bool reached = true;
        for (const decision::Stage& stage : program.stages)
            if (reached)
                reached = add_stage(stage, what, out);
        if (reached)
            out.stages.push_back({{},
                                  program.otherwise == decision::Action::Allow
                                      ? FilterStage::End::Allow
                                      : FilterStage::End::Deny,
                                  program.otherwise_slot.value,
                                  what(program.otherwise_slot)});
        if (out.stages.size() > most_stages_) {
            too_deep_.insert(name_stages(out));
            close(out);
        }
        return out;
    }

    static void close(FilterProgram& program) {
        program.stages = {
            {{}, FilterStage::End::Deny, 0, "closed: its policy is larger than rules can tell"}};
    }

    /// By how each ends: "end of tier a, end of tier b".
    static std::string name_stages(const FilterProgram& program) {
        std::string out;
        for (const FilterStage& each : program.stages)
            out += (out.empty() ? "" : ", ") + each.what;
        return out;
    }

    /// Whether packets go on after it.
    bool add_stage(const decision::Stage& stage,
                   const std::function<std::string(decision::SlotId)>& what, FilterProgram& to) {
        FilterStage& made = to.stages.emplace_back();
        bool passes = stage.end == decision::StageEnd::Next;
        made.end = passes ? FilterStage::End::Next : FilterStage::End::Deny;
        made.slot = stage.end_slot.value;
        made.what = what(stage.end_slot);
        const SetOf set_of = [&](decision::PredicateId id) { return use(id, to.family); };
        for (const decision::Entry& entry : stage.entries) {
            if (entry.staged)
                continue;
            for (auto& matches : filter_rules(entry.match, to.family, set_of)) {
                passes = passes || entry.action == decision::Action::Pass;
                if (to.hook == decision::Hook::Untracked && asks_conntrack(matches))
                    unsaid_ = what(entry.slot);
                made.rules.push_back(
                    {std::move(matches), entry.action, entry.slot.value, what(entry.slot)});
            }
        }
        settle_order(made.rules);
        return passes;
    }

    static bool asks_conntrack(const std::vector<Match>& matches) {
        return std::any_of(matches.begin(), matches.end(), [](const Match& each) {
            return std::holds_alternative<NotFlowProtocol>(each);
        });
    }

    NamedSet use(decision::PredicateId id, net::Family family) {
        NamedSet out{sets_.name(id, family), sets_.is_pair(id)};
        if (!out_.sets.contains(out.name)) {
            iptables::Ruleset sorted;
            sorted.sets.push_back(sets_.set(id, family));
            sorted.sort();
            out_.sets[out.name] = std::move(sorted.sets.front());
        }
        return out;
    }

    const LoweredCluster& cluster_;
    const FilterSets& sets_;
    backends::NodeImages& images_;
    const backends::NodeImage& node_;
    std::size_t most_stages_;
    FilterImage out_;
    std::string unsaid_;
    std::set<std::string> too_deep_;
    std::map<std::pair<std::uint32_t, const void*>, std::string> names_;
    std::map<std::pair<std::string, net::Cidr>, backends::EndpointGroup> pods_;
};

/// What these rules leave out is narrower, never wider.
void report_settings(const backends::NodeImage& image, const std::string& node,
                     diag::Diagnostics& diagnostics) {
    const auto report = [&](bool given, const char* what, const char* instead) {
        if (given)
            diagnostics.report(diag::Code::SettingNotInIptables, Span{}, {node, what, instead});
    };
    report(image.rejects, "iptablesFilterDenyAction: Reject", "what is denied is dropped");
    report(!image.drops_invalid, "disableConntrackInvalidCheck",
           "what conntrack calls invalid is dropped");
    report(image.log_rate.has_value(), "logActionRateLimit", "Log rules log every packet");
    report(!image.other_sources.empty(), "allowedSourcePrefixes of pods",
           "a pod sends from its own addresses only");
}

} // namespace

FilterImages::FilterImages(const LoweredCluster& cluster, backends::NodeImages& images)
    : cluster_(cluster), images_(images) {}

std::optional<FilterImage> FilterImages::of(const std::string& node,
                                            diag::Diagnostics& diagnostics) {
    const auto image = images_.of(node, diagnostics);
    if (!image)
        return std::nullopt;
    report_settings(*image, node, diagnostics);
    return make(node, *image, true, diag::Code::HostEndpointNotInIptables, diagnostics);
}

std::optional<FilterImage> FilterImages::of_host(const std::string& node,
                                                 const backends::NodeImage& image,
                                                 diag::Code unsaid,
                                                 diag::Diagnostics& diagnostics) {
    return make(node, image, false, unsaid, diagnostics);
}

std::optional<FilterImage> FilterImages::make(const std::string& node,
                                              const backends::NodeImage& image, bool with_pods,
                                              diag::Code unsaid, diag::Diagnostics& diagnostics) {
    if (!sets_)
        sets_.emplace(cluster_, images_.numbers());
    for (std::size_t most_stages = kProgramLevels;; --most_stages) {
        FilterBuilder builder(cluster_, *sets_, images_, image, most_stages);
        FilterImage out = builder.run(node, with_pods);
        if (!builder.unsaid().empty()) {
            diagnostics.report(unsaid, Span{}, {node, builder.unsaid()});
            return std::nullopt;
        }
        if (most_stages > 1 && !fits(out))
            continue;
        for (const std::string& each : builder.too_deep())
            diagnostics.report(
                diag::Code::TableTooLarge, Span{},
                {node, "a policy of many tiers (" + each + ")",
                 fmt::format("more than {} tiers and profiles one after the other", most_stages)});
        return out;
    }
}

} // namespace polecat::iptables
