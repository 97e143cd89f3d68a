// The judge of queries on small clusters whose answers are seen by eye.
#include "tests/conformance/runner/queries.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/warning_count.h"

using namespace polecat;
using conformance::Configuration;

namespace {

const std::string kPods = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: job, namespace: shop, labels: {app: job}}, spec: {containers: [{name: c, image: i}]}}
---
)";

/// Of one configuration: its policies, beside the pods that all have.
struct Manifests {
    std::string name, policies;
};
Manifests with(const std::string& name, const std::string& policies) {
    return {name, policies};
}

Configuration configuration(const std::string& name, const std::string& policies) {
    auto loaded = conformance::load_text(kPods + policies);
    REQUIRE(conformance::first_error(loaded) == "");
    return conformance::configure(name, std::move(loaded.cluster));
}

/// A Kubernetes policy for the pods of an app; rules as the fields of spec.
std::string kubernetes(const std::string& name, const std::string& app, const std::string& rules) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: shop}, spec: {podSelector: {matchLabels: {app: " + app + "}}, " + rules +
           "}}\n---\n";
}

std::string calico(const std::string& name, const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: shop}, spec: {" + spec + "}}\n---\n";
}

std::string from(const std::string& app) {
    return "policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: " + app +
           "}}}]}]";
}

std::size_t ask(const std::string& query, const std::vector<Manifests>& asked) {
    std::vector<Configuration> configurations;
    for (const Manifests& each : asked)
        configurations.push_back(configuration(each.name, each.policies));
    const auto answer = conformance::answer_query(query, configurations);
    REQUIRE(answer);
    INFO(answer->details);
    return answer->count;
}

std::size_t warnings(const std::string& policies) {
    return conformance::selection_warnings(configuration("", policies)).size();
}

} // namespace

TEST_CASE("a query nobody knows is not answered") {
    std::vector<Configuration> none;
    none.push_back(configuration("none", ""));
    CHECK_FALSE(conformance::answer_query("fortune", none));
}

TEST_CASE("emptiness counts policies and rules that match nothing") {
    CHECK(ask("emptiness", {with("good", kubernetes("a", "db", from("web")))}) == 0);
    CHECK(ask("emptiness", {with("rule", kubernetes("a", "db", from("wbe")))}) == 1);
    CHECK(ask("emptiness", {with("policy", kubernetes("a", "dbb", from("web")))}) == 1);
    // Of Calico's rules the policy's own side counts as well.
    CHECK(ask("emptiness",
              {with("own",
                    calico("a", "selector: app == 'db', types: [Ingress], ingress: "
                                "[{action: Allow, destination: {selector: app == 'web'}}]"))}) ==
          1);
    CHECK(ask("emptiness", {with("nets", calico("a", "selector: app == 'db', types: [Ingress], "
                                                     "ingress: [{action: Allow, source: {nets: "
                                                     "[10.0.0.0/8]}}]"))}) == 0);
}

TEST_CASE("vacuity: nothing is denied that would not be without policies") {
    CHECK(ask("vacuity", {with("none", "")}) == 1);
    CHECK(ask("vacuity", {with("some", kubernetes("a", "db", from("web")))}) == 0);
    CHECK(ask("vacuity",
              {with("all", kubernetes("a", "db", "policyTypes: [Ingress], ingress: [{}]"))}) == 1);
}

TEST_CASE("redundancy counts policies that can go, else rules that can") {
    const std::string one = kubernetes("a", "db", from("web"));
    // By itself a policy is never redundant.
    CHECK(ask("redundancy", {with("one", one)}) == 0);
    CHECK(ask("redundancy", {with("twice", one + kubernetes("b", "db", from("web")))}) == 2);
    CHECK(ask("redundancy", {with("both", one + kubernetes("b", "db", from("job")))}) == 0);
    // Rules that say the same are both redundant.
    CHECK(ask("redundancy",
              {with("rules", kubernetes("a", "db",
                                        "policyTypes: [Ingress], ingress: [{from: [{podSelector: "
                                        "{matchLabels: {app: web}}}]}, {from: [{podSelector: "
                                        "{matchLabels: {app: web}}}]}]"))}) == 2);
    // The first of these decides everything that the second is for.
    CHECK(ask("redundancy",
              {with("order", calico("a", "selector: app == 'db', types: [Ingress], ingress: "
                                         "[{action: Allow, source: {selector: all()}}, {action: "
                                         "Deny, source: {selector: app == 'web'}}]"))}) == 1);
}

