// Input that can be read in part: answers say what they do without, and hold all the same.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

std::string labelled_pod(const std::string& name, const std::string& space,
                         const std::string& app) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + space +
           ", labels: {app: " + app + "}}\nspec: {containers: [{name: c, image: i}]}\n";
}

const std::string kLabelledPods = labelled_pod("web", "shop", "web") +
                                  labelled_pod("db", "shop", "db") +
                                  labelled_pod("log", "ops", "log");

std::string kubernetes(const std::string& name, const std::string& space, const std::string& spec) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name +
           ", namespace: " + space + "}\nspec:\n" + spec;
}

const std::string kIsolates = "  podSelector: {matchLabels: {app: db}}\n"
                              "  policyTypes: [Ingress]\n"
                              "  ingress:\n  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
                              "    ports: [{port: 5432}]\n";

struct UnreadShop : testing::Folder {
    UnreadShop() { write("in/pods.yaml", kLabelledPods); }
    std::string verdict(const std::string& ends) const {
        const auto out = run("reach " + ends + " -f in --format json");
        CHECK(out.exit_code == 0);
        const auto answers = nlohmann::json::parse(out.out, nullptr, false);
        return answers.is_discarded() ? out.error : answers.at(0).at("verdict").get<std::string>();
    }
};

} // namespace

TEST_CASE("a rule that could not be read is unknown in its place") {
    const UnreadShop shop;
    shop.write("in/a.yaml", kubernetes("db", "shop",
                                       "  podSelector: {matchLabels: {app: db}}\n"
                                       "  policyTypes: [Ingress]\n"
                                       "  ingress:\n"
                                       "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
                                       "    ports: [{port: 5432}]\n"
                                       "  - fromm: [{podSelector: {}}]\n"));
    CHECK(shop.verdict("shop/web shop/db -p 5432/TCP") == "allow");
    CHECK(shop.verdict("ops/log shop/db -p 5432/TCP") == "depends");
    CHECK(shop.verdict("shop/db shop/web -p 80/TCP") == "allow");
    const auto why = shop.run("reach ops/log shop/db -p 80/TCP -f in");
    CHECK(has(why.out, "ingress[1] of NetworkPolicy shop/db could not be read"));
    CHECK(has(why.out, "in/a.yaml:11"));
    CHECK(has(why.error, "not read: 1 object with errors, in/a.yaml:11"));
    CHECK(has(why.error, "1 of 1 answer hangs on it"));
    const auto sure = shop.run("reach shop/web shop/db -p 5432/TCP -f in");
    CHECK(has(sure.error, "0 of 1 answer hangs on it"));
}

TEST_CASE("a policy that could not be read is unknown for what it may select") {
    const UnreadShop shop;
    shop.write("in/a.yaml", kubernetes("db", "shop",
                                       "  podSelector: {matchLabels: {app: db}}\n"
                                       "  policyTypes: [Ingress]\n"
                                       "  ingres: []\n"));
    CHECK(shop.verdict("shop/web shop/db -p 80/TCP") == "depends");
    CHECK(shop.verdict("shop/db shop/web -p 80/TCP") == "allow"); // not selected, and ingress only
    // One that isolates stands beside it: what it allows is allowed whatever the other says.
    shop.write("in/b.yaml", kubernetes("isolates", "shop", kIsolates));
    CHECK(shop.verdict("shop/web shop/db -p 5432/TCP") == "allow");
    CHECK(shop.verdict("shop/web shop/db -p 80/TCP") == "depends");
    // Without a selector that can be read, of its namespace; and with types that can't, both ways.
    shop.write("in/a.yaml", kubernetes("db", "shop",
                                       "  podSelector: {matchLabels: [app]}\n"
                                       "  policyTypes: [Sideways]\n"));
    CHECK(shop.verdict("ops/log shop/web -p 80/TCP") == "depends");
    CHECK(shop.verdict("shop/web ops/log -p 80/TCP") == "depends");
    CHECK(shop.verdict("ops/log ops/log -p 80/TCP") == "allow");
    // A document that is no YAML.
    shop.write("in/a.yaml", kubernetes("db", "ops", "  podSelector: {\n  x: [\n"));
    CHECK(shop.verdict("shop/web ops/log -p 80/TCP") == "depends");
    CHECK(shop.verdict("shop/db shop/web -p 80/TCP") == "allow");
}

