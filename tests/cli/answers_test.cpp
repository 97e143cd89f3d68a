// What answers say of hosts, of hooks that they don't follow, of input without endpoints, and of
// what is left out.
#include <string>
#include <vector>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

namespace {

const std::string kWorkerNode =
    "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, "
    "address: 10.1.0.11}]}}\n---\n";
const std::string kWorkerEndpoint =
    "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth0, labels: "
    "{role: worker}}, spec: {node: n1, interfaceName: eth0, expectedIPs: [10.1.0.11]}}\n---\n";
const std::string kWorkerPod =
    "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: a, labels: {app: w}}, spec: "
    "{nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.244.1.10}}\n---\n";

std::string hosts(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: hosts}, "
           "spec: {selector: role == 'worker', types: [Ingress], " +
           spec + "}}\n---\n";
}

const std::string kSsh = hosts("ingress: [{action: Allow, protocol: TCP, source: {nets: "
                               "[10.0.0.0/8]}, destination: {ports: [22, 10250]}}]");
const std::string kForward = hosts("applyOnForward: true, ingress: [{action: Allow, protocol: TCP, "
                                   "destination: {ports: [22]}}]");

} // namespace

TEST_CASE("who reaches a host: failsafe ports count in every answer") {
    const Folder folder;
    folder.write("m/a.yaml", kWorkerNode + kWorkerEndpoint + kWorkerPod + kSsh);
    const auto out = [&](const std::string& arguments) { return folder.run(arguments).out; };
    for (const char* end : {"hep:n1-eth0", "node:n1"}) {
        const std::string api = out(std::string("reach any ") + end + " -p 6443/TCP -f m");
        CHECK(has(api, "any outside address"));
        CHECK(has(api,
                  "by       ingress failsafe ports of FelixConfiguration, whatever policy says"));
        CHECK(has(out(std::string("reach any ") + end + " -p 22/TCP -f m"), "any outside address"));
        CHECK(has(out(std::string("reach any ") + end + " -p 80/TCP -f m"), "nothing is allowed"));
    }
    const std::string all = "TCP 22,179,2379-2380,5473,6443,6666-6667; UDP 68";
    CHECK(has(out("reach 8.8.8.8 hep:n1-eth0 -f m"), "allowed  " + all + "\n"));
    CHECK(has(out("reach 8.8.8.8 hep:n1-eth0 -p 22/TCP -f m"), "ALLOW"));
    CHECK(has(out("map m"), all + "\n        -> hep:n1-eth0"));
    for (const char* format : {"json", "csv", "md", "dot"})
        CHECK(has(out(std::string("map --format ") + format + " m"), all));
    CHECK(has(out("map --rows sides m"), all + " <- "));
    CHECK(has(out("report -o - --fail-on never m"), all));
    CHECK(has(out("exposure m"), "any outside address but 10.0.0.0/8: " + all));
    const std::string why = out("reach 8.8.8.8 hep:n1-eth0 --explain -f m");
    CHECK(has(why,
              "> failsafe ports         FelixConfiguration, whatever policy says: allows " + all));
    // A change of the list is a change of flows.
    folder.write("n/a.yaml",
                 kWorkerNode + kWorkerEndpoint + kWorkerPod + kSsh +
                     "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, "
                     "metadata: {name: default}, spec: {failsafeInboundHostPorts: []}}\n");
    const std::string change = out("diff m n");
    CHECK(has(change, "closed"));
    CHECK(has(change, "failsafe ports of FelixConfiguration"));
    CHECK(has(out("reach any hep:n1-eth0 -p 6443/TCP -f n"), "nothing is allowed"));
}