TEST_CASE("sanity counts each issue once, and a conflict alone") {
    CHECK(ask("sanity", {with("none", "")}) == 0);
    CHECK(ask("sanity",
              {with("vacuous", kubernetes("a", "db", "policyTypes: [Ingress], ingress: [{}]"))}) ==
          1);
    CHECK(ask("sanity", {with("empty", kubernetes("a", "db", from("web")) +
                                           kubernetes("b", "dbb", from("web")))}) == 1);
    const std::string allow = "selector: app == 'db', order: 5, types: [Ingress], ingress: "
                              "[{action: Allow, source: {selector: app == 'web'}}]";
    const std::string deny = "selector: app == 'db', order: 5, types: [Ingress], ingress: "
                             "[{action: Deny, source: {selector: app == 'web'}}]";
    CHECK(ask("sanity", {with("conflict", calico("a", allow) + calico("b", deny) +
                                              kubernetes("c", "dbb", from("web")))}) == 1);
}

TEST_CASE("disjointness and allCaptured ask who is governed") {
    const std::string db = kubernetes("a", "db", from("web"));
    CHECK(ask("disjointness", {with("two", db + kubernetes("b", "web", from("job")))}) == 0);
    CHECK(ask("disjointness", {with("same", db + kubernetes("b", "db", from("job")))}) == 1);
    // Two pods have no ingress policy, three no egress policy.
    CHECK(ask("allCaptured", {with("db", db)}) == 5);
    CHECK(ask("allCaptured", {with("none", "")}) == 3);
}

TEST_CASE("interferes, forbids and permits look at what policies allow") {
    const Manifests web = with("web", kubernetes("a", "db", from("web")));
    const Manifests both =
        with("both", kubernetes("a", "db", from("web")) + kubernetes("b", "db", from("job")));
    const Manifests job = with("job", kubernetes("a", "db", from("job")));
    CHECK(ask("interferes", {web, both}) == 1); // both allows more than web
    CHECK(ask("interferes", {both, web}) == 0);
    CHECK(ask("pairwiseInterferes", {web, both, job}) == 4);
    // job says what must not be: web denies it, both allows it.
    CHECK(ask("forbids", {web, job}) == 0);
    CHECK(ask("forbids", {both, job}) == 1);
    CHECK(ask("permits", {web, job}) == 1);
    CHECK(ask("permits", {both, job, web}) == 0);
    CHECK(ask("forbids", {web, with("none", "")}) == 0);
}

TEST_CASE("equivalence, strong equivalence and containment") {
    const Manifests web = with("web", kubernetes("a", "db", from("web")));
    const Manifests again = with("again", calico("a", "selector: app == 'db', types: [Ingress], "
                                                      "ingress: [{action: Allow, source: "
                                                      "{selector: app == 'web'}}]"));
    const Manifests none = with("none", "");
    CHECK(ask("equivalence", {web, again}) == 0);
    CHECK(ask("equivalence", {web, again, none}) == 2);
    CHECK(ask("strongEquivalence", {web, web}) == 0);
    CHECK(ask("strongEquivalence", {web, again}) == 1); // another kind of policy
    CHECK(ask("containment", {none, web}) == 1);        // what web allows, none allows too
    CHECK(ask("containment", {web, none}) == 0);
}

TEST_CASE("warnings count selectors and rules that pick nothing or everything") {
    CHECK(warnings(kubernetes("a", "db", from("web"))) == 0);
    CHECK(warnings(kubernetes("a", "db", "ingress: [{}]")) == 1); // no policyTypes
    CHECK(warnings(kubernetes("a", "dbb", from("web"))) == 1);    // its selector
    CHECK(warnings(kubernetes("a", "db", from("wbe"))) == 2);     // selector and rule
    CHECK(warnings(calico("a", "selector: app == 'db', types: [Ingress], ingress: [{action: "
                               "Allow, destination: {selector: app == 'web'}}]")) == 1);
    CHECK(warnings(calico("a", "selector: has(app), types: [Ingress]")) == 1); // everything
    CHECK(warnings(calico("a", "selector: app == 'db', types: [Ingress], ingress: [{action: Allow, "
                               "source: {selector: app == 'web', nets: [10.0.0.0/8]}}]")) == 2);
}
