// Which policies an endpoint has, groups of endpoints that have the same, and their programs.
// felix/calc/{active_rules_calculator,policy_resolver,event_sequencer}.go.
#include <algorithm>
#include <unordered_map>

#include "ir/selector/index.h"
#include "passes/lowering/programs.h"

namespace polecat::passes::lowering {

using decision::Hook;
using policy::Direction;

namespace {

/// A key of parts that can't run into each other.
void append(std::string& key, std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
}

class Grouping {
  public:
    Grouping(const policy::Cluster& cluster, const Profiles& profiles,
             const std::vector<OrderedTier>& tiers, const std::vector<EndpointSource>& endpoints,
             const std::string& only_node, decision::LoweredCluster& lowered)
        : endpoints_(endpoints), only_node_(only_node), lowered_(lowered),
          places_(places_of(tiers)), programs_(cluster, profiles, tiers, places_, lowered) {
        for (const PolicyPlace& place : places_) {
            collect_port_names(place.policy->ingress, port_names_);
            collect_port_names(place.policy->egress, port_names_);
        }
        for (const policy::Profile& profile : cluster.profiles) {
            collect_port_names(profile.ingress, port_names_);
            collect_port_names(profile.egress, port_names_);
        }
    }

    void run() {
        classify();
        select();
        make_groups();
    }

  private:
    /// Endpoints that no policy can tell apart.
    struct Class {
        EndpointSource source;
        std::string ports;                        ///< the named ports in use, as text
        const decision::Object* unread = nullptr; ///< it could not be read; one class each
        std::vector<std::uint32_t> policies;
        std::optional<decision::GroupId> group;
    };

    static constexpr std::uint32_t kElsewhere = UINT32_MAX;
    bool is_wanted(std::size_t endpoint) const {
        return only_node_.empty() || lowered_.endpoints[endpoint].node == only_node_;
    }

    static std::vector<PolicyPlace> places_of(const std::vector<OrderedTier>& tiers) {
        std::vector<PolicyPlace> places;
        for (std::size_t tier = 0; tier < tiers.size(); ++tier)
            for (const policy::Policy* policy : tiers[tier].policies)
                places.push_back({tier, policy});
        return places;
    }

    std::string port_signature(const decision::Object& object) const {
        std::vector<std::string> ports;
        for (const policy::EndpointPort& port : object.ports)
            if (port_names_.contains(port.name))
                ports.push_back(port.name + "/" + std::to_string(port.protocol) + "/" +
                                std::to_string(port.port));
        std::sort(ports.begin(), ports.end());
        std::string text;
        for (const std::string& port : ports)
            append(text, port);
        return text;
    }

    static std::string kind_key(const EndpointSource& source) {
        std::string key{source.host_endpoint != nullptr ? 'h' : 'w',
                        source.all_interfaces ? '*' : '-', source.governed ? 'g' : 'n'};
        for (const std::string& profile : profile_names(source))
            append(key, profile);
        return key + "|";
    }

    void classify() {
        std::unordered_map<std::string, std::uint32_t> by_key;
        for (std::size_t i = 0; i < endpoints_.size(); ++i) {
            if (!is_wanted(i)) {
                class_of_.push_back(kElsewhere);
                continue;
            }
            const decision::Object& object = lowered_.world.objects[i];
            const std::string ports = port_signature(object);
            std::string key = kind_key(endpoints_[i]);
            append(key, ports);
            append(key, object.unread.known() ? std::to_string(i) : "");
            for (const auto& [label, value] : object.labels) {
                append(key, label);
                append(key, value);
            }
            const auto next = static_cast<std::uint32_t>(classes_.size());
            const auto [place, added] = by_key.emplace(std::move(key), next);
            if (added) {
                index_.add(object.labels);
                classes_.push_back({endpoints_[i],
                                    ports,
                                    object.unread.known() ? &object : nullptr,
                                    {},
                                    std::nullopt});
            }
            class_of_.push_back(place->second);
        }
    }

    /// Host endpoints have every kind of policy, workloads only the normal one.
    void select() {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const policy::Policy& policy = *places_[i].policy;
            const bool only_hosts =
                !policy.meta.unread.known() && (*policy.do_not_track || *policy.pre_dnat);
            for (const std::uint32_t id : index_.select(policy::subject_of(policy))) {
                Class& of = classes_[id];
                if (of.source.governed && (of.source.host_endpoint != nullptr || !only_hosts))
                    of.policies.push_back(static_cast<std::uint32_t>(i));
            }
        }
    }

    void make_groups() {
        std::unordered_map<std::string, decision::GroupId> by_key;
        std::optional<decision::GroupId> elsewhere;
        for (std::size_t i = 0; i < endpoints_.size(); ++i) {
            if (class_of_[i] == kElsewhere) {
                if (!elsewhere) {
                    elsewhere =
                        decision::GroupId{static_cast<std::uint32_t>(lowered_.groups.size())};
                    lowered_.groups.emplace_back();
                }
                lowered_.endpoints[i].group = *elsewhere;
                continue;
            }
            Class& of = classes_[class_of_[i]];
            if (!of.group) {
                std::string key = kind_key(of.source);
                append(key, of.ports);
                append(key, of.unread != nullptr ? std::to_string(i) : "");
                for (const std::uint32_t policy : of.policies)
                    append(key, std::to_string(policy));
                const decision::GroupId next{static_cast<std::uint32_t>(lowered_.groups.size())};
                const auto [place, added] = by_key.emplace(std::move(key), next);
                if (added)
                    lowered_.groups.push_back(make_group(of));
                of.group = place->second;
            }
            decision::Endpoint& endpoint = lowered_.endpoints[i];
            endpoint.group = *of.group;
            if (endpoint.is_host_endpoint)
                add_failsafes(endpoint, of);
            lowered_.groups[of.group->value].members.push_back(endpoint.object);
        }
    }