TEST_CASE("who may ask a service through its load balancer") {
    const Folder folder;
    const auto service = [&](const std::string& ranges) {
        folder.write("m/a.yaml",
                     kWorkerNode + kWorkerPod +
                         "{apiVersion: v1, kind: Service, metadata: {name: w, namespace: a}, spec: "
                         "{type: LoadBalancer, " +
                         ranges + "selector: {app: w}, ports: [{port: 80, targetPort: 8080}]}}\n");
        return folder.run("reach any service:a/w -p 80/TCP -f m").out;
    };
    const std::string some = service("loadBalancerSourceRanges: [198.51.100.0/24], ");
    CHECK(has(some, "from outside by loadBalancerSourceRanges"));
    CHECK(has(some, "outside 198.51.100.0/24"));
    CHECK_FALSE(has(some, "any outside address"));
    CHECK(has(folder.run("reach 203.0.113.7 service:a/w -p 80/TCP -f m").out,
              "DENY  203.0.113.7 -> service:a/w  80/TCP\n  because loadBalancerSourceRanges"));
    CHECK(has(folder.run("reach 203.0.113.0/24 service:a/w -p 80/TCP -f m").out,
              "nothing is allowed"));
    CHECK(has(folder.run("reach 198.51.100.0/25 service:a/w -p 80/TCP -f m").out, "allowed"));
    CHECK(has(service(""), "any outside address"));
    CHECK(has(folder.run("reach 203.0.113.7 service:a/w -p 80/TCP -f m").out, "ALLOW"));
}

TEST_CASE("answers name the hooks of host endpoints that they don't follow") {
    const Folder folder;
    folder.write("m/a.yaml", kWorkerNode + kWorkerEndpoint + kWorkerPod + kForward);
    folder.write("n/a.yaml", kWorkerNode + kWorkerEndpoint + kWorkerPod + kSsh);
    const std::string note = "preDNAT, untracked and forward policy of host endpoints";
    for (const char* command : {"map", "exposure", "map --format md", "map --format svg",
                                "map --format dot", "map --rows sides", "report -o -"}) {
        INFO(command);
        CHECK(has(folder.run(std::string(command) + " m").out, note));
        CHECK_FALSE(has(folder.run(std::string(command) + " n").out, note));
    }
    for (const char* command :
         {"map --format csv", "map --format json", "exposure --format json"}) {
        INFO(command);
        CHECK(has(folder.run(std::string(command) + " m").error, "note: by the policies of both"));
        CHECK_FALSE(has(folder.run(std::string(command) + " n").error, note));
    }
}