TEST_CASE("a tier before it decides all the same") {
    const UnreadShop shop;
    const std::string calico = "---\napiVersion: projectcalico.org/v3\nkind: ";
    shop.write("in/a.yaml",
               calico + "Tier\nmetadata: {name: first}\nspec: {order: 1}\n" + calico +
                   "GlobalNetworkPolicy\nmetadata: {name: first.deny}\nspec: {tier: first, "
                   "selector: app == 'db', types: [Ingress], ingress: [{action: Deny, source: "
                   "{selector: app == 'log'}}, {action: Pass}]}\n" +
                   calico +
                   "GlobalNetworkPolicy\nmetadata: {name: broken}\nspec: {tier: default, order: 5, "
                   "selector: \"app == 'db'\", types: [Ingress], ingress: 5}\n");
    CHECK(shop.verdict("ops/log shop/db -p 80/TCP") == "deny");
    CHECK(shop.verdict("shop/web shop/db -p 80/TCP") == "depends");
}

TEST_CASE("a pod that could not be read is no reason to say nothing of others") {
    const UnreadShop shop;
    shop.write("in/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: odd, namespace: shop, "
                            "labels: {app: [db]}}\nspec: {containers: [{name: c, image: i}]}\n" +
                                kubernetes("isolates", "shop", kIsolates));
    CHECK(shop.verdict("shop/web shop/db -p 5432/TCP") == "allow");
    CHECK(shop.verdict("ops/log shop/db -p 5432/TCP") == "deny");
    CHECK(shop.verdict("shop/odd shop/db -p 5432/TCP") == "depends"); // it may be a `web`
    CHECK(shop.verdict("ops/log shop/odd -p 80/TCP") == "depends");
}

TEST_CASE("every question answers, compile stops") {
    const UnreadShop shop;
    shop.write("in/a.yaml", kubernetes("db", "shop", "  podSelector: {}\n  egres: []\n") +
                                kubernetes("isolates", "ops",
                                           "  podSelector: {matchLabels: {app: nothing}}\n"
                                           "  policyTypes: [Ingress]\n"));
    for (const char* question :
         {"map in", "map --rows sides in", "map --format svg in", "which shop/db -f in",
          "exposure in", "reach any shop/db -f in", "reach shop/web shop/db -f in",
          "reach any any --explain -f in", "report --fail-on never -o r.html in"}) {
        const auto out = shop.run(question);
        CHECK_MESSAGE(out.exit_code == 0, question, out.error);
        if (!has(question, "report"))
            CHECK_MESSAGE(has(out.error, "not read: 1 object with errors, in/a.yaml:7"), question,
                          out.error);
    }
    CHECK(has(shop.read("r.html"), "not read: 1 object with errors"));
    CHECK(has(shop.run("which shop/db -f in").out, "could not be read: it may govern"));
    const auto compiled = shop.run("compile in");
    CHECK(compiled.exit_code == 2);
    CHECK(has(compiled.error, "the input is not used before"));
    // lint's rules run on what could be read, and say nothing of what could not.
    const auto lint = shop.run("lint in");
    CHECK(lint.exit_code == 1);
    CHECK(has(lint.out, "PC2001"));
    CHECK(has(lint.out, "isolates"));
    CHECK_FALSE(has(lint.out, "PC4003")); // types of the other, which may be given
    for (const char* nothing : {"reach shop/web shop/db -p 80 -f nowhere", "map nowhere"})
        CHECK(shop.run(nothing).exit_code == 2);
}

