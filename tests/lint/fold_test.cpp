// Facts about the whole input are told once; everything else as often as it is found.
#include "analyzer/lint/fold.h"

#include <doctest/doctest.h>

using namespace polecat;
using diag::Code;

TEST_CASE("what all objects share is one finding, which says how many there are") {
    diag::Diagnostics list;
    for (const char* object : {"NetworkPolicy a/x", "NetworkPolicy b/x", "NetworkPolicy b/y"})
        list.report(Code::EveryNamespace, {}).about(object);
    list.report(Code::UnreadKind, {}, {"v1 ConfigMap", "3 objects"});
    list.report(Code::UnreadKind, {}, {"v1 Secret", "1 object"});
    list.report(Code::NoDefaultDeny, {}, {"shop", "ingress"}).about("Namespace shop");
    list.report(Code::WorldIngress, {}, {"ingress[0]", "TCP 22"});
    list.report(Code::WorldIngress, {}, {"ingress[0]", "TCP 22"});
    lint::fold(list);
    REQUIRE(list.list().size() == 5);
    const diag::Diagnostic& every = list.list()[0];
    CHECK(every.message.ends_with("(and 2 more)"));
    CHECK(every.notes.back() == "the same of NetworkPolicy b/x, NetworkPolicy b/y");
    const diag::Diagnostic& unread = list.list()[1];
    CHECK(unread.message.ends_with("(and 1 more)"));
    CHECK(unread.notes.back() == "the same of v1 Secret");
    CHECK(list.list()[2].message.find("more") == std::string::npos); // the only one
    CHECK(list.list()[3].code == Code::WorldIngress);
    CHECK(list.list()[4].code == Code::WorldIngress);
}

TEST_CASE("what reads as one thing where there are many is one finding of more than three") {
    diag::Diagnostics list;
    for (int i = 0; i < 4; ++i)
        list.report(Code::WorldEgress, {}, {"egress[0]", "TCP 443"});
    for (int i = 0; i < 3; ++i)
        list.report(Code::NamespaceOmitted, {});
    for (int i = 0; i < 4; ++i)
        list.report(Code::ShadowedRule, {FileId{0}, 1, 1, 1},
                    {"ingress[0]", "ingress[1]", "takes"});
    lint::fold(list);
    REQUIRE(list.list().size() == 8);
    CHECK(list.list()[0].message.ends_with("(and 3 more)"));
}

TEST_CASE("variants are one finding, as bad as the worst of them") {
    diag::Diagnostics list;
    for (const char* differ : {"false", "true", "false"}) {
        auto& each = list.report(Code::SeveralVariants, {}, {"Pod a/b", "dev", "prod"})
                         .with_fact("first", "dev")
                         .with_fact("second", "prod")
                         .with_fact("differ", differ);
        if (differ == std::string("false"))
            each.severity = diag::Severity::Note;
    }
    lint::fold(list);
    REQUIRE(list.list().size() == 1);
    CHECK(list.list()[0].severity == diag::Severity::Warning);
    CHECK(list.list()[0].message.starts_with(
        "3 objects stand in more than one place, and 1 differs"));
    CHECK(list.list()[0].notes.front() == "3 in dev, prod");
}

TEST_CASE(
    "host endpoints with one fault are one finding, and a pool in a service range is told once") {
    diag::Diagnostics list;
    for (const char* host : {"n1-eth0", "n2-eth0", "n3-eth0"})
        list.report(Code::HostOneDirection, {}, {host, "ingress", "sends", "the failsafe ports"})
            .about(std::string("HostEndpoint ") + host)
            .with_fact("direction", "ingress");
    list.report(Code::HostOneDirection, {}, {"n4", "egress", "is sent", "the failsafe ports"})
        .about("HostEndpoint n4")
        .with_fact("direction", "egress");
    const auto clash = [](diag::Diagnostic& each, const char* pool, const char* services) {
        each.with_fact("pool", pool).with_fact("services", services);
    };
    clash(list.report(Code::PoolOverlap, {}, {"p", "10.0.0.0/20"}), "10.0.0.0/16", "10.0.0.0/20");
    clash(list.report(Code::ServiceRangeOverlap, {}, {"10.0.0.0/20", "x", "pool p"}), "10.0.0.0/16",
          "10.0.0.0/20");
    clash(list.report(Code::ServiceRangeOverlap, {}, {"10.0.0.0/24", "x", "pool q"}), "10.0.0.0/16",
          "10.0.0.0/24");
    lint::fold(list);
    REQUIRE(list.list().size() == 4);
    CHECK(list.list()[0].notes.back() == "the same of HostEndpoint n2-eth0, HostEndpoint n3-eth0");
    CHECK(list.list()[1].object == "HostEndpoint n4");
    CHECK(list.list()[2].code == Code::PoolOverlap);
    CHECK(list.list()[3].message.find("pool q") != std::string::npos);
}

