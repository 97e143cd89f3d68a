// Open questions to addresses: who is behind them, and which host endpoints speak for them.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

namespace {

const std::string kAskedNode =
    "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, "
    "address: 10.1.0.11}, {type: InternalIP, address: 'fd00::11'}]}}\n---\n";
const std::string kDb =
    "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}, spec: "
    "{nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.244.1.10}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: "
    "{nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.244.1.11}}\n---\n"
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: a}, "
    "spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: "
    "203.0.113.0/24}}], ports: [{port: 5432}]}]}}\n---\n";
const std::string kService =
    "{apiVersion: v1, kind: Service, metadata: {name: db, namespace: a}, spec: {type: NodePort, "
    "clusterIP: 10.96.0.9, externalIPs: [198.51.100.9], selector: {app: db}, ports: [{port: 80, "
    "targetPort: 5432, nodePort: 30080}]}}\n---\n";

/// A load balancer's service with ranges that are not side by side.
std::string balanced(const std::string& more) {
    return "{apiVersion: v1, kind: Service, metadata: {name: p, namespace: a}, spec: {type: "
           "LoadBalancer, clusterIP: 10.96.0.9, selector: {app: p}, ports: [{port: 80, targetPort: "
           "8080, nodePort: 30080}], loadBalancerSourceRanges: [192.0.2.0/24, 198.18.0.0/15]" +
           more + "}, status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}}\n";
}

std::string host(const std::string& more) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth0, "
           "labels: {h: h}}, spec: {node: n1, interfaceName: eth0" +
           more +
           "}}\n---\n"
           "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: hosts}, "
           "spec: {selector: has(h), types: [Ingress], ingress: [{action: Allow, protocol: TCP, "
           "source: {nets: [192.0.2.0/24, '2001:db8::/32']}, destination: {ports: [9100]}}]}}\n";
}

} // namespace

TEST_CASE("a service's address and a node's port are answered by who is behind them") {
    const Folder folder;
    folder.write("m/a.yaml", kAskedNode + kDb + kService);
    for (const char* to : {"10.96.0.9 -p 80/TCP", "198.51.100.9 -p 80/TCP", "node:n1 -p 30080/TCP",
                           "10.1.0.11 -p 30080/TCP"}) {
        INFO(to);
        const std::string out = folder.run(std::string("reach any ") + to + " -f m").out;
        CHECK(has(out, "port 5432 of a backend of service a/db"));
        CHECK(has(out, "outside 203.0.113.0/24\n      allowed  TCP 5432"));
        CHECK_FALSE(has(out, "a/web"));
        CHECK_FALSE(has(out, "any outside address"));
    }
    CHECK(has(folder.run("reach a/web 10.96.0.0/24 -p 80/TCP -f m").out, "allowed  TCP 80"));
    // Another node puts its own address in place of the source, which policy then sees.
    folder.write("m/b.yaml", "{apiVersion: v1, kind: Node, metadata: {name: n2}, status: "
                             "{addresses: [{type: InternalIP, address: 10.1.0.12}]}}\n");
    const std::string there = folder.run("reach any node:n2 -p 30080/TCP -f m").out;
    CHECK(has(there, "port 5432 of a backend of service a/db"));
    CHECK(has(there, "nothing is allowed"));
    CHECK(folder.run("reach 203.0.113.7 node:n2 -p 30080/TCP -f m").out.starts_with("DENY"));
    CHECK(has(folder.run("reach any node:n2 -p 30080/TCP --explain -f m").out,
              "a node on the way may put its own in place of the source"));
    folder.write("m/b.yaml", "");
    // Other ports of the node are its own; a cluster address has none.
    CHECK(has(folder.run("reach any node:n1 -p 22/TCP -f m").out, "allowed  TCP 22"));
    CHECK(has(folder.run("reach any 10.96.0.9 -p 81/TCP -f m").error, "has no such port"));
    const std::string all = folder.run("reach any node:n1 -f m").out;
    CHECK(has(all, "any port"));
    CHECK(has(all, "30080/TCP, port 5432 of a backend of service a/db"));
    // The service is of IPv4: an IPv6 address has no such node port.
    const std::string v6 = folder.run("reach any fd00::11 -p 30080/TCP -f m").out;
    CHECK_FALSE(has(v6, "a backend"));
    const std::string named = folder.run("reach any service:a/db -p 80/TCP -f m").out;
    CHECK(has(named, "IPv4"));
    CHECK_FALSE(has(named, "IPv6"));
}

