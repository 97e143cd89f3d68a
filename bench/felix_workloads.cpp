#include "bench/felix_workloads.h"

#include <array>

#include <fmt/format.h>

#include "frontend/selector/parse.h"

namespace polecat::bench {

using policy::Cluster;
using policy::Policy;

namespace {

policy::SelectorField selector(const std::string& text) {
    return {text, *frontend::parse_selector(text), {}};
}

net::Address v4(std::uint32_t number) {
    return {net::Family::V4, 0, number};
}

At<net::Cidr> host(std::uint32_t number) {
    return {net::Cidr{v4(number), 32}, {}};
}

constexpr std::uint32_t kFirstAddress = 0x0A000001; // 10.0.0.1

/// 31 places, 29 names.
std::string marker(std::size_t place) {
    const std::size_t at = place % 31;
    return fmt::format("marker-{}", at == 1 ? 0 : at == 30 ? 20 : at);
}

policy::Workload endpoint(std::size_t i, bool local) {
    policy::Workload out;
    out.kind = "WorkloadEndpoint";
    out.meta.name = fmt::format("wep-{}", i);
    out.meta.space = fmt::format("namespace-{}", i % 100);
    std::vector<std::pair<std::string, std::string>> labels;
    for (const std::size_t k : {10u, 11u, 20u, 30u, 40u})
        labels.emplace_back(fmt::format("one-in-{}", k), fmt::format("value-{}", i % k));
    labels.emplace_back(marker(i), "true");
    out.meta.labels = selector::Labels(labels);
    out.node = local ? kLocalNode : "remotehost";
    out.interface_name = fmt::format("cali{}", i);
    out.addresses.push_back(host(kFirstAddress + static_cast<std::uint32_t>(i - 1)));
    out.profiles.push_back({fmt::format("kns.namespace-{}", i % 100), {}});
    return out;
}

/// 200 local endpoints after the remote ones, and 100 namespaces.
Cluster endpoints(std::size_t remote) {
    Cluster out;
    for (std::size_t i = 0; i < 100; ++i) {
        policy::Profile profile;
        profile.meta.name = fmt::format("kns.namespace-{}", i);
        profile.labels_to_apply.set("pcns.projectcalico.org/name", fmt::format("namespace-{}", i));
        out.profiles.push_back(std::move(profile));
    }
    out.workloads.reserve(remote + 200);
    for (std::size_t i = 1; i <= remote + 200; ++i)
        out.workloads.push_back(endpoint(i, i > remote));
    return out;
}

Policy global_policy(std::string name, const std::string& subject) {
    Policy out;
    out.kind = policy::PolicyKind::GlobalNetworkPolicy;
    out.manifest_kind = "GlobalNetworkPolicy";
    out.meta.name = std::move(name);
    out.selector = selector(subject);
    return out;
}

policy::Rule allow_from(const std::string& text) {
    policy::Rule rule;
    rule.source.selector = selector(text);
    return rule;
}

} // namespace

Cluster tag_policies(std::size_t remote, std::size_t policies) {
    Cluster out = endpoints(remote);
    for (std::size_t p = 0; p < policies; ++p) {
        Policy policy = global_policy(fmt::format("policy-{}", p), "has(" + marker(p) + ")");
        for (std::size_t j = 0; j < 5; ++j)
            policy.ingress.push_back(allow_from("has(" + marker(p + j) + ")"));
        out.policies.push_back(std::move(policy));
    }
    return out;
}

Cluster netset_policies(std::size_t remote, std::size_t count) {
    static constexpr std::array<std::uint32_t, 10> kSizes{1, 1, 1, 1, 2, 3, 4, 5, 100, 1000};
    Cluster out = endpoints(remote);
    std::uint32_t next = 0x0B000000; // 11.0.0.0
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = fmt::format("network-set-{}", i);
        policy::NetworkSet set;
        set.meta.name = name;
        set.meta.labels.set("network-set-name", name);
        for (std::uint32_t size = kSizes[i % kSizes.size()]; size > 0; --size)
            set.nets.push_back(host(next++));
        out.network_sets.push_back(std::move(set));
        Policy policy = global_policy("policy-" + name, "all()");
        policy.ingress.push_back(allow_from("network-set-name == '" + name + "'"));
        out.policies.push_back(std::move(policy));
    }
    return out;
}