TEST_CASE("without endpoints there is nobody to ask about") {
    const Folder folder;
    folder.write("none/a.yaml", kForward);
    folder.write("broken/a.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                  "metadata: {name: x\nspec: [\n");
    const std::string nobody = "no endpoint in the input: there is nobody to ask about";
    for (const char* command : {"map", "exposure", "reach any any -f"}) {
        INFO(command);
        const auto none = folder.run(std::string(command) + " none");
        CHECK(none.exit_code == 0);
        CHECK(has(none.out, nobody));
        CHECK_FALSE(has(none.out, "nothing is allowed"));
        const auto broken = folder.run(std::string(command) + " broken");
        CHECK(broken.exit_code == 2);
        CHECK(broken.out.empty());
        CHECK(has(broken.error, "PC1003"));
    }
    for (const char* command : {"map --format json", "map --format csv", "map --format svg",
                                "exposure --format json", "reach any any --format json -f"})
        CHECK(has(folder.run(std::string(command) + " none").error, nobody));
    // Something that could be read beside it is answered from; a host is somebody.
    folder.write("broken/b.yaml", kWorkerNode + kWorkerEndpoint);
    CHECK(folder.run("map broken").exit_code == 0);
    CHECK_FALSE(has(folder.run("map broken").out, nobody));
}

TEST_CASE("compile names the endpoints that are on no node") {
    const Folder folder;
    const auto deployment = [](const std::string& name, const std::string& more) {
        return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name +
               ", namespace: a}, spec: {selector: {matchLabels: {app: " + name +
               "}}, template: {metadata: {labels: {app: " + name + "}}, spec: {" + more +
               "containers: [{name: c, image: i}]}}}}\n---\n";
    };
    folder.write("m/a.yaml", kWorkerNode + kWorkerPod + deployment("web", "") +
                                 deployment("agent", "hostNetwork: true, ") +
                                 deployment("placed", "nodeName: n1, "));
    const auto made = folder.run("compile m -o bundle");
    CHECK(made.exit_code == 0);
    CHECK(has(made.error, "endpoint a/web has no node yet"));
    CHECK_FALSE(has(made.error, "a/agent"));
    CHECK_FALSE(has(made.error, "a/placed has no node"));
    CHECK(has(made.out, "n1: "));
    folder.write("two/a.yaml",
                 kWorkerNode + "{apiVersion: v1, kind: Node, metadata: {name: n2}}\n");
    CHECK(has(folder.run("compile two --target bird -o b").error,
              "none of the 2 Nodes has an address"));
    CHECK(has(folder.run("compile two --target bird --node n9 -o b").error,
              "there is no Node `n9` with an address"));
}

TEST_CASE("commands and revisions that are not there") {
    const Folder folder;
    folder.write("m/a.yaml", kWorkerPod);
    const auto none = folder.run("nosuch");
    CHECK(none.exit_code == 2);
    CHECK(has(none.error, "there is no command `nosuch`, but lint, reach, map"));
    CHECK(has(folder.run("diff main feature -- m").error, "main..feature"));
    CHECK(has(folder.run("diff main -- m").error, "main..HEAD"));
    CHECK(folder.run("diff main -- m").exit_code == 2);
    CHECK(folder.run("diff m m").exit_code == 0);
    CHECK(folder.run("--version").exit_code == 0);
}

TEST_CASE("a later release of Calico than rules know is said") {
    const Folder folder;
    folder.write("m/a.yaml", kWorkerPod);
    CHECK(has(folder.run("lint --calico-version 3.99 m").error, "rules know Calico up to 3.32"));
    CHECK_FALSE(has(folder.run("lint --calico-version 3.32 m").error, "rules know"));
}

TEST_CASE("fixes that can't be made are not offered") {
    const Folder folder;
    folder.write(".polecat.yaml", "lint: {fail_on: error}\n");
    folder.write("m/a.yaml", kWorkerPod);
    const auto config = folder.run("lint --fix m");
    CHECK(config.exit_code == 2);
    CHECK(has(config.error, "did you mean `fail-on`?"));
    CHECK_FALSE(has(config.error, "lint --fix"));
    // The group is mended, and then the object is refused for something else.
    const std::string refused = "apiVersion: networking.k8s.io/v3\nkind: NetworkPolicy\nmetadata: "
                                "{name: x, namespace: a}\nspec: {podSelector: 5}\n";
    folder.write(".polecat.yaml", "");
    folder.write("m/b.yaml", refused);
    const std::string before = folder.run("lint m").out;
    const auto fixed = folder.run("lint --fix m");
    if (has(before, "(lint --fix)")) {
        CHECK(has(fixed.error, "is not mended"));
        CHECK_FALSE(has(fixed.out, "(lint --fix)"));
    }
    CHECK(folder.read("m/b.yaml") == refused);
}

TEST_CASE("a selector that ends in a line break") {
    const Folder folder;
    const auto lint = [&](const std::string& selector) {
        folder.write("m/a.yaml", "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: "
                                 "{name: t, namespace: a}\nspec:\n  selector: " +
                                     selector + "\n  types: [Ingress]\n");
        return folder.run("lint m").out;
    };
    for (const char* block : {">\n    app == 't'", "|\n    app == 't'"}) {
        const std::string out = lint(block);
        CHECK(has(out, "selector does not parse: it ends in a line break"));
        CHECK(has(out, "hint: the text ends in a line break: write `>-`"));
        CHECK(has(out, "the selector is spec.selector: app == 't'\n"));
    }
    CHECK(has(lint("|-\n    app == 't' &&\n    has(x)"), "found a line break"));
    CHECK_FALSE(has(lint(">-\n    app == 't'"), "PC1100"));
    CHECK(has(lint(">\n    app = 't'"), "did you mean `app == 't'`?"));
}

TEST_CASE("a pod that only a service account tells apart") {
    const Folder folder;
    folder.write("m/a.yaml",
                 kWorkerPod +
                     "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
                     "namespace: a}, spec: {selector: app == 'w', types: [Ingress], ingress: "
                     "[{action: Allow, source: {selector: \"projectcalico.org/serviceaccount == "
                     "'robot'\"}}]}}\n");
    const std::string out = folder.run("exposure m").out;
    CHECK(has(out, "of service account robot: *"));
    CHECK_FALSE(has(out, "projectcalico.org/serviceaccount"));
    CHECK(has(folder.run("exposure --format json m").out, "\"service_account\": \"robot\""));
}

TEST_CASE("outside addresses of a change are one box, and called so once") {
    const Folder folder;
    const auto pods = [](const std::string& ports) {
        return kWorkerPod +
               "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
               "namespace: a}, spec: {selector: app == 'w', types: [Ingress], ingress: [" +
               ports +
               "{action: Allow, protocol: TCP, source: {nets: [10.0.0.0/8]}, destination: "
               "{ports: [22]}}]}}\n";
    };
    folder.write("m/a.yaml", pods(""));
    folder.write("n/a.yaml", pods("{action: Allow, protocol: TCP, destination: {ports: [443]}}, "));
    const std::string all = folder.run("diff --format dot m n").out;
    CHECK(has(all, "any outside address"));
    CHECK_FALSE(has(all, "outside 10.0.0.0/8"));
    folder.write("n/a.yaml", pods("{action: Allow, protocol: TCP, source: {nets: [10.0.0.0/8]}, "
                                  "destination: {ports: [443]}}, "));
    const std::string some = folder.run("diff --format dot m n").out;
    CHECK(has(some, "outside 10.0.0.0/8"));
    CHECK_FALSE(has(some, "outside outside"));
}

TEST_CASE("which: what no policy is for passes where it is forwarded") {
    const Folder folder;
    folder.write("m/a.yaml",
                 "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h, "
                 "labels: {r: w}}, spec: {node: n1, interfaceName: eth0, expectedIPs: "
                 "[10.0.0.1]}}\n---\n"
                 "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: "
                 "p}, spec: {selector: r == 'w', types: [Ingress], applyOnForward: true, ingress: "
                 "[{action: Allow}]}}\n");
    const std::string out = folder.run("which hep:h -f m").out;
    CHECK(has(out, "egress\n    no policy: its profiles decide (without any all is denied but"));
    CHECK(has(out, "egress (forward)\n    no policy: what is forwarded passes\n"));
    CHECK_FALSE(has(out, "those of a namespace"));
}

TEST_CASE("compile with nothing to write says what it takes") {
    const Folder folder;
    folder.write("m/a.yaml", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, "
                             "namespace: a}, spec: {selector: {matchLabels: {app: web}}, template: "
                             "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, "
                             "image: x}]}}}}\n");
    const auto out = folder.run("compile m -o bundle");
    CHECK(out.exit_code == 1);
    CHECK(has(out.error, "nothing was written: no endpoint is on a node (spec.nodeName"));
}

TEST_CASE("answers about all flows say that HTTP rules count for requests alone") {
    const Folder folder;
    const auto write = [&](const std::string& clause) {
        folder.write("m/a.yaml",
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: a}\n"
                     "spec: {containers: [{name: c, image: i}]}\n---\n"
                     "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
                     "metadata: {name: np, namespace: a}\nspec:\n  types: [Ingress]\n"
                     "  ingress: [{action: Allow, protocol: TCP, destination: {ports: [80]}" +
                         clause + "}]\n");
    };
    const std::string note =
        "NetworkPolicy a/np ingress[0] is for HTTP requests alone; without Calico's application "
        "layer policy (policySyncPathPrefix) it takes the whole port";
    const std::vector<std::string> shown{"map m", "map --format md m", "map --rows sides m",
                                         "exposure m", "reach any a/db -f m"},
        // A picture has no room for all of it.
        beside{"map --format csv m", "map --format json m", "map --format svg m",
               "exposure --format json m"};
    write(", http: {methods: [GET]}");
    for (const std::string& command : shown)
        CHECK_MESSAGE(has(folder.run(command).out, "is for HTTP requests alone; without Calico"),
                      command);
    for (const std::string& command : beside)
        CHECK_MESSAGE(has(folder.run(command).error, "note: " + note), command);
    write("");
    for (const std::string& command : shown)
        CHECK_MESSAGE(!has(folder.run(command).out, "HTTP requests alone"), command);
}
