// policy::same_text: what says the same as the texts, wherever it stands.
#include <doctest/doctest.h>

#include "frontend/load.h"
#include "ir/policy/text.h"

using namespace polecat;

namespace {

/// The only policy of a cluster, so many lines further down.
policy::Policy read(const std::string& spec, std::size_t down) {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster = frontend::load_files(
        {{"a.yaml", std::string(down, '\n') +
                        "apiVersion: projectcalico.org/v3\n"
                        "kind: GlobalNetworkPolicy\nmetadata: {name: a}\nspec: {" +
                        spec + "}\n"}},
        sources, diagnostics);
    CHECK_FALSE(diagnostics.has_errors());
    REQUIRE(cluster.policies.size() == 1);
    return cluster.policies.front();
}

std::string rule(const std::string& fields) {
    return "types: [Ingress], ingress: [{action: Allow" + fields + "}]";
}

std::string end(const std::string& fields) {
    return rule(", protocol: TCP, source: {" + fields + "}");
}

} // namespace

TEST_CASE("policies have the same text where their texts are equal") {
    const std::vector<std::string> specs{
        "types: [Ingress]",
        "types: [Egress]",
        "types: [Ingress, Egress]",
        "types: [Ingress], order: 7",
        "types: [Ingress], tier: other",
        "types: [Ingress], selector: a == 'b'",
        "types: [Ingress], namespaceSelector: a == 'b'",
        "types: [Ingress], serviceAccountSelector: a == 'b'",
        "types: [Ingress], applyOnForward: true",
        "types: [Ingress], applyOnForward: true, preDNAT: true",
        "types: [Ingress], applyOnForward: true, doNotTrack: true",
        rule(""),
        "types: [Ingress], ingress: [{action: Deny}]",
        "types: [Ingress], ingress: [{action: Allow}, {action: Deny}]",
        "types: [Egress], egress: [{action: Allow}]",
        rule(", ipVersion: 4"),
        rule(", protocol: TCP"),
        rule(", notProtocol: TCP"),
        rule(", protocol: ICMP, icmp: {type: 8}"),
        rule(", protocol: ICMP, icmp: {type: 8, code: 0}"),
        rule(", protocol: ICMP, notICMP: {type: 8}"),
        rule(", protocol: TCP, http: {methods: [GET]}"),
        rule(", protocol: TCP, http: {paths: [{exact: /a}]}"),
        rule(", protocol: TCP, http: {paths: [{prefix: /a}]}"),
        rule(", protocol: TCP, destination: {nets: [10.0.0.0/8]}"),
        end("nets: [10.0.0.0/8]"),
        end("nets: [10.0.0.0/8, 11.0.0.0/8]"),
        end("notNets: [10.0.0.0/8]"),
        end("selector: a == 'b'"),
        end("selector: \"a in {'b'}\""),
        end("notSelector: a == 'b'"),
        end("namespaceSelector: a == 'b'"),
        end("serviceAccounts: {names: [a]}"),
        end("serviceAccounts: {selector: a == 'b'}"),
        end("ports: [80]"),
        end("ports: ['80:81']"),
        end("ports: [http]"),
        end("notPorts: [80]"),
    };
    for (std::size_t i = 0; i < specs.size(); ++i)
        for (std::size_t k = 0; k < specs.size(); ++k) {
            CAPTURE(specs[i]);
            CAPTURE(specs[k]);
            const policy::Policy a = read(specs[i], 0), b = read(specs[k], 3);
            CHECK(same_text(a, b) == (i == k));
            CHECK((to_text(a) == to_text(b)) == (i == k));
        }
}
