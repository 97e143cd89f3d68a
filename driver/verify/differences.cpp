#include "driver/verify/differences.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "driver/verify/both_programs.h"

namespace polecat::driver {

using backends::AttachPoint;
using backends::NodeImage;
using decision::Direction;
using decision::Hook;

namespace {

net::Range all_of(net::Family family) {
    return {net::first_address(family), net::last_address(family)};
}

template <class T> std::set<T> as_set(const std::vector<T>& list) {
    return {list.begin(), list.end()};
}

class Comparison {
  public:
    Comparison(const NodeImage& rules, const NodeImage& policy) : rules_(rules), policy_(policy) {}

    std::vector<Difference> run() {
        compare_settings();
        compare_endpoints();
        compare_other_sources();
        compare_host_endpoints();
        return std::move(out_);
    }

  private:
    void say(std::string interface, std::string what) {
        out_.push_back({std::move(interface), std::move(what), {}});
    }

    void compare_settings() {
        const auto compare = [&](const char* what, const auto& of) {
            if (!(of(rules_) == of(policy_)))
                say("", fmt::format("{}: not as the policy has it", what));
        };
        compare("defaultEndpointToHostAction", std::mem_fn(&NodeImage::to_host));
        compare("interfacePrefix",
                [](const auto& image) { return as_set(image.interface_prefixes); });
        compare("VXLAN packets from workloads", std::mem_fn(&NodeImage::dropped_vxlan_port));
        compare("IPIP packets from workloads", std::mem_fn(&NodeImage::drops_ipip));
        compare("packets that conntrack calls invalid", std::mem_fn(&NodeImage::drops_invalid));
        compare("whether denied packets are answered", std::mem_fn(&NodeImage::rejects));
        compare("rate of Log rules", std::mem_fn(&NodeImage::log_rate));
        compare("failsafe ports inbound",
                [](const auto& image) { return as_set(image.failsafe_in); });
        compare("failsafe ports outbound",
                [](const auto& image) { return as_set(image.failsafe_out); });
        compare("tunnels between nodes", std::mem_fn(&NodeImage::tunnels));
    }

    // --- workloads -------------------------------------------------------------------------------

    using Places = std::map<std::pair<std::string, net::Range>, std::uint32_t>; ///< groups

    void compare_endpoints() {
        const auto places = [](const NodeImage& image) {
            Places out;
            for (const backends::DispatchEntry& each : image.dispatch)
                out[{each.interface, {each.address, each.address}}] = each.group;
            return out;
        };
        compare_places(places(rules_), places(policy_));
    }

    void compare_other_sources() {
        const auto places = [](const NodeImage& image) {
            Places out;
            for (const backends::SourceRange& each : image.other_sources)
                out[{each.interface, each.range}] = each.group;
            return out;
        };
        compare_places(places(rules_), places(policy_));
    }

    static std::string text_of_range(const net::Range& range) {
        return range.first == range.last
                   ? net::to_string(range.first)
                   : net::to_string(range.first) + " to " + net::to_string(range.last);
    }

    void compare_places(const Places& rules, const Places& policy) {
        for (const auto& [place, group] : rules)
            if (!policy.contains(place))
                say(place.first, text_of_range(place.second) +
                                     " is let in here, the policy has no such endpoint");
        for (const auto& [place, group] : policy) {
            const auto found = rules.find(place);
            if (found == rules.end())
                say(place.first, text_of_range(place.second) +
                                     " is missing: all packets from and to it are dropped");
            else
                compare_group(place.first, place.second, found->second, group);
        }
    }

    void compare_group(const std::string& interface, const net::Range& own, std::uint32_t rules,
                       std::uint32_t policy) {
        const auto runs = rules_.groups.find(rules), must = policy_.groups.find(policy);
        if (runs == rules_.groups.end() || must == policy_.groups.end())
            return say(interface, text_of_range(own) + " runs no program");
        const auto ends =
            own.first == own.last
                ? std::map<BothIdentities, net::Address>{{{identity_of(rules_, own.first),
                                                           identity_of(policy_, own.first)},
                                                          own.first}}
                : both_identities(rules_, policy_, own);
        compare_programs(interface, ends, runs->second.egress, must->second.egress);
        compare_programs(interface, ends, runs->second.ingress, must->second.ingress);
    }

