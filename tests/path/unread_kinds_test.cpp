// An object of each kind that is read, damaged in each way in which it can't be: what was answered
// for certain is answered so, or `depends`.
#include <algorithm>
#include <map>
#include <optional>

#include <doctest/doctest.h>

#include "frontend/kinds/kinds.h"
#include "frontend/load.h"
#include "ir/path/path.h"
#include "passes/lower.h"

using namespace polecat;
using decision::Verdict;

namespace {

/// Where an object of the kind decides. `object` has no apiVersion and kind, and a value between
/// `<` and `>` that may be a placeholder.
struct Deciding {
    std::string rest; ///< the other objects
    const char* object;
    const char *from, *to;
    std::uint16_t port = 80;
    Verdict intact = Verdict::Deny;
};

const std::string kTwoPods = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: t}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 172.16.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: s, labels: {app: a}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.5}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: s, labels: {app: b}}, spec: {serviceAccountName: b, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.6}}
)";

std::string of_calico(const std::string& kind, const std::string& name, const std::string& spec,
                      const std::string& metadata = "") {
    return "---\n{apiVersion: projectcalico.org/v3, kind: " + kind + ", metadata: {name: " + name +
           metadata + "}, spec: {" + spec + "}}\n";
}
std::string of_calico_in_s(const std::string& kind, const std::string& name,
                           const std::string& spec) {
    return of_calico(kind, name, spec, ", namespace: s");
}

/// Denies pod a what `peer` selects.
std::string closed_to(const std::string& peer) {
    return of_calico_in_s("NetworkPolicy", "p",
                          "selector: app == 'a', types: [Egress], egress: [{action: Deny, "
                          "protocol: TCP, destination: {" +
                              peer + "}}, {action: Allow}]");
}

const std::string kSecondNode = "---\n{apiVersion: v1, kind: Node, metadata: {name: n2}, status: "
                                "{addresses: [{type: InternalIP, address: 172.16.0.2}]}}\n";

/// A host endpoint of another node, which lets in what comes with a pod's address.
std::string host_for_pods() {
    return kSecondNode +
           of_calico("HostEndpoint", "h",
                     "node: n2, interfaceName: eth0, expectedIPs: [172.16.0.2]",
                     ", labels: {role: h}") +
           of_calico("GlobalNetworkPolicy", "h",
                     "selector: role == 'h', types: [Ingress], ingress: [{action: Allow, source: "
                     "{nets: [10.0.0.0/16]}}]");
}

constexpr const char* kWorkload =
    "metadata: {name: p, namespace: s}\nspec: {selector: {matchLabels: {app: p}}, template: "
    "{metadata: {labels: {app: <p>}}, spec: {containers: [{name: c, image: i}]}}}\n";
constexpr const char* kJob = "metadata: {name: p, namespace: s}\nspec: {template: {metadata: "
                             "{labels: {app: <p>}}, spec: {containers: [{name: c, image: i}]}}}\n";

