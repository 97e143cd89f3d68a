// Default deny that forgets DNS: the most frequent way to break an application with policy.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/hypothetical.h"
#include "analyzer/lint/checks.h"
#include "analyzer/lint/dns_servers.h"
#include "analyzer/lint/egress_fixes.h"
#include "analyzer/program_sets.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using analyzer::restricted;
using decision::Identity;
using decision::Object;
using decision::Program;

namespace {

const DnsPorts kUsualPorts{{kDnsPort}, {kDnsPort}};

ConnectionSet to_ports(net::Protocol protocol, const std::set<std::uint16_t>& ports) {
    std::vector<net::PortRange> ranges;
    for (const std::uint16_t port : ports)
        ranges.push_back({port, port});
    return ConnectionSet::of(protocol, analyzer::PortPairs::of(net::PortSet::of(ranges),
                                                               net::PortSet::of(net::PortRange{})));
}

/// What an endpoint's egress lets it ask of resolvers.
struct Lookups {
    bool udp = false, tcp = false;
    bool pods = false;     ///< over UDP, of the DNS pods
    bool local = false;    ///< over UDP, of the node-local cache
    bool anything = false; ///< it may send something at all
};

/// Where NodeLocal DNSCache listens, beside the address of the DNS service.
constexpr net::Address kNodeLocal{net::Family::V4, 0, 0xA9FE140A};

bool is_node_local(const policy::Workload& workload) {
    return workload.kind == "DaemonSet" && workload.pod_labels.find("k8s-app") == "node-local-dns";
}

class DnsChecker {
  public:
    DnsChecker(Context& context, net::Family family, Diagnostics& out)
        : context_(context), family_(family), out_(out), ends_(context.ends(family)),
          servers_(dns_servers_of(context, ends_)), absent_(context.lowered),
          atoms_({&context.lowered}) {
        selector::Labels labels;
        labels.set("k8s-app", "kube-dns");
        absent_.add_pod("kube-system", labels,
                        {{"dns", net::kUdp, 53}, {"dns-tcp", net::kTcp, 53}});
        find_node_local();
        for (const auto& [name, front] : context.lowered.service_fronts)
            service_addresses_.insert(front.cluster_ips.begin(), front.cluster_ips.end());
    }

    void run() {
        std::map<std::pair<std::uint32_t, Identity>, Lookups> known;
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i) {
            const analyzer::EndGroup& group = ends_.list()[i];
            // A host asks by failsafe ports, and rarely the cluster's DNS.
            if (!group.egress || servers_.groups.contains(i) || is_host(group))
                continue;
            const Program& program = context_.lowered.program(*group.egress);
            const Identity own =
                restricted(ends_.identity(i), analyzer::predicates_of(program, true));
            const auto [place, added] = known.try_emplace({group.egress->value, own});
            if (added)
                place->second = lookups_of(program, own);
            if (node_local_ && place->second.pods && !place->second.local)
                note(group, without_local_);
            if (place->second.anything && !(place->second.udp && place->second.tcp))
                note(group, place->second.udp ? without_tcp_ : without_udp_);
        }
        report(Code::DnsMissing, without_udp_);
        report(Code::DnsTcpMissing, without_tcp_);
        report(Code::NodeLocalDnsMissed, without_local_);
    }

  private:
    struct Hit {
        decision::PolicyBlock policy;
        std::vector<std::string> endpoints;
        std::vector<decision::ObjectId> objects;
    };
    using Hits = std::map<analyzer::PolicyKey, Hit>;

    bool is_host(const analyzer::EndGroup& group) const {
        return !group.is_outside() &&
               context_.object(group.objects.front()).kind == decision::Object::Kind::HostEndpoint;
    }

    /// Ends at which the node-local cache answers. It takes over the address of the DNS service.
    void find_node_local() {
        const auto& workloads = context_.cluster.workloads;
        node_local_ = std::any_of(workloads.begin(), workloads.end(), is_node_local);
        std::set<net::Address> addresses{kNodeLocal};
        for (const auto& [name, front] : context_.lowered.service_fronts)
            if (std::any_of(front.ports.begin(), front.ports.end(),
                            [](const auto& port) { return port.port == kDnsPort; }))
                addresses.insert(front.cluster_ips.begin(), front.cluster_ips.end());
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (std::any_of(addresses.begin(), addresses.end(), [&](const net::Address& each) {
                    return ends_.list()[i].outside.contains(each);
                }))
                local_.push_back(i);
    }

    /// Addresses outside of the cluster that could be a resolver's: not those of services, which
    /// policy never sees.
    bool may_resolve(const analyzer::EndGroup& group) const {
        if (!group.is_outside())
            return false;
        const auto& ranges = group.outside.ranges();
        return ranges.size() > 1 || ranges.front().first != ranges.front().last ||
               !service_addresses_.contains(ranges.front().first);
    }