    // --- host endpoints --------------------------------------------------------------------------

    void compare_host_endpoints() {
        using Key = std::tuple<std::string, Hook, Direction, net::Family>;
        const auto keyed = [](const NodeImage& image) {
            std::map<Key, std::string> out;
            for (const AttachPoint& each : image.attached)
                out[{each.interface, each.hook, each.direction, each.family}] = each.program;
            return out;
        };
        const auto rules = keyed(rules_), policy = keyed(policy_);
        const auto name = [](const Key& key) {
            return fmt::format("{} {} {}", decision::to_string(std::get<1>(key)),
                               decision::to_string(std::get<2>(key)),
                               net::to_string(std::get<3>(key)));
        };
        for (const auto& [key, program] : rules)
            if (!policy.contains(key))
                say(std::get<0>(key), "asks a program that the policy does not have: " + name(key));
        for (const auto& [key, program] : policy)
            if (const auto found = rules.find(key); found == rules.end())
                say(std::get<0>(key), "asks no program: " + name(key));
            else
                compare_programs(std::get<0>(key), all_ends(std::get<3>(key)), found->second,
                                 program);
    }

    // --- programs --------------------------------------------------------------------------------

    using Ends = std::map<BothIdentities, net::Address>;

    const Ends& all_ends(net::Family family) {
        Ends& out = all_ends_[family];
        if (out.empty())
            out = both_identities(rules_, policy_, all_of(family));
        return out;
    }

    BothPrograms* both(const std::string& rules, const std::string& policy) {
        auto& made = both_[{rules, policy}];
        const auto runs = rules_.programs.find(rules), must = policy_.programs.find(policy);
        if (!made && runs != rules_.programs.end() && must != policy_.programs.end())
            made = std::make_unique<BothPrograms>(rules, *runs->second, policy, *must->second);
        return made.get();
    }

    /// One difference: of all own ends, with all others.
    void compare_programs(const std::string& interface, const Ends& own, const std::string& rules,
                          const std::string& policy) {
        BothPrograms* programs = both(rules, policy);
        if (programs == nullptr)
            return say(interface, "a program is not there: " + rules);
        const backends::ProgramImage& shape = *policy_.programs.at(policy);
        std::set<BothPrograms::OwnClasses> seen;
        std::optional<Difference> first;
        for (const auto& [own_both, own_address] : own) {
            const auto classes = programs->own_classes(own_both);
            if (!seen.insert(classes).second)
                continue;
            for (const auto& [other, address] : all_ends(shape.family)) {
                const auto found = programs->differ(classes, other);
                if (!found)
                    continue;
                Difference made{interface, {}, flow_of(shape, own_address, address, *found)};
                const bool opens = made.flow->opens();
                if (!first || opens)
                    first = std::move(made);
                if (opens)
                    return out_.push_back(std::move(*first));
            }
        }
        if (first)
            out_.push_back(std::move(*first));
    }

    static FlowDifference flow_of(const backends::ProgramImage& program, const net::Address& own,
                                  const net::Address& other, const BothPrograms::Found& found) {
        const bool egress = program.direction == Direction::Egress;
        return {program.hook, program.direction, egress ? own : other, egress ? other : own, {},
                {},           found.packet,      found.rules,          found.policy};
    }

    const NodeImage& rules_;
    const NodeImage& policy_;
    std::map<net::Family, Ends> all_ends_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<BothPrograms>> both_;
    std::vector<Difference> out_;
};

} // namespace

std::vector<Difference> differences(const NodeImage& rules, const NodeImage& policy) {
    return Comparison(rules, policy).run();
}

} // namespace polecat::driver