TEST_CASE("a change that mends can be looked at") {
    const UnreadShop shop;
    shop.write("old/a.yaml",
               kLabelledPods + kubernetes("db", "shop", "  podSelector: {}\n  ingres: []\n"));
    shop.write("new/a.yaml", kLabelledPods + kubernetes("db", "shop", kIsolates));
    const auto mended = shop.run("diff --fail-on opened old new");
    CHECK(mended.exit_code == 1); // shop/web may have been closed before
    CHECK(has(mended.error, "old/a.yaml"));
    CHECK(has(mended.out, "shop/web"));
    CHECK(shop.run("diff old new").exit_code == 0);
    const auto broken = shop.run("diff --fail-on closed --format json new old");
    CHECK(broken.exit_code == 1);
    CHECK(has(broken.out, "\"unread\": ["));
}

TEST_CASE("expectations hold where nothing hangs on what could not be read") {
    const UnreadShop shop;
    shop.write("in/a.yaml", kubernetes("db", "ops", "  podSelector: {}\n  egres: []\n"));
    const std::string test = "apiVersion: polecat/v1\nkind: PolicyTest\nmetadata: {name: t}\n"
                             "spec:\n  manifests: [in]\n  cases:\n"
                             "  - {from: shop/web, to: shop/db, port: 80/TCP, expect: allow}\n";
    shop.write("a.policytest.yaml", test);
    const auto holds = shop.run("test a.policytest.yaml");
    CHECK_MESSAGE(holds.exit_code == 0, holds.out, holds.error);
    CHECK(has(holds.out, "not read: 1 object"));
    shop.write("a.policytest.yaml",
               test + "  - {from: shop/web, to: ops/log, port: 80/TCP, expect: allow}\n");
    CHECK(shop.run("test a.policytest.yaml").exit_code == 1);
}

TEST_CASE("policies of others are named once") {
    const UnreadShop shop;
    shop.write("in/a.yaml", "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
                            "metadata: {name: c, namespace: shop}\nspec: {}\n---\n"
                            "apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\n"
                            "metadata: {name: c, namespace: shop}\nspec: {}\n---\n"
                            "apiVersion: projectcalico.org/v3\nkind: EgressRuleset\n"
                            "metadata: {name: c}\nspec: {}\n");
    const auto answer = shop.run("reach shop/web shop/db -p 80/TCP -f in");
    CHECK(answer.exit_code == 0);
    CHECK(has(answer.error, "1 cilium.io/v2 CiliumNetworkPolicy"));
    CHECK(has(answer.error, "1 crd.antrea.io/v1beta1 NetworkPolicy"));
    const auto lint = shop.run("lint in");
    CHECK(has(lint.out, "warning[PC1040]"));
    CHECK_FALSE(has(lint.out, "error["));
}

