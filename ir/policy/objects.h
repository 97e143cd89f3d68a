/// The typed objects of a cluster other than rules, source-shaped. Sources: Kubernetes API types;
/// api/pkg/apis/projectcalico/v3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/net/address.h"
#include "ir/policy/metadata.h"
#include "ir/policy/policy_name.h"
#include "ir/policy/rule.h"
#include "ir/policy/settings.h"
#include "ir/selector/selector.h"
#include "support/box.h"
#include "support/source.h"

namespace polecat::policy {

struct Tier {
    Metadata meta;
    std::optional<At<double>> order;
    At<Action> default_action{Action::Deny, {}}; ///< Deny or Pass
};

/// A Calico policy (any of the kinds, Kubernetes ones after conversion).
struct Policy {
    Metadata meta;
    PolicyKind kind = PolicyKind::NetworkPolicy;
    std::string manifest_kind; ///< the kind in the manifest ("ClusterNetworkPolicy")
    At<std::string> tier{"default", {}};
    std::optional<At<double>> order;
    bool place_unread = false; ///< tier or order could not be read
    Box<SelectorField> selector;
    Box<SelectorField> namespace_selector; ///< global policies
    Box<SelectorField> service_account_selector;
    bool ingress_type = true, egress_type = false; ///< `types` after defaulting
    std::vector<At<std::string>> performance_hints;
    std::vector<Rule> ingress, egress;
    At<bool> do_not_track, pre_dnat, apply_on_forward;
    std::string staged_action; ///< staged kinds: "Set", "Delete", "Learn", "Ignore"
};
PolicyName policy_name(const Policy& policy);

struct Profile {
    Metadata meta;
    std::vector<Rule> ingress, egress;
    Labels labels_to_apply;
};

/// NetworkSet (namespaced) or GlobalNetworkSet (space empty).
struct NetworkSet {
    Metadata meta;
    std::vector<At<net::Cidr>> nets;
    std::vector<At<std::string>> allowed_egress_domains; ///< Calico Enterprise
};

/// A port that an endpoint declares by name.
struct EndpointPort {
    std::string name;
    net::Protocol protocol = net::kTcp;
    std::uint16_t port = 0;
    std::uint16_t host_port = 0; ///< of a pod: the node's port that leads to it; 0: none
    auto operator<=>(const EndpointPort&) const = default;
};

/// A Kubernetes pod, or the pods that a workload's template makes (Deployment, StatefulSet, ...),
/// or a WorkloadEndpoint object.
struct Workload {
    Metadata meta;               ///< of the pod, the workload or the WorkloadEndpoint
    std::string kind;            ///< "Pod", "Deployment", ..., "WorkloadEndpoint"
    Labels pod_labels;           ///< labels of the pods
    std::string service_account; ///< "default" for pods that name none; empty: not a pod
    std::string node;
    std::string dns_policy; ///< of pods; empty: ClusterFirst
    bool host_network = false;
    bool finished = false;                    ///< phase Succeeded or Failed: no address any more
    std::vector<At<net::Cidr>> addresses;     ///< /32 and /128 of pods; empty: not known
    std::vector<EndpointPort> ports;          ///< those with a name
    std::vector<EndpointPort> listens;        ///< every port that a container declares
    std::optional<At<std::int64_t>> replicas; ///< of a Deployment, StatefulSet, ...
    std::int64_t first_ordinal = 0;           ///< of a StatefulSet: the number of its first pod
    std::vector<At<std::string>> profiles;    ///< WorkloadEndpoint only; pods get kns., ksa.
    std::string interface_name;
    std::map<std::string, std::string> pod_annotations;
    std::string owner_kind, owner_name;                   ///< of a pod that a workload made
    std::map<std::string, std::string> felix_environment; ///< FELIX_* that its containers are given
    std::vector<net::Cidr> other_sources; ///< of a WorkloadEndpoint: allowSpoofedSourcePrefixes
};

struct HostEndpoint {
    Metadata meta;
    std::string node;
    std::string interface_name; ///< "*" for all interfaces
    std::vector<At<net::Address>> expected_ips;
    std::vector<At<std::string>> profiles;
    std::vector<EndpointPort> ports;
};

struct Namespace {
    Metadata meta;
};

struct ServiceAccount {
    Metadata meta;
};

/// A Kubernetes Node or a Calico Node object.
struct Node {
    Metadata meta;
    bool is_calico = false;
    std::vector<net::Address> addresses; ///< InternalIP, ExternalIP; Calico bgp.ipv4Address
    std::vector<net::Cidr> pod_cidrs;
    At<std::string> kernel; ///< status.nodeInfo.kernelVersion; empty: not said
    Settings spec;          ///< Calico Node: bgp.asNumber and the rest
};

struct ServicePort {
    std::string name;
    net::Protocol protocol = net::kTcp;
    std::uint16_t port = 0;
    std::variant<std::uint16_t, std::string> target_port{std::uint16_t{0}}; ///< 0: as `port`
    std::uint16_t node_port = 0;
};

struct Service {
    Metadata meta;
    std::string type;                       ///< ClusterIP, NodePort, LoadBalancer, ExternalName
    std::string external_traffic_policy;    ///< Cluster or Local; empty: Cluster
    std::string internal_traffic_policy;    ///< the same of its cluster addresses
    bool headless = false;                  ///< clusterIP: None
    std::vector<net::Address> cluster_ips;  ///< empty too where the API server is to choose
    std::vector<net::Cidr> source_ranges;   ///< loadBalancerSourceRanges; empty: any
    std::vector<net::Family> families;      ///< ipFamilies, or those of the cluster IPs
    std::vector<net::Address> external_ips; ///< spec.externalIPs
    std::vector<net::Address> ingress_ips;  ///< of the load balancer, status.loadBalancer
    std::optional<net::Address> load_balancer_ip; ///< spec.loadBalancerIP
    Span cluster_ips_span, external_ips_span, ingress_ips_span;
    std::vector<std::pair<std::string, std::string>> selector;
    std::vector<ServicePort> ports;