TEST_CASE("the metadata address is one note outside of clouds, and one warning in one") {
    diag::Diagnostics list;
    for (int i = 0; i < 2; ++i) {
        list.report(Code::MetadataOpen, {}, {"1 endpoint", "a/b"}).severity = diag::Severity::Note;
        list.report(Code::MetadataOpen, {}, {"1 endpoint", "a/c"});
    }
    lint::fold(list);
    REQUIRE(list.list().size() == 2);
    CHECK(list.list()[0].message.ends_with("(and 1 more)"));
}

TEST_CASE("a rule that never decides opens nothing") {
    diag::Diagnostics list;
    for (const std::uint32_t line : {7U, 8U})
        list.report(Code::WorldEgress, {FileId{0}, line, 5, 1}, {"egress[0]", "any protocol"})
            .about("GlobalNetworkPolicy a");
    list.report(Code::ShadowedRule, {FileId{0}, 7, 5, 1}, {"egress[0]", "egress[1]", "takes"})
        .about("GlobalNetworkPolicy a");
    lint::fold(list);
    REQUIRE(list.list().size() == 2);
    CHECK(list.list()[0].span.line == 8);
    CHECK(list.list()[1].code == Code::ShadowedRule);
}

TEST_CASE("a field that stands beside the empty one that it belongs behind") {
    const auto told = [](const char* unknown) {
        diag::Diagnostics list;
        list.report(Code::EmptyValue, {}, {"spec.ingress[0].from", "is empty", "every address"})
            .about("NetworkPolicy a/b")
            .with_fact("field", "spec.ingress[0].from");
        list.report(Code::UnknownField, {}, {unknown})
            .about("NetworkPolicy a/b")
            .with_fact("field", unknown);
        lint::fold(list);
        return std::vector<diag::Diagnostic>{list.list().begin(), list.list().end()};
    };
    const auto beside = told("spec.ingress[0].podSelector");
    REQUIRE(beside.size() == 1);
    CHECK(beside[0].code == Code::UnknownField);
    CHECK(beside[0].notes.back() == "spec.ingress[0].from is empty: that means every address");
    CHECK(told("spec.ingress[1].podSelector").size() == 2);
}

TEST_CASE("a rule without peers is told once, but where that is hardly meant") {
    const auto count = [](diag::Severity of_empty) {
        diag::Diagnostics list;
        const Span place{FileId{0}, 7, 5, 1};
        list.report(Code::EmptyValue, place, {"spec.egress[0].to", "is empty", "every address"})
            .about("NetworkPolicy a/b")
            .severity = of_empty;
        list.report(Code::WorldEgress, place, {"egress[0]", "TCP 443"}).about("NetworkPolicy a/b");
        list.report(Code::WorldEgress, place, {"egress[0]", "TCP 443"}).about("NetworkPolicy a/c");
        lint::fold(list);
        return list.list().size();
    };
    CHECK(count(diag::Severity::Note) == 2);
    CHECK(count(diag::Severity::Warning) == 3);
}