Cluster isolated_customers(std::size_t customers) {
    Cluster out;
    out.namespaces.reserve(customers);
    out.workloads.reserve(customers);
    out.policies.reserve(customers);
    for (std::size_t i = 0; i < customers; ++i) {
        const std::string name = fmt::format("customer-{}", i);
        policy::Namespace space;
        space.meta.name = name;
        space.meta.labels.set("projectcalico.org/name", name);
        space.meta.labels.set("customer-id", fmt::format("{:020}", i * 7919));
        space.meta.labels.set("premium", i % 2 == 0 ? "true" : "false");
        out.namespaces.push_back(std::move(space));
        policy::Workload pod;
        pod.kind = "WorkloadEndpoint";
        pod.meta.name = "pod";
        pod.meta.space = name;
        std::vector<std::pair<std::string, std::string>> labels;
        for (const auto& [key, width] :
             {std::pair{"a", 20}, {"b", 20}, {"c", 10}, {"d", 20}, {"e", 8}})
            labels.emplace_back(fmt::format("unique-{}", key), fmt::format("{:0{}}", i, width));
        for (std::size_t bit = 0; bit < 4; ++bit)
            labels.emplace_back(fmt::format("bit-{}", bit), (i >> bit & 1) != 0 ? "1" : "0");
        for (const std::size_t values : {3u, 4u, 4u, 5u})
            labels.emplace_back(fmt::format("of-{}-{}", values, labels.size()),
                                fmt::format("v{}", i % values));
        labels.emplace_back("constant", "same");
        labels.emplace_back("of-5000", fmt::format("v{}", i % 5000));
        pod.meta.labels = selector::Labels(labels);
        pod.node = i % (customers / 100) == 0 ? kLocalNode : "remotehost";
        pod.interface_name = fmt::format("cali{}", i);
        pod.addresses.push_back(host(kFirstAddress + static_cast<std::uint32_t>(i)));
        pod.profiles.push_back({"kns." + name, {}});
        out.workloads.push_back(std::move(pod));

        const std::string own = "pcns.projectcalico.org/name == '" + name + "'";
        Policy policy = global_policy("policy-" + name, own);
        policy.egress_type = true;
        policy.ingress.push_back(allow_from(own));
        policy::Rule to;
        to.destination.selector = selector(own);
        policy.egress.push_back(std::move(to));
        policy::Rule dns;
        dns.protocol = At<net::Protocol>{net::kUdp, {}};
        dns.destination.nets.push_back(host(0x0AFFFF0A));
        dns.destination.ports.push_back({net::PortRange{53, 53}, {}});
        policy.egress.push_back(std::move(dns));
        out.policies.push_back(std::move(policy));
    }
    return out;
}

Cluster long_policy(std::size_t rules) {
    Cluster out = endpoints(100);
    constexpr std::size_t kSets = 3708;
    for (std::size_t i = 0; i < kSets; ++i) {
        policy::NetworkSet set;
        set.meta.name = fmt::format("set-{}", i);
        set.meta.labels.set("set", set.meta.name);
        for (std::uint32_t j = 0; j < 69; ++j)
            set.nets.push_back(host(0x0B000000 + static_cast<std::uint32_t>(i) * 69 + j));
        out.network_sets.push_back(std::move(set));
    }
    for (std::size_t i = 0; i < rules; i += 68) {
        Policy policy = global_policy(fmt::format("policy-{}", i), "all()");
        for (std::size_t j = i; j < std::min(i + 68, rules); ++j) {
            policy::Rule rule;
            rule.protocol = At<net::Protocol>{net::kTcp, {}};
            const auto port = static_cast<std::uint16_t>(1024 + j % 97);
            rule.destination.ports.push_back({net::PortRange{port, port}, {}});
            if (j % 4 == 0)
                rule.source.selector = selector(fmt::format("set == 'set-{}'", j % kSets));
            else
                rule.source.nets.push_back(host(0x0C000000 + static_cast<std::uint32_t>(j)));
            policy.ingress.push_back(std::move(rule));
        }
        out.policies.push_back(std::move(policy));
    }
    return out;
}

} // namespace polecat::bench