    /// external_ips, then the load balancer's: those it has, or else the one that is asked for.
    std::vector<net::Address> outside_ips() const;
};

/// A Secret: that it has a key is all that is known of it. Values are never read.
struct Secret {
    Metadata meta;
    std::vector<At<std::string>> keys; ///< of data and stringData

    bool has(std::string_view key) const;
};

/// An Ingress or a route of the Gateway API: services that a controller sends requests of clients
/// to.
struct RequestRoute {
    struct Backend {
        std::string space, service;
        std::string port_name;  ///< of the service; empty: port says it
        std::uint16_t port = 0; ///< of the service; 0 and no name: not said
        Span span;
    };
    std::string kind;
    Metadata meta;
    std::string class_name; ///< of the Ingress; empty: the cluster's default
    std::vector<Backend> backends;
    struct Gateway {
        std::string space, name;
    };
    std::vector<Gateway> gateways; ///< of a route: its parents that are gateways
    bool has_parents = false;      ///< of a route: it names parents, of any kind
};

struct IngressClass {
    Metadata meta;
    std::string controller; ///< "k8s.io/ingress-nginx"
};

/// An EndpointSlice, or an Endpoints subset.
struct ServiceEndpoints {
    Metadata meta;
    bool is_slice = false; ///< an EndpointSlice; otherwise one subset of an Endpoints
    std::string service;   ///< name, in meta.space
    std::vector<net::Address> addresses;
    std::optional<net::Family> family; ///< of a slice; nullopt: of names (FQDN)
    struct Endpoint {
        std::string node; ///< nodeName; empty: not said
        bool ready = true;
    };
    std::vector<Endpoint> endpoints; ///< of a slice
    struct EndpointsPort {
        std::string name;
        net::Protocol protocol = net::kTcp;
        std::optional<std::uint16_t> port;
    };
    std::vector<EndpointsPort> ports;
};

struct IpPool {
    Metadata meta;
    net::Cidr cidr;
    bool disabled = false;
    std::string node_selector, namespace_selector;
    std::vector<std::string> allowed_uses;
    Settings spec; ///< every field
    /// "spec", or of a pool of the operator's Installation "spec.calicoNetwork.ipPools[0]".
    std::string path = "spec";
};

/// What a workload's packets to its own node end in, after the workload's egress policy.
enum class HostAction : std::uint8_t { Drop, Accept, Return };

/// FelixConfiguration fields that change verdicts; null: Calico's default.
struct FelixSettings {
    struct FailsafePort {
        net::Protocol protocol;
        std::uint16_t port;
        std::optional<net::Cidr> net;
        auto operator<=>(const FailsafePort&) const = default;
    };
    std::optional<std::vector<FailsafePort>> failsafe_inbound, failsafe_outbound;
    std::optional<HostAction> to_host; ///< defaultEndpointToHostAction; Drop
    std::optional<std::vector<std::string>> interface_prefixes; ///< of workloads; "cali"
    std::optional<bool> allow_vxlan_from_workloads, allow_ipip_from_workloads; ///< false
    std::optional<std::uint16_t> vxlan_port;                                   ///< 4789
    std::optional<bool> vxlan, ipip, wireguard, wireguard6;       ///< tunnels between nodes
    std::optional<std::uint16_t> wireguard_port, wireguard6_port; ///< 51820, 51821
    std::optional<bool> skips_invalid_check;  ///< disableConntrackInvalidCheck; false
    std::optional<bool> rejects;              ///< nftablesFilterDenyAction; Drop
    std::optional<bool> allows_other_sources; ///< workloadSourceSpoofing; Disabled
    std::optional<std::string> log_rate;      ///< logActionRateLimit, "10/second"
    std::optional<std::uint32_t> log_burst;   ///< logActionRateLimitBurst
    Span unread; ///< known: something of it could not be read, and may be any of these
};

/// An object of a kind that a schema describes and no lowering needs: BGPPeer, BGPConfiguration,
/// BGPFilter, IPReservation, IPAMConfiguration, FelixConfiguration, KubeControllersConfiguration,
/// ClusterInformation, CalicoNodeStatus, Installation, ...
struct OtherObject {
    std::string api_version, kind;
    Metadata meta;
    Settings spec; ///< of an Installation: its calicoNetwork
    /// Of an Installation: what else of its spec counts (kubernetesProvider, serviceCIDRs, cni).
    Settings around{};
};

} // namespace polecat::policy
