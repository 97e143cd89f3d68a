// Pods that do not exist yet: each that is found is made, and eval lets it in.
#include <doctest/doctest.h>

#include "analyzer/diff/cause.h"
#include "analyzer/ends/end_groups.h"
#include "analyzer/questions/new_pods.h"
#include "ir/policy/scope.h"
#include "tests/random_cluster.h"

using namespace polecat;
using namespace polecat::analyzer;
using decision::Direction;
using decision::Hook;
using decision::Verdict;

namespace {

std::vector<NewPod> reaching(NewPods& pods, const decision::Program& ingress, EndGroups& ends,
                             const decision::Identity& own, const HttpAtoms& atoms) {
    ProgramView view(ingress, ProgramFlows(ingress, atoms), ends);
    return pods.reaching(view, own);
}

/// The manifests of a pod that was found.
std::string made(const NewPod& pod, const std::vector<policy::Namespace>& namespaces) {
    const std::string prefix(policy::kNamespacePrefix);
    const std::string space = pod.space.empty() ? "brand-new" : pod.space;
    std::string labels, of_space;
    for (const auto& [label, value] : pod.labels) {
        const std::string text = "'" + std::string(value) + "'";
        if (label.starts_with(prefix))
            of_space += "'" + std::string(label.substr(prefix.size())) + "': " + text + ", ";
        else if (!label.starts_with("projectcalico.org/"))
            labels += "'" + std::string(label) + "': " + text + ", ";
    }
    const bool exists = std::any_of(namespaces.begin(), namespaces.end(),
                                    [&](const auto& each) { return each.meta.name == space; });
    std::string out;
    if (!exists)
        out = "{apiVersion: v1, kind: Namespace, metadata: {name: " + space + ", labels: {" +
              of_space + "}}}\n---\n";
    return out + "{apiVersion: v1, kind: Pod, metadata: {name: newcomer, namespace: " + space +
           ", labels: {" + labels + "}}, spec: {containers: [{name: c, image: i}]}}\n---\n";
}

} // namespace

TEST_CASE("a new pod that was found gets in") {
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        testing::ClusterShape shape;
        shape.policies = 4 + seed % 9;
        const std::string text = testing::ClusterWriter(seed, shape).write();
        testing::RandomCluster cluster;
        testing::load_text(text, cluster);
        const decision::Identities identities(cluster.lowered);
        const HttpAtoms atoms({&cluster.lowered});
        EndGroups ends(cluster.lowered, identities, net::Family::V4);
        NewPods pods(cluster.lowered, cluster.policy.namespaces);
        for (const decision::Endpoint& endpoint : cluster.lowered.endpoints) {
            const auto* program = cluster.lowered.find(endpoint.object, Direction::Ingress,
                                                       Hook::Normal, net::Family::V4);
            const auto own = identities.of_object(endpoint.object, net::Family::V4);
            if (program == nullptr || !own)
                continue;
            const auto name = cluster.lowered.world.object(endpoint.object).name;
            for (const NewPod& pod : reaching(pods, cluster.lowered.program(program->program), ends,
                                              identities[*own], atoms)) {
                testing::RandomCluster with;
                testing::load_text(text + made(pod, cluster.policy.namespaces), with);
                const std::string space = pod.space.empty() ? "brand-new" : pod.space;
                const auto to = with.lowered.workloads_by_name.at("pod:" + name);
                const auto* now =
                    with.lowered.find(to, Direction::Ingress, Hook::Normal, net::Family::V4);
                REQUIRE(now != nullptr);
                for (const bool sure : {true, false}) {
                    auto flow = example_of(sure ? pod.connections.sure
                                                : pod.connections.may - pod.connections.sure,
                                           atoms, net::Family::V4);
                    if (!flow)
                        continue;
                    flow->source.objects = {
                        with.lowered.workloads_by_name.at("pod:" + space + "/newcomer")};
                    for (const net::Address& each : with.lowered.world.object(to).addresses)
                        if (each.family == net::Family::V4)
                            flow->destination = decision::end_of(with.lowered.world, each);
                    const auto decision =
                        decision::eval(with.lowered.program(now->program), with.lowered.predicates,
                                       with.lowered.world, *flow);
                    CAPTURE(seed);
                    CAPTURE(made(pod, cluster.policy.namespaces));
                    CHECK(decision.verdict == (sure ? Verdict::Allow : Verdict::Depends));
                    ++found;
                }
            }
        }
    }
    CHECK(found > 300);
}

TEST_CASE("a new pod is found behind a rule that denies others") {
    testing::RandomCluster cluster;
    testing::load_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s}, spec: {containers: [{name: "
        "c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: k, namespace: "
        "s}, spec: {ingress: [{action: Deny, source: {selector: \"!has(team)\"}}, {action: Allow, "
        "source: {selector: all()}}]}}",
        cluster);
    const decision::Identities identities(cluster.lowered);
    const HttpAtoms atoms({&cluster.lowered});
    EndGroups ends(cluster.lowered, identities, net::Family::V4);
    NewPods pods(cluster.lowered, cluster.policy.namespaces);
    const auto object = cluster.lowered.endpoints.front().object;
    const auto* program =
        cluster.lowered.find(object, Direction::Ingress, Hook::Normal, net::Family::V4);
    const auto found = reaching(pods, cluster.lowered.program(program->program), ends,
                                identities[*identities.of_object(object, net::Family::V4)], atoms);
    REQUIRE(found.size() == 1);
    CHECK(found.front().connections.sure == ConnectionSet::all());
    CHECK(found.front().labels.find("team").has_value());
}

TEST_CASE("a new pod of a namespace whose labels are lost inherits none") {
    const auto found = [](std::size_t length) {
        testing::RandomCluster cluster;
        testing::load_text(
            "{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {" +
                std::string(length, 'k') +
                ": v}}}\n---\n"
                "{apiVersion: v1, kind: Pod, metadata: {name: old, namespace: b}, spec: "
                "{containers: [{name: c, image: i}]}}\n---\n"
                "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a}, spec: "
                "{containers: [{name: c, image: i}]}}\n---\n"
                "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
                "namespace: a}, spec: {types: [Ingress], ingress: [{action: Allow, source: "
                "{namespaceSelector: projectcalico.org/name == 'b'}}]}}\n",
            cluster);
        const decision::Identities identities(cluster.lowered);
        const HttpAtoms atoms({&cluster.lowered});
        EndGroups ends(cluster.lowered, identities, net::Family::V4);
        NewPods pods(cluster.lowered, cluster.policy.namespaces);
        const auto web = cluster.lowered.workloads_by_name.at("pod:a/web");
        const auto* program =
            cluster.lowered.find(web, Direction::Ingress, Hook::Normal, net::Family::V4);
        const auto own = identities.of_object(web, net::Family::V4);
        REQUIRE(program != nullptr);
        REQUIRE(own);
        return reaching(pods, cluster.lowered.program(program->program), ends, identities[*own],
                        atoms)
            .size();
    };
    CHECK(found(58) == 1);
    CHECK(found(59) == 0);
}