const std::map<std::string_view, Deciding>& deciding() {
    static const std::map<std::string_view, Deciding> all{
        {"Namespace",
         {closed_to("namespaceSelector: env == 'prod'"),
          "metadata: {name: s, labels: {env: <prod>}}\n", "s/a", "s/b"}},
        {"ServiceAccount",
         {closed_to("serviceAccounts: {selector: env == 'prod'}"),
          "metadata: {name: b, namespace: s, labels: {env: <prod>}}\n", "s/a", "s/b"}},
        {"Node",
         {"---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
          "metadata: {name: cnp}\nspec: {tier: Admin, priority: 10, subject: {namespaces: {}}, "
          "egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: a}}}]}]}\n",
          "metadata: {name: n3, labels: {zone: a}}\nspec: {bgp: {ipv4Address: <172.16.0.3/24>}}\n"
          "status: {addresses: [{type: InternalIP, address: <172.16.0.3>}]}\n",
          "s/a", "172.16.0.3"}},
        {"Pod",
         {closed_to("selector: app == 'p'"),
          "metadata: {name: p, namespace: s, labels: {app: <p>}}\nspec: {containers: [{name: c, "
          "image: i}]}\nstatus: {podIP: 10.0.0.7}\n",
          "s/a", "pod:s/p"}},
        {"WorkloadEndpoint",
         {closed_to("selector: app == 'p'"),
          "metadata: {name: p, namespace: s, labels: {app: <p>}}\nspec: {node: n1, interfaceName: "
          "cali1, orchestrator: k8s, ipNetworks: [10.0.0.7/32]}\n",
          "s/a", "workloadendpoint:s/p"}},
        {"Deployment", {closed_to("selector: app == 'p'"), kWorkload, "s/a", "deployment:s/p"}},
        {"StatefulSet", {closed_to("selector: app == 'p'"), kWorkload, "s/a", "statefulset:s/p"}},
        {"DaemonSet", {closed_to("selector: app == 'p'"), kWorkload, "s/a", "daemonset:s/p"}},
        {"ReplicaSet", {closed_to("selector: app == 'p'"), kWorkload, "s/a", "replicaset:s/p"}},
        {"ReplicationController",
         {closed_to("selector: app == 'p'"),
          "metadata: {name: p, namespace: s}\nspec: {selector: {app: p}, template: {metadata: "
          "{labels: {app: <p>}}, spec: {containers: [{name: c, image: i}]}}}\n",
          "s/a", "replicationcontroller:s/p"}},
        {"Job", {closed_to("selector: app == 'p'"), kJob, "s/a", "job:s/p"}},
        {"CronJob",
         {closed_to("selector: app == 'p'"),
          "metadata: {name: p, namespace: s}\nspec: {jobTemplate: {spec: {template: {metadata: "
          "{labels: {app: <p>}}, spec: {containers: [{name: c, image: i}]}}}}}\n",
          "s/a", "cronjob:s/p"}},
        {"Service",
         {closed_to("services: {name: svc, namespace: s}"),
          "metadata: {name: svc, namespace: s}\nspec: {selector: {app: <b>}, ports: [{port: "
          "80}]}\n",
          "s/a", "s/b"}},
        {"Endpoints",
         {closed_to("services: {name: svc, namespace: s}"),
          "metadata: {name: svc, namespace: s}\nsubsets: [{addresses: [{ip: <10.0.0.6>}], ports: "
          "[{port: 80}]}]\n",
          "s/a", "s/b"}},
        {"EndpointSlice",
         {closed_to("services: {name: svc, namespace: s}"),
          "metadata: {name: svc-1, namespace: s, labels: {kubernetes.io/service-name: svc}}\n"
          "addressType: IPv4\nendpoints: [{addresses: [<10.0.0.6>]}]\nports: [{port: 80}]\n",
          "s/a", "s/b"}},
        {"NetworkPolicy",
         {"",
          "metadata: {name: p, namespace: s}\nspec: {SELECTOR, TYPES: [<Ingress>], ingress: []}\n",
          "s/a", "s/b"}},
        {"ClusterNetworkPolicy",
         {"",
          "metadata: {name: p}\nspec: {tier: Admin, priority: 10, subject: {namespaces: {}}, "
          "ingress: [{action: <Deny>, from: [{namespaces: {}}]}]}\n",
          "s/a", "s/b"}},
        {"AdminNetworkPolicy",
         {"",
          "metadata: {name: p}\nspec: {priority: 10, subject: {namespaces: {}}, ingress: "
          "[{action: <Deny>, from: [{namespaces: {}}]}]}\n",
          "s/a", "s/b"}},
        {"BaselineAdminNetworkPolicy",
         {"",
          "metadata: {name: default}\nspec: {subject: {namespaces: {}}, ingress: [{action: "
          "<Deny>, from: [{namespaces: {}}]}]}\n",
          "s/a", "s/b"}},
        {"GlobalNetworkPolicy",
         {"", "metadata: {name: p}\nspec: {selector: all(), types: [<Ingress>]}\n", "s/a", "s/b"}},
        {"Tier",
         {of_calico_in_s("NetworkPolicy", "last.p",
                         "tier: last, selector: all(), types: [Ingress]") +
              of_calico_in_s("NetworkPolicy", "q",
                             "selector: all(), types: [Ingress], ingress: [{action: Pass}]"),
          "metadata: {name: last}\nspec: {order: <10>, defaultAction: Deny}\n", "s/a", "s/b"}},
        {"NetworkSet",
         {closed_to("selector: has(closed)"),
          "metadata: {name: set, namespace: s, labels: {closed: x}}\nspec: {nets: "
          "[<10.0.0.6/32>]}\n",
          "s/a", "s/b"}},
        {"GlobalNetworkSet",
         {closed_to("selector: has(closed), namespaceSelector: global()"),
          "metadata: {name: set, labels: {closed: x}}\nspec: {nets: [<203.0.113.9/32>]}\n", "s/a",
          "203.0.113.9"}},
        {"HostEndpoint",
         {kSecondNode + of_calico("GlobalNetworkPolicy", "h",
                                  "selector: role == 'h', types: "
                                  "[Ingress]"),
          "metadata: {name: h, labels: {role: h}}\nspec: {node: <n2>, interfaceName: eth0, "
          "expectedIPs: [172.16.0.2]}\n",
          "s/a", "172.16.0.2"}},
        {"Profile",
         {of_calico_in_s("WorkloadEndpoint", "w",
                         "node: n1, interfaceName: cali1, ipNetworks: "
                         "[10.0.0.9/32], profiles: [pr]") +
              of_calico_in_s("NetworkPolicy", "open",
                             "selector: all(), types: [Ingress], ingress: [{action: Allow}]") +
              closed_to("selector: role == 'closed'"),
          "metadata: {name: pr}\nspec: {ingress: [{action: Allow}], labelsToApply: {role: "
          "<closed>}}\n",
          "s/a", "workloadendpoint:s/w"}},
        {"IPPool",
         {host_for_pods(),
          "metadata: {name: one}\nspec: {cidr: <10.0.0.0/16>, natOutgoing: true}\n", "s/a",
          "172.16.0.2"}},
        {"Installation",
         {host_for_pods(),
          "metadata: {name: default}\nspec: {calicoNetwork: {ipPools: [{cidr: <10.0.0.0/16>, "
          "natOutgoing: Enabled}]}}\n",
          "s/a", "172.16.0.2"}},
        {"FelixConfiguration",
         {host_for_pods(),
          "metadata: {name: default}\nspec: {failsafeInboundHostPorts: [{protocol: "
          "<tcp>, port: 23}]}\n",
          "203.0.113.9", "172.16.0.2", 22}},
    };
    return all;
}