    decision::Group make_group(const Class& of) {
        decision::Group group;
        if (!of.source.governed)
            return group;
        add_programs(group, of, Hook::Normal);
        if (of.source.host_endpoint == nullptr)
            return group;
        if (of.unread != nullptr ||
            has_any(of, Hook::Forward)) // of either direction, as felix/rules/endpoints.go asks
            add_programs(group, of, Hook::Forward);
        if (of.unread != nullptr || has_any(of, Hook::PreDnat))
            add_programs(group, of, Hook::PreDnat);
        // Calico refuses untracked policy on a host endpoint of all interfaces.
        if ((of.unread != nullptr || has_any(of, Hook::Untracked)) && !of.source.all_interfaces)
            add_programs(group, of, Hook::Untracked);
        return group;
    }

    static bool is_at(const policy::Policy& policy, Hook hook) {
        if (policy.meta.unread.known() && policy.kind == policy::PolicyKind::GlobalNetworkPolicy)
            return true; // which it is for is not known
        switch (hook) {
        case Hook::Normal:
            return !*policy.do_not_track && !*policy.pre_dnat;
        case Hook::Forward:
            return *policy.apply_on_forward && !*policy.do_not_track && !*policy.pre_dnat;
        case Hook::PreDnat:
            return *policy.pre_dnat && !*policy.do_not_track;
        case Hook::Untracked:
            return *policy.do_not_track;
        }
        return false;
    }

    bool has_any(const Class& of, Hook hook) const {
        return std::any_of(of.policies.begin(), of.policies.end(), [&](std::uint32_t place) {
            return is_at(*places_[place].policy, hook);
        });
    }

    Programs::Request request_of(const Class& of, Hook hook, Direction direction) const {
        Programs::Request request;
        request.hook = hook;
        request.direction = direction;
        request.unread = of.unread;
        for (const std::uint32_t place : of.policies) {
            const policy::Policy& policy = *places_[place].policy;
            const bool governs =
                direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
            if (governs && is_at(policy, hook))
                request.policies.push_back(place);
        }
        if (hook == Hook::Normal)
            request.profiles = profile_names(of.source);
        return request;
    }

    /// Of earlier hooks that packets to or from the host itself meet.
    std::vector<Programs::Request> earlier(const Class& of, Direction direction,
                                           const Programs::Request& own) const {
        std::vector<Programs::Request> out;
        const auto add = [&](Hook hook) {
            out.push_back(request_of(of, hook, direction));
            out.back().family = own.family;
            out.back().failsafes = own.failsafes;
        };
        if (!of.source.all_interfaces) // as in make_group
            add(Hook::Untracked);
        if (direction == Direction::Ingress)
            add(Hook::PreDnat);
        return out;
    }

    /// Nodes differ in their failsafe ports, so these are no part of a group.
    void add_failsafes(const decision::Endpoint& endpoint, const Class& of) {
        const policy::FelixSettings& felix = lowered_.felix_of(endpoint.node);
        for (const Direction direction : {Direction::Ingress, Direction::Egress})
            for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                const auto [place, added] =
                    behind_failsafes_.try_emplace({endpoint.group, &felix, direction, family});
                if (added) {
                    Programs::Request request = request_of(of, Hook::Normal, direction);
                    request.failsafes = &felix;
                    request.family = family;
                    request.before = earlier(of, direction, request);
                    place->second = programs_.build(request);
                }
                lowered_.behind_failsafes.emplace(
                    decision::LoweredCluster::AtEnd{endpoint.object, direction, family},
                    place->second);
            }
    }

    void add_programs(decision::Group& group, const Class& of, Hook hook) {
        for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
            if (hook == Hook::PreDnat && direction == Direction::Egress)
                continue;
            Programs::Request request = request_of(of, hook, direction);
            for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                request.family = family;
                group.programs.emplace(decision::Group::Key{direction, hook, family},
                                       programs_.build(request));
            }
        }
    }

    const std::vector<EndpointSource>& endpoints_;
    const std::string& only_node_;
    decision::LoweredCluster& lowered_;
    std::vector<PolicyPlace> places_;
    Programs programs_;
    std::set<std::string> port_names_;
    selector::LabelIndex index_;
    std::vector<Class> classes_;
    std::vector<std::uint32_t> class_of_; ///< by endpoint
    /// Of host endpoints of a group on nodes of one configuration.
    using Behind =
        std::tuple<decision::GroupId, const policy::FelixSettings*, Direction, net::Family>;
    std::map<Behind, decision::GroupProgram> behind_failsafes_;
};

} // namespace

void build_groups(const policy::Cluster& cluster, const Profiles& profiles,
                  const std::vector<OrderedTier>& tiers,
                  const std::vector<EndpointSource>& endpoints, const std::string& only_node,
                  decision::LoweredCluster& lowered) {
    Grouping(cluster, profiles, tiers, endpoints, only_node, lowered).run();
}

} // namespace polecat::passes::lowering