    Lookups lookups_of(const Program& program, const Identity& own) {
        Lookups out;
        const analyzer::ProgramFlows flows(program, atoms_);
        const auto look = [&](const Identity& other, const DnsPorts* resolver) {
            const ConnectionSet may = flows.between(own, other).may;
            out.anything = out.anything || !may.empty();
            if (resolver != nullptr) {
                out.udp = out.udp || !(may & to_ports(net::kUdp, resolver->udp)).empty();
                out.tcp = out.tcp || !(may & to_ports(net::kTcp, resolver->tcp)).empty();
            }
        };
        const auto predicates = analyzer::predicates_of(program, false);
        for (const auto& [server, ports] : servers_.groups)
            look(restricted(ends_.identity(server), predicates), &ports);
        if (servers_.groups.empty())
            look(absent_.identity(0, family_, predicates), &servers_.ports);
        out.pods = out.udp;
        out.local = std::any_of(local_.begin(), local_.end(), [&](std::uint32_t group) {
            const Identity other = restricted(ends_.identity(group), predicates);
            return !(flows.between(own, other).may & to_ports(net::kUdp, kUsualPorts.udp)).empty();
        });
        if (out.udp && out.tcp)
            return out;
        const auto partition = ends_.others_of(program);
        std::vector<bool> resolves(partition.classes.size(), servers_.groups.empty());
        std::vector<bool> listed(ends_.list().size(), false);
        for (const auto& [group, number] : partition.groups) {
            listed[group] = true;
            resolves[number] = resolves[number] || may_resolve(ends_.list()[group]);
        }
        for (std::uint32_t i = 0; i < listed.size(); ++i)
            resolves[0] = resolves[0] || (!listed[i] && may_resolve(ends_.list()[i]));
        for (std::size_t i = 0; i < partition.classes.size(); ++i)
            look(partition.classes[i], !resolves[i]              ? nullptr
                                       : servers_.groups.empty() ? &servers_.ports
                                                                 : &kUsualPorts);
        return out;
    }

    void note(const analyzer::EndGroup& group, Hits& hits) {
        for (const decision::ObjectId id : group.objects) {
            const auto* program = program_of(id);
            if (program == nullptr)
                continue;
            const decision::PolicyBlock& policy = isolating(*program);
            Hit& hit = hits[key_of(policy)];
            hit.policy = policy;
            hit.endpoints.push_back(context_.object(id).name);
            hit.objects.push_back(id);
        }
    }

    static analyzer::PolicyKey key_of(const decision::PolicyBlock& policy) {
        return {policy.kind, policy.space, policy.name, policy.kind_of_policy};
    }

    /// Of an endpoint that policies govern. One family is enough to ask over; who has both asks
    /// over IPv4.
    const decision::GroupProgram* program_of(decision::ObjectId id) const {
        if (family_ == net::Family::V6 && context_.ends(net::Family::V4).group_of(id))
            return nullptr;
        const auto* program =
            context_.lowered.find(id, decision::Direction::Egress, decision::Hook::Normal, family_);
        return program == nullptr || program->slots.policies().empty() ? nullptr : program;
    }

    /// The last policy that has a say: what it does not allow is denied.
    const decision::PolicyBlock& isolating(const decision::GroupProgram& program) const {
        const Program& of = context_.lowered.program(program.program);
        const decision::PolicyBlock* found = &program.slots.policies().front();
        for (const decision::PolicyBlock& each : program.slots.policies())
            if (!each.staged && of.stages[each.stage].end == decision::StageEnd::Deny)
                found = &each;
        return *found;
    }

    std::string server_name() const {
        return servers_.groups.empty()
                   ? "the cluster's DNS"
                   : context_.object(ends_.list()[servers_.groups.begin()->first].objects.front())
                         .name;
    }

    // --- fixes -----------------------------------------------------------------------------------

    static bool governs(const analyzer::PolicyKey& key, const decision::GroupProgram& program) {
        const auto& policies = program.slots.policies();
        return std::any_of(policies.begin(), policies.end(),
                           [&](const auto& each) { return !each.staged && key_of(each) == key; });
    }

    /// The endpoints that the policy governs and those of the hit are the same, so that no other
    /// is let out, whatever its family.
    bool governs_only(const analyzer::PolicyKey& key, const Hit& hit) const {
        std::set<decision::ObjectId> governed;
        for (const decision::Group& group : context_.lowered.groups)
            for (const auto& [of, program] : group.programs)
                if (of.direction == decision::Direction::Egress && governs(key, program))
                    governed.insert(group.members.begin(), group.members.end());
        return governed.size() == hit.objects.size();
    }