/// What they say decides no answer about policy: staged policy, routes, settings of tools.
constexpr std::string_view kDecidesNothing[] = {"Secret",
                                                "Ingress",
                                                "IngressClass",
                                                "HTTPRoute",
                                                "GRPCRoute",
                                                "TLSRoute",
                                                "TCPRoute",
                                                "StagedNetworkPolicy",
                                                "StagedGlobalNetworkPolicy",
                                                "StagedKubernetesNetworkPolicy",
                                                "BGPConfiguration",
                                                "BGPFilter",
                                                "BGPPeer",
                                                "BlockAffinity",
                                                "CalicoNodeStatus",
                                                "ClusterInformation",
                                                "IPAMConfiguration",
                                                "IPReservation",
                                                "KubeControllersConfiguration",
                                                "APIServer",
                                                "FabricInventory"};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

std::string typed(const std::string& api_version, const std::string& kind,
                  const std::string& object) {
    std::string out = object;
    const bool kubernetes = api_version == "networking.k8s.io/v1";
    out = replaced(out, "SELECTOR", kubernetes ? "podSelector: {}" : "selector: all()");
    out = replaced(out, "TYPES", kubernetes ? "policyTypes" : "types");
    if (kind == "Node") // each group's own field
        out = api_version == "v1"
                  ? replaced(out, "spec: {bgp: {ipv4Address: <172.16.0.3/24>}}\n", "")
                  : out.substr(0, out.find("status: "));
    return (api_version.empty() ? "" : "apiVersion: " + api_version + "\n") +
           (kind.empty() ? "" : "kind: " + kind + "\n") + out;
}

std::string unmarked(const std::string& text) {
    return replaced(replaced(text, "<", ""), ">", "");
}

std::string with_placeholder(std::string text) {
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<'))
        text.replace(at, text.find('>') + 1 - at, "${VALUE}");
    return text;
}