TEST_CASE("outside addresses that are refused on the way are not called any") {
    const Folder folder;
    const std::string open =
        kAskedNode +
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a, labels: {app: p}}, spec: "
        "{nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.244.1.10}}\n---\n";
    folder.write(
        "m/a.yaml",
        open +
            "{apiVersion: v1, kind: Service, metadata: {name: p, namespace: a}, spec: {type: "
            "NodePort, clusterIP: 10.96.0.9, selector: {app: p}, ports: [{port: 80, targetPort: "
            "8080, nodePort: 30080}]}}\n---\n"
            "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth0, "
            "labels: {h: h}}, spec: {node: n1, interfaceName: eth0, expectedIPs: [10.1.0.11]}}\n"
            "---\n"
            "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: pre}, "
            "spec: {selector: has(h), order: 1, preDNAT: true, applyOnForward: true, types: "
            "[Ingress], ingress: [{action: Deny, source: {nets: [192.0.2.0/24]}}]}}\n");
    for (const char* explain : {"", " --explain"}) {
        INFO(explain);
        const std::string more = std::string(" node:n1 -p 30080/TCP -f m") + explain;
        CHECK(has(folder.run("reach any" + more).out, "any outside address but 192.0.2.0/24"));
        CHECK(has(folder.run("reach 192.0.0.0/16" + more).out,
                  "any address of 192.0.0.0/16 that no pod has but 192.0.2.0/24"));
    }
    CHECK(
        has(folder.run("reach 192.0.2.0/24 node:n1 -p 30080/TCP -f m").out, "nothing is allowed"));
    folder.write("m/a.yaml", open + balanced(""));
    for (const char* to : {"203.0.113.5", "service:a/p"})
        for (const char* explain : {"", " --explain"}) {
            INFO(to << explain);
            const std::string out =
                folder.run(std::string("reach any ") + to + " -p 80/TCP -f m" + explain).out;
            CHECK(has(out, "outside 192.0.2.0/24, 198.18.0.0/15"));
            CHECK_FALSE(has(out, "any outside address"));
        }
}

TEST_CASE("a load balancer's ranges count at its own address, externalIPs beside it or not") {
    const Folder folder;
    folder.write(
        "m/a.yaml",
        kAskedNode +
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a, labels: {app: p}}, "
            "spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: "
            "10.244.1.10}}\n---\n" +
            balanced(", externalIPs: [198.51.100.7]"));
    const auto any = [&](const char* to) {
        return folder.run(std::string("reach any ") + to + " -f m").out;
    };
    const std::string in = "outside 192.0.2.0/24, 198.18.0.0/15\n      allowed  TCP 8080\n";
    const std::string own = any("203.0.113.5 -p 80/TCP");
    CHECK(has(own, in));
    CHECK_FALSE(has(own, "depends"));
    // kube-proxy opens an externalIP to all, a load balancer before it may not.
    for (const char* to : {"198.51.100.7 -p 80/TCP", "service:a/p -p 80/TCP"}) {
        INFO(to);
        CHECK(has(any(to), in));
        CHECK(has(any(to), "any outside address but 192.0.2.0/24, 198.18.0.0/15\n"
                           "      depends  TCP 8080\n"
                           "               because "));
    }
    CHECK(has(any("node:n1 -p 30080/TCP"), "any outside address\n      allowed  TCP 8080\n"));
}

TEST_CASE("a hostPort is answered by its pod") {
    const Folder folder;
    folder.write("m/a.yaml",
                 kAskedNode + kDb +
                     "{apiVersion: v1, kind: Pod, metadata: {name: in, namespace: a, labels: {app: "
                     "db}}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: "
                     "[{containerPort: 5432, hostPort: 8443}]}]}, status: {podIP: 10.244.1.12}}\n");
    const std::string out = folder.run("reach any node:n1 -p 8443/TCP -f m").out;
    CHECK(has(out, "port 5432 of a backend, by its hostPort"));
    CHECK(has(out, "outside 203.0.113.0/24\n"));
}

TEST_CASE("a node's address that no host endpoint names is its host endpoints'") {
    const Folder folder;
    for (const char* expected : {"", ", expectedIPs: [10.1.0.11]"}) {
        INFO(expected);
        folder.write("m/a.yaml", kAskedNode + kDb + host(expected));
        for (const char* to : {"node:n1", "10.1.0.11", "10.1.0.0/24", "fd00::11"}) {
            INFO(to);
            const auto ask = [&](const char* port) {
                return folder.run(std::string("reach any ") + to + " -p " + port + " -f m").out;
            };
            if (to != std::string("10.1.0.0/24")) // the others in it have none
                CHECK_FALSE(has(ask("80/TCP"), "allowed  "));
            CHECK(has(ask("9100/TCP"), "GlobalNetworkPolicy hosts ingress[0]"));
            CHECK(has(ask("22/TCP"), "failsafe ports"));
        }
    }
    // Where no host endpoint is, nothing is in the way.
    folder.write("m/a.yaml", kAskedNode + kDb);
    CHECK(has(folder.run("reach any node:n1 -p 80/TCP -f m").out, "allowed  TCP 80"));
    // A node of which only a host endpoint is known.
    folder.write("m/a.yaml", kDb + host(""));
    CHECK(has(folder.run("reach any node:n1 -p 9100/TCP -f m").out, "hosts ingress[0]"));
}