TEST_CASE("a host endpoint whose node could not be read may stand on any node") {
    const auto verdict = [](const std::string& spec, const std::string& node) {
        const testing::Folder folder;
        folder.write("a.yaml",
                     "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: "
                     "[{type: InternalIP, address: 192.0.2.11}]}\n---\n"
                     "apiVersion: v1\nkind: Node\nmetadata: {name: n2}\nstatus: {addresses: "
                     "[{type: InternalIP, address: 192.0.2.12}]}\n---\n"
                     "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                     "metadata: {name: guard}\nspec: {order: 1, selector: host == 'a', types: "
                     "[Ingress], ingress: [{action: Deny}]}\n---\n"
                     "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                     "metadata: {name: h, labels: {host: a}}\nspec: {" +
                         spec + "}\n");
        const auto out = folder.run("reach 203.0.113.9 node:" + node + " -p 8080/TCP -f a.yaml");
        return out.out.substr(0, out.out.find(' '));
    };
    const std::string rest = ", interfaceName: eth0, expectedIPs: [192.0.2.11]";
    CHECK(verdict("node: n1" + rest, "n1") == "DENY");
    CHECK(verdict("node: n1" + rest, "n2") == "ALLOW");
    for (const char* broken : {"node: [n1]", "nodee: n1", "node: "})
        for (const char* node : {"n1", "n2"})
            CHECK(verdict(broken + rest, node) == "DEPENDS");
}

TEST_CASE("host endpoints and Felix' settings that could not be read leave nothing open for sure") {
    const auto answers = [](const std::string& more, const std::string& port) {
        const testing::Folder folder;
        folder.write("a.yaml",
                     "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: "
                     "[{type: InternalIP, address: 192.0.2.11}]}\n---\n"
                     "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                     "metadata: {name: guard}\nspec: {order: 1, selector: host == 'a', types: "
                     "[Ingress], ingress: [{action: Allow, protocol: TCP, destination: {ports: "
                     "[443]}}, {action: Deny}]}\n---\n" +
                         more);
        const auto out = folder.run("reach 203.0.113.9 node:n1 -p " + port + "/TCP -f a.yaml");
        return out.out.substr(0, out.out.find(' '));
    };
    const std::string hep = "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                            "metadata: {name: h, labels: {host: a}}\nspec: {node: n1, "
                            "interfaceName: eth0, expectedIPs: [192.0.2.11]}\n";
    const auto felix = [&](const std::string& spec) {
        return hep + "---\napiVersion: projectcalico.org/v3\nkind: FelixConfiguration\n" +
               "metadata: {name: default}\nspec: {" + spec + "}\n";
    };
    CHECK(answers(felix("failsafeInboundHostPorts: []"), "22") == "DENY");
    CHECK(answers(felix("failsafeInboundHostPorts: nonsense"), "22") == "DEPENDS");
    CHECK(answers(felix("failsafeInboundHostPort: []"), "22") == "DEPENDS");
    CHECK(answers(felix("failsafeInboundHostPorts: ["), "22") == "DEPENDS");
    CHECK(answers(felix("failsafeInboundHostPorts: nonsense"), "8080") == "DEPENDS");
    CHECK(answers(felix("failsafeInboundHostPorts: nonsense"), "443") == "ALLOW");
    std::string broken = hep;
    broken.replace(broken.find("eth0"), 4, "[");
    CHECK(answers(broken, "8080") == "DEPENDS");
    std::string unlabelled = hep;
    unlabelled.replace(unlabelled.find("{host: a}"), 9, "[host, a]");
    CHECK(answers(unlabelled, "8080") == "DEPENDS");
}

TEST_CASE("what can't be read of another kind of policy changes no answer") {
    const testing::Folder folder;
    folder.write("in/pods.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n"
                                 "spec: {containers: [{name: c, image: i}]}\n"
                                 "status: {podIP: 10.0.0.1}\n");
    const auto map = [&](const std::string& version) {
        folder.write("in/policy.yaml", "apiVersion: " + version + "\nkind: Policy\nrules: [\n");
        return folder.run("map in").out;
    };
    CHECK_FALSE(has(map("audit.k8s.io/v1"), "depends"));
    CHECK(has(map("networking.k8s.io/v1"), "depends"));
}

TEST_CASE("letters that stand for numbers in addresses are letters in selectors") {
    const testing::Folder folder;
    const auto ask = [&](const std::string& source) {
        folder.write(
            "m/a.yaml",
            "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: a, labels: {app: w}}, "
            "spec: {containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
            "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
            "namespace: a}, spec: {selector: app == 'w', types: [Ingress], ingress: [{action: "
            "Allow, source: {" +
                source + "}}]}}\n");
        return folder.run("reach 203.0.113.7 a/w -p 80/TCP -f m").out;
    };
    CHECK(ask("selector: \"example.com/x in {'y', 'zzz'}\"").starts_with("DENY"));
    CHECK(ask("nets: [192.168.xxx.0/24]").starts_with("DEPENDS"));
}

TEST_CASE("a policy in a list that is no YAML is one that could not be read") {
    const std::string policy =
        "projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":"
        "{\"name\":\"deny\"},\"spec\":{\"selector\":\"all()\",\"types\":"
        "[\"Ingress\"],\"ingress\":[{\"action\":\"Deny\"}}}]}\n";
    const std::pair<const char*, std::string> broken[] = {
        {"in/list.json",
         "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"" + policy},
        {"in/list.yaml", "apiVersion: v1\nkind: List\nitems:\n- metadata: {name: deny}\n"
                         "  apiVersion: projectcalico.org/v3\n  kind: GlobalNetworkPolicy\n"
                         "  spec: {selector: all(), types: [Ingress], ingress: [{action: Deny}}\n"},
        {"in/template.yaml",
         "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects:\n"
         "- kind: NetworkPolicy\n  apiVersion: networking.k8s.io/v1\n"
         "  metadata: {name: deny, namespace: shop}\n  spec: {podSelector: {}, ingress: [}\n"}};
    for (const auto& [path, text] : broken) {
        CAPTURE(path);
        const UnreadShop shop;
        shop.write(path, text);
        CHECK(shop.verdict("shop/web shop/db -p 80/TCP") == "depends");
        const auto lint = shop.run("lint in");
        CHECK(lint.exit_code == 1);
        CHECK(has(lint.out, "error[PC1003]"));
    }
}

TEST_CASE("blanks are told of all that an answer hangs on, and only where their text is refused") {
    const UnreadShop shop;
    shop.write("in/sets/blank.yaml", "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\n"
                                     "metadata: {name: bad, labels: {role: bad}}\n"
                                     "spec: {nets: ['<bad-cidr>']}\n");
    CHECK(has(shop.run("lint in").out, "in/sets/blank.yaml:4:15: error[PC1046]"));
    const UnreadShop other;
    other.write(
        "in/a.yaml",
        "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
        "metadata: {name: a, namespace: shop}\nspec:\n  selector: app == 'db'\n"
        "  ingress:\n  - action: Deny\n    source: {selector: \"app in {'billing__API'}\"}\n"
        "  - {action: Allow}\n");
    CHECK_FALSE(has(other.run("lint in").out, "PC1046"));
    CHECK(other.verdict("shop/web shop/db -p 80/TCP") == "allow");
}

TEST_CASE("answers to who may come in do not hang on what may go out") {
    const testing::Folder folder;
    folder.write("m/a.yaml",
                 "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n"
                 "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a}, spec: "
                 "{containers: [{name: c, image: x}]}}\n---\n"
                 "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: "
                 "bad}, spec: {namespaceSelector: all(), types: [Egress], egress: [{action: "
                 "Allow, protocol: 'UDP, TCP', destination: {ports: [53]}}]}}\n");
    CHECK(has(folder.run("exposure m").error, "0 of 1 answer hangs on it"));
    CHECK(has(folder.run("reach any a/web -f m").error, "0 of 1 answer hangs on it"));
    CHECK(has(folder.run("reach a/web any -f m").error, "1 of 1 answer hangs on it"));
}

TEST_CASE("the trail names once what could not be read, also without a name") {
    const testing::Folder folder;
    folder.write("m/a.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n"
                             "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a}, "
                             "spec: {containers: [{name: c, image: x}]}}\n---\n"
                             "{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a}, "
                             "spec: {containers: [{name: c, image: x}]}}\n---\n"
                             "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                             "{name: y, namespace: a}, spec: {podSelector: {}}}\n");
    const std::string out = folder.run("reach a/cli a/web -p 80/TCP -f m").out;
    const std::string line = "> tier default           NetworkPolicy a/y ingress";
    CHECK(has(out, "because NetworkPolicy a/y could not be read"));
    const std::size_t first = out.find(line);
    REQUIRE(first != std::string::npos);
    CHECK(out.find(line, first + 1) == std::string::npos);
}
