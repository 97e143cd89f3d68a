// Host endpoints in rules for iptables: which programs stand in which table, that rules read back
// and change by plans, and where packets are sent to them.
#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/plan.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"
#include "tests/host_policies.h"

using namespace polecat;
using iptables::In;
using testing::host_policy;
using testing::pod;

namespace {

const std::string kEveryHook =
    host_policy("normal", "types: [Ingress, Egress], ingress: [{action: Allow, protocol: TCP, "
                          "destination: {ports: [80]}}], egress: [{action: Allow}]") +
    host_policy("forward", "applyOnForward: true, types: [Ingress, Egress], ingress: [{action: "
                           "Deny, source: {nets: [203.0.113.0/24]}}, {action: Allow}], egress: "
                           "[{action: Allow}]") +
    host_policy("early", "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                         "[{action: Deny, protocol: TCP, destination: {ports: [30000]}}, {action: "
                         "Allow, protocol: UDP}]") +
    host_policy("raw", "doNotTrack: true, applyOnForward: true, types: [Ingress, Egress], ingress: "
                       "[{action: Allow, protocol: UDP, destination: {ports: [53]}}], egress: "
                       "[{action: Log}, {action: Deny, protocol: UDP}]");

struct HostFiltered {
    std::optional<iptables::FilterImage> image;
    iptables::Ruleset rules;
    bool refused = false;
};

HostFiltered host_filter(const std::string& text) {
    testing::RandomCluster cluster;
    testing::load_text(text, cluster);
    HostFiltered out;
    out.image = testing::filter_image_of(cluster);
    if (out.image)
        out.rules = iptables::emit(*out.image);
    const auto& list = cluster.diagnostics.list();
    out.refused = std::any_of(list.begin(), list.end(), [](const diag::Diagnostic& each) {
        return each.code == diag::Code::HostEndpointNotInIptables;
    });
    return out;
}

/// Through text.
HostFiltered read_again(const std::string& text) {
    HostFiltered made = host_filter(text);
    REQUIRE(made.image.has_value());
    const auto written = iptables::compile(*made.image);
    REQUIRE_MESSAGE(written.ok(), (written ? "" : written.error()));
    for (const iptables::Table* table : {&made.rules.v4, &made.rules.v6})
        for (const iptables::Chain& chain : table->chains)
            CHECK_MESSAGE(chain.name.size() <= 28, chain.name);
    return made;
}

std::string text_of_chain(const HostFiltered& made, const std::string& name, In in) {
    const iptables::Chain* found = made.rules.v4.find(name, in);
    REQUIRE_MESSAGE(found != nullptr, name);
    return iptables::print(iptables::Table{{*found}});
}

bool has_part(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("iptables: random policy at every hook of host endpoints reads back") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        read_again(testing::ClusterWriter(seed, {}).write() +
                   testing::host_endpoint(seed % 3 == 0 ? "*" : "uplink") +
                   testing::neighbour_discovery() + testing::random_host_policies(random, true));
    }
}

TEST_CASE("iptables: each hook of a host endpoint has its programs in its table") {
    const HostFiltered made =
        read_again(pod("web", "web", 1) + testing::host_endpoint("eth0") + kEveryHook);
    CHECK(has_part(text_of_chain(made, "polecat-input", In::Filter),
                   "-A polecat-input -i eth0 -g polecat-input-host\n"));
    CHECK(has_part(text_of_chain(made, "polecat-forward", In::Filter),
                   "-A polecat-forward -o eth0 -g polecat-workload\n"));
    const std::string failsafe =
        "-p tcp -m multiport --dports 22,179,2379,2380,5473,6443,6666,6667 -m comment --comment "
        "\"failsafe port\" -j RETURN\n";
    CHECK(has_part(text_of_chain(made, "polecat-host-in", In::Filter), failsafe));
    CHECK(has_part(text_of_chain(made, "polecat-early-in", In::Mangle), failsafe));
    const std::string raw = text_of_chain(made, "polecat-raw-in", In::Raw);
    CHECK(has_part(raw, failsafe));
    CHECK(has_part(raw, "-p udp -m multiport --sports 53,67 ")); // answers
    CHECK_FALSE(has_part(text_of_chain(made, "polecat-through-in", In::Filter), "failsafe"));
    // What preDNAT policy took skips the policy of this interface, and untracked policy is asked
    // once more wherever packets without a connection come to.
    const std::string through = text_of_chain(made, "polecat-through-in", In::Filter);
    CHECK(has_part(through, "-i eth0 -m connmark --mark 0x80000000/0x80000000 -j RETURN\n"));
    CHECK(has_part(through, "-m conntrack --ctstate UNTRACKED -j polecat-raw-through\n"));
    CHECK(has_part(text_of_chain(made, "polecat-early-known", In::Mangle),
                   "-m conntrack --ctstate UNTRACKED -j polecat-raw-in\n"));
    CHECK(has_part(text_of_chain(made, "polecat-taken", In::Raw), "-j CT --notrack\n"));
    CHECK_FALSE(has_part(text_of_chain(made, "polecat-through-out", In::Filter), "connmark"));
    CHECK(iptables::hooks_of(made.rules.v4).size() == 7);
    CHECK(iptables::host_hooks(made.rules.v4).find("*mangle\n-I PREROUTING -j polecat-early\n") !=
          std::string::npos);
}

TEST_CASE("iptables: a node without host endpoints has no table but filter") {
    const HostFiltered made = read_again(pod("web", "web", 1) + kEveryHook);
    for (const iptables::Chain& chain : made.rules.v4.chains)
        CHECK(chain.table == In::Filter);
    CHECK(iptables::host_hooks(made.rules.v4).empty());
    CHECK(iptables::filter_hooks() ==
          "*filter\n-I FORWARD -j polecat-forward\n-I INPUT -j polecat-input\nCOMMIT\n");
}

TEST_CASE("iptables: untracked policy that only conntrack could be asked about is refused") {
    const auto with = [](const char* hook) {
        return host_filter(testing::host_endpoint("eth0") +
                           host_policy("p", std::string(hook) +
                                                " types: [Ingress], ingress: [{action: Deny, "
                                                "notProtocol: TCP, notICMP: {type: 8}}]"));
    };
    CHECK(with("doNotTrack: true, applyOnForward: true,").refused);
    CHECK_FALSE(with("doNotTrack: true, applyOnForward: true,").image.has_value());
    CHECK_FALSE(with("").refused);
    CHECK(with("").image.has_value());
}

TEST_CASE("iptables: plans hook chains with their table, and unhook what goes") {
    const std::string plain = pod("web", "web", 1), host = testing::host_endpoint("eth0");
    const HostFiltered before = host_filter(plain), after = host_filter(plain + host + kEveryHook);
    const auto comes = iptables::plan(before.rules, *after.image);
    REQUIRE(comes.ok());
    CHECK(comes->judges_anew);
    const auto text_of = [](const iptables::Plan& plan) {
        std::string out;
        for (const iptables::Plan::Step& each : plan.steps)
            out += each.text;
        return out;
    };
    const std::string text = text_of(*comes);
    CHECK(has_part(text, "-I OUTPUT -j polecat-raw-out\nCOMMIT\n*mangle\n"));
    CHECK(has_part(text, "-I POSTROUTING -j polecat-leaving\nCOMMIT\n*filter\n"));
    // PreDNAT policy is asked before anything goes by what it takes.
    CHECK(text.find("-I PREROUTING -j polecat-early\n") < text.find("-A polecat-input-host "));
    CHECK_FALSE(has_part(text, "-I FORWARD"));
    const auto goes = iptables::plan(comes->result, *before.image);
    REQUIRE(goes.ok());
    const std::string last = text_of(*goes);
    CHECK(has_part(last, "*raw\n-D PREROUTING -j polecat-raw-in\n-D OUTPUT -j polecat-raw-out\n"));
    CHECK(has_part(last, "-X polecat-leaving\n"));
    CHECK(iptables::plan(after.rules, *after.image)->steps.empty());
}

TEST_CASE("iptables: a listing says what is hooked, and a plan hooks what is not") {
    const HostFiltered made =
        host_filter(pod("web", "web", 1) + testing::host_endpoint("eth0") + kEveryHook);
    std::string v4 = iptables::with_generation(iptables::print(made.rules.v4), 1),
                v6 = iptables::with_generation(iptables::print(made.rules.v6), 1);
    const std::string others = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j SOME\nCOMMIT\n";
    const auto hooked = [&](const std::string& rules, const std::string& of) {
        std::string out = rules;
        out.replace(out.find("*filter\n"), 8,
                    "*filter\n:FORWARD ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n");
        return others + out.replace(out.rfind("COMMIT"), 0, of);
    };
    const std::string both = "-A FORWARD -j polecat-forward\n-A INPUT -j KUBE\n"
                             "-A INPUT -j polecat-input\n";
    const auto listed = iptables::parse_table(hooked(v4, both));
    REQUIRE_MESSAGE(listed.ok(), (listed ? "" : listed.error()));
    REQUIRE(listed->hooks.has_value());
    REQUIRE(listed->hooks->size() == 2);
    CHECK(listed->hooks->at(0) ==
          iptables::HookRule{In::Filter, "FORWARD", "polecat-forward", true});
    CHECK_FALSE(listed->hooks->at(1).is_first);
    const auto other = iptables::parse_table(hooked(v6, both));
    REQUIRE(other.ok());
    const auto next = iptables::plan({made.rules.sets, *listed, *other}, *made.image);
    REQUIRE(next.ok());
    CHECK(next->judges_anew);
    REQUIRE(next->steps.size() == 2);
    CHECK(has_part(next->steps[0].text, "-I PREROUTING -j polecat-early\n"));
    CHECK(has_part(next->steps[0].text, "polecat-known"));
    CHECK_FALSE(has_part(next->steps[0].text, "-I INPUT -j polecat-input\n"));
}