    /// Hosts mostly ask resolvers outside of the cluster.
    bool of_pods(const Hit& hit) const {
        return std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
            return context_.object(id).kind == Object::Kind::Workload;
        });
    }

    /// No other tier has a say, which would have to let DNS through as well.
    bool in_one_tier(const Hit& hit) const {
        return std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
            const auto& policies = program_of(id)->slots.policies();
            return std::all_of(policies.begin(), policies.end(), [&](const auto& each) {
                return each.staged || each.stage == hit.policy.stage;
            });
        });
    }

    /// Policies that govern every endpoint of the hit.
    std::vector<decision::PolicyBlock> common_policies(const Hit& hit) const {
        std::vector<decision::PolicyBlock> out;
        for (const decision::PolicyBlock& each : program_of(hit.objects.front())->slots.policies())
            if (!each.staged && std::all_of(hit.objects.begin(), hit.objects.end(), [&](auto id) {
                    return governs(key_of(each), *program_of(id));
                }))
                out.push_back(each);
        return out;
    }

    /// A policy behind may deny DNS, and a rule before it would let that through.
    bool denied_behind(Code code, const analyzer::PolicyKey& key, const Hit& hit) const {
        std::set<const void*> seen;
        for (const decision::ObjectId id : hit.objects) {
            const decision::Attribution& slots = program_of(id)->slots;
            if (!seen.insert(slots.identity()).second)
                continue;
            bool behind = false;
            for (const decision::PolicyBlock& each : slots.policies()) {
                if (behind && !each.staged &&
                    (may_deny_dns(context_.cluster, each, net::kTcp) ||
                     (code == Code::DnsMissing && may_deny_dns(context_.cluster, each, net::kUdp))))
                    return true;
                behind = behind || key_of(each) == key;
            }
        }
        return false;
    }

    /// Only one edit that is obvious is one.
    std::optional<diag::Fix> fix_of(Code code, const Hit& hit) const {
        const DnsPods pods = servers_.pods.value_or(DnsPods{"kube-system", "k8s-app", "kube-dns"});
        // OpenShift's DNS pods listen on another port.
        if (!servers_.one_kind || !servers_.as_usual() || pods.space.empty() ||
            pods.value == "default" || code == Code::NodeLocalDnsMissed || !of_pods(hit) ||
            !in_one_tier(hit))
            return std::nullopt;
        if (code == Code::DnsMissing && governs_only(key_of(hit.policy), hit) &&
            !denied_behind(code, key_of(hit.policy), hit))
            return allow_dns(context_.cluster, hit.policy, pods);
        std::optional<diag::Fix> out;
        for (const decision::PolicyBlock& each : common_policies(hit)) {
            if (denied_behind(code, key_of(each), hit))
                continue;
            auto fix = code == Code::DnsTcpMissing ? allow_dns_tcp(context_.cluster, each, pods)
                       : is_union(each) && governs_only(key_of(each), hit)
                           ? allow_dns(context_.cluster, each, pods)
                           : std::nullopt;
            if (fix && out)
                return std::nullopt;
            if (fix)
                out = std::move(fix);
        }
        return out;
    }

    /// Of these it does not matter which of them allows something.
    static bool is_union(const decision::PolicyBlock& policy) {
        return policy.kind_of_policy == policy::PolicyKind::KubernetesNetworkPolicy;
    }

    static std::string listed_ports(const std::set<std::uint16_t>& ports, const char* protocol) {
        return fmt::format("{}/{}", fmt::join(ports, ", "), protocol);
    }

    std::string hint_of(Code code) const {
        return code == Code::NodeLocalDnsMissed
                   ? "allow egress to 169.254.20.10/32 on 53/UDP and 53/TCP, or to the address of "
                     "the DNS service, if pods ask there"
                   : "allow egress to the DNS pods (namespace kube-system, label k8s-app: "
                     "kube-dns) on " +
                         listed_ports(servers_.ports.udp, "UDP") + " and " +
                         listed_ports(servers_.ports.tcp, "TCP");
    }

    /// Of the node-local cache, or the first of the DNS pods.
    std::string asked_of(Code code) const {
        const DnsPorts& ports = code == Code::NodeLocalDnsMissed || servers_.groups.empty()
                                    ? kUsualPorts
                                    : servers_.groups.begin()->second;
        return code == Code::DnsTcpMissing ? fmt::format("TCP {}", *ports.tcp.begin())
                                           : fmt::format("UDP {}", *ports.udp.begin());
    }

    void report(Code code, const Hits& hits) {
        for (const auto& [key, hit] : hits)
            out_.report(code, hit.policy.span,
                        {counted(hit.endpoints.size(), "endpoint"), listed(hit.endpoints)})
                .about(analyzer::to_string(key))
                .with_witness({hit.endpoints.front(),
                               code == Code::NodeLocalDnsMissed ? "169.254.20.10" : server_name(),
                               asked_of(code)})
                .with_hint(hint_of(code))
                .with_fix(fix_of(code, hit));
    }

    Context& context_;
    net::Family family_;
    Diagnostics& out_;
    analyzer::EndGroups& ends_;
    DnsServers servers_;
    analyzer::Hypothetical absent_;
    analyzer::HttpAtoms atoms_;
    std::set<net::Address> service_addresses_;
    std::vector<std::uint32_t> local_; ///< groups
    bool node_local_ = false;          ///< the cluster has a node-local cache
    Hits without_udp_, without_tcp_, without_local_;
};

} // namespace

void check_dns(Context& context, Diagnostics& out) {
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        DnsChecker(context, family, out).run();
}

} // namespace polecat::lint