TEST_CASE("what one mend takes away is one finding") {
    diag::Diagnostics list;
    std::uint32_t line = 0;
    const auto typo = [&](const char* policy, const char* rule, const char* space) {
        list.report(Code::SelectorTypo, {FileId{0}, ++line, 1, 1},
                    {"namespaceSelector of rule " + std::string(rule), "whatever it says"})
            .about(policy)
            .with_fact("label", "name")
            .with_fact("namespace", space);
    };
    typo("NetworkPolicy a/x", "ingress[0]", "a");
    typo("NetworkPolicy a/x", "egress[1]", "a");
    typo("NetworkPolicy a/x", "egress[0]", "kube-system");
    typo("NetworkPolicy a/y", "egress[0]", "kube-system");
    typo("NetworkPolicy a/x", "egress[2]", "a");
    // What follows from one of them is said with the first.
    list.keep_if([&](diag::Diagnostic& each) {
        if (each.span.line == line)
            each.with_note("1 endpoint may send but not ask DNS: web");
        return true;
    });
    for (const char* policy : {"NetworkPolicy a/x", "NetworkPolicy a/y", "NetworkPolicy b/x"})
        list.report(Code::DnsMissing, {}, {"1 endpoint", "web"}).about(policy);
    for (const char* ingress : {"Ingress a/one", "Ingress a/two"})
        list.report(Code::IngressBackendBlocked, {}, {ingress, "a/web", "80/TCP", "everybody"})
            .about(ingress)
            .with_fact("pod", "a/web")
            .with_fact("port", "80/TCP")
            .with_fact("sender", "everybody");
    for (const char* pod : {"a/api", "a/db", "b/web"}) // one policy keeps two of them closed
        list.report(Code::IngressBackendBlocked, {}, {"Ingress a/one", pod, "80/TCP", "everybody"})
            .about(pod == std::string("b/web") ? "Ingress b/one" : "Ingress a/one")
            .with_fact("governed_by", "NetworkPolicy a/deny");
    lint::fold(list);
    REQUIRE(list.list().size() == 8);
    CHECK(list.list()[6].message.ends_with("(and 1 more)"));
    CHECK(list.list()[7].object == "Ingress b/one");
    CHECK(list.list()[0].message.ends_with("(and 2 more)"));
    CHECK(list.list()[0].labels.size() == 2);
    CHECK(list.list()[0].notes.back() == "1 endpoint may send but not ask DNS: web");
    CHECK(list.list()[3].message.ends_with("(and 1 more)"));
    CHECK(list.list()[3].notes.back() == "the same of NetworkPolicy a/y");
    CHECK(list.list()[4].object == "NetworkPolicy b/x");
    CHECK(list.list()[5].notes.back() == "the same of Ingress a/two");
}

TEST_CASE("peers that match nothing for different reasons are findings of their own") {
    diag::Diagnostics list;
    for (const char* policy : {"NetworkPolicy a/x", "NetworkPolicy a/y"})
        list.report(Code::PeerMatchesNothing, {},
                    {"ingress[0]", "destination", "no endpoint that the policy governs"})
            .about(policy);
    lint::fold(list);
    CHECK(list.list().size() == 2);
}

TEST_CASE("an Ingress kept out by a port at which nobody listens is told there") {
    diag::Diagnostics list;
    for (const char* rule : {"ingress[0]", "ingress[1]"})
        list.report(Code::DeafPort, {}, {rule, "3000", "a/api, a/web"})
            .about("NetworkPolicy a/p")
            .with_fact("port", "3000");
    list.report(Code::DeafPort, {}, {"ingress[2]", "4000", "a/api, a/web"})
        .about("NetworkPolicy a/p")
        .with_fact("port", "4000");
    const auto blocked = [&](const char* pod, const char* policies) {
        list.report(Code::IngressBackendBlocked, {}, {"Ingress a/i", pod, "80/TCP", "everybody"})
            .about("Ingress a/i")
            .with_fact("pod", pod)
            .with_fact("port", "80/TCP")
            .with_fact("sender", "everybody")
            .with_fact("governed_by", policies);
    };
    blocked("a/web", "NetworkPolicy a/deny, NetworkPolicy a/p");
    blocked("a/we", "NetworkPolicy a/deny, NetworkPolicy a/p2");
    lint::fold(list);
    REQUIRE(list.list().size() == 3);
    CHECK(list.list()[0].code == Code::DeafPort);
    CHECK(list.list()[0].message.ends_with("(and 1 more)"));
    CHECK(list.list()[0].notes.front() == "Ingress a/i sends requests there");
    CHECK(list.list()[1].fact("port") == "4000");
    CHECK(list.list()[2].code == Code::IngressBackendBlocked);
    CHECK(list.list()[2].fact("pod") == "a/we");
}

TEST_CASE("a rule that never decides opens nothing, others on its line do") {
    diag::Diagnostics list;
    const Span open{FileId{0}, 4, 62, 1}, never{FileId{0}, 4, 122, 1};
    list.report(Code::WorldIngress, open, {"ingress[0]", "TCP 22"});
    list.report(Code::WorldIngress, never, {"ingress[1]", "TCP 22"});
    list.report(Code::ShadowedRule, never, {"ingress[1]", "ingress[0]", "takes"});
    lint::fold(list);
    REQUIRE(list.list().size() == 2);
    CHECK(list.list()[0].span == open);
    CHECK(list.list()[1].code == Code::ShadowedRule);
}