/// nullopt: the end that is asked about is not there.
std::optional<Verdict> answer(const Deciding& of, const std::string& object) {
    Sources sources;
    diag::Diagnostics diagnostics;
    std::vector<frontend::File> files;
    files.push_back({"rest.yaml", kTwoPods + of.rest});
    if (!object.empty())
        files.push_back({"object.yaml", object});
    policy::Cluster cluster = frontend::load_files(std::move(files), sources, diagnostics);
    frontend::check_references(cluster, diagnostics);
    const auto lowered = passes::lower(cluster).cluster;
    const auto end = [&](const std::string& text) -> std::optional<ir::PathEnd> {
        ir::PathEnd out;
        if (const auto address = net::parse_address(text)) {
            out.address = *address;
            return out;
        }
        const auto found = lowered.workloads_by_name.find(
            text.find(':') == std::string::npos ? "pod:" + text : text);
        if (found == lowered.workloads_by_name.end())
            return std::nullopt;
        out.endpoint = found->second;
        return out;
    };
    const auto from = end(of.from), to = end(of.to);
    if (!from || !to)
        return std::nullopt;
    ir::PathQuery query;
    query.source = *from;
    query.destination = *to;
    query.route = ir::Route::Wire;
    query.packet.protocol = net::kTcp;
    query.packet.destination_port = of.port;
    query.packet.source_port = 40000;
    return ir::judge_flow(lowered, query).verdict;
}

struct Damage {
    const char* name;
    std::string (*make)(const std::string& api_version, const std::string& kind,
                        const std::string& object);
};

const Damage kDamages[] = {
    {"no YAML",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return unmarked(typed(version, kind, object)) + "open: \"\n";
     }},
    {"a letter too many",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "kind: " + kind + "\n",
                         "kind: " + kind + kind.back() + "\n");
     }},
    {"a letter too few",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "kind: " + kind + "\n",
                         "kind: " + kind.substr(0, kind.size() - 1) + "\n");
     }},
    {"letters in another order",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         std::string slip = kind;
         std::swap(slip[slip.size() - 3], slip[slip.size() - 2]);
         return replaced(unmarked(typed(version, kind, object)), "kind: " + kind + "\n",
                         "kind: " + slip + "\n");
     }},
    {"no apiVersion",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "apiVersion: " + version + "\n",
                         "");
     }},
    {"no kind",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "kind: " + kind + "\n", "");
     }},
    {"another version",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "apiVersion: " + version + "\n",
                         "apiVersion: " + version + "x\n");
     }},
    {"encrypted",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return unmarked(replaced(typed(version, kind, object), "metadata: {",
                                  "metadata: {annotations: {a: \"ENC[AES256_GCM,data:x]\"}, ")) +
                "sops: {version: 3.7.1, mac: \"ENC[AES256_GCM,data:x]\"}\n";
     }},
    {"a placeholder",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return with_placeholder(typed(version, kind, object));
     }},
    {"a field that is none",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(unmarked(typed(version, kind, object)), "spec: {", "spec: {none: 1, ");
     }},
    {"a list for a value",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         return replaced(replaced(typed(version, kind, object), "<", "["), ">", "]");
     }},
    {"a list for its spec",
     [](const std::string& version, const std::string& kind, const std::string& object) {
         const std::string whole = unmarked(typed(version, kind, object));
         return whole.substr(0, whole.find("spec: {")) + "spec: [1]\n";
     }},
};

} // namespace

TEST_CASE("what a damaged object of any kind decided is not certain any more") {
    std::size_t asked = 0, in_doubt = 0;
    const auto kinds = frontend::kinds_of_group("");
    for (const std::string_view kind : kinds) {
        const auto found = deciding().find(kind);
        const bool nothing = std::find(std::begin(kDecidesNothing), std::end(kDecidesNothing),
                                       kind) != std::end(kDecidesNothing);
        // A kind that is read has a row here, and frontend/kinds/unread says what stands for it.
        CHECK_MESSAGE((found != deciding().end()) != nothing, kind);
        if (found == deciding().end())
            continue;
        for (const std::string_view version : frontend::versions_of_kind(kind, "")) {
            const Deciding& of = found->second;
            const std::string api(version), name(kind);
            INFO(api, " ", name);
            const auto intact = answer(of, unmarked(typed(api, name, of.object)));
            CHECK(intact == of.intact);
            CHECK(answer(of, "") != intact); // it decides
            for (const Damage& damage : kDamages) {
                const std::string object = damage.make(api, name, of.object);
                const auto damaged = answer(of, object);
                INFO(damage.name, ":\n", object);
                CHECK((!damaged || *damaged == intact || *damaged == Verdict::Depends));
                ++asked;
                in_doubt += damaged == intact ? 0 : 1;
            }
        }
    }
    MESSAGE(in_doubt, " of ", asked, " answers in doubt");
    CHECK(in_doubt > asked / 2);
}
