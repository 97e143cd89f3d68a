// `polecat try` as people run it, and the experiment where a kernel has other rules than it should.
#include <doctest/doctest.h>

#include "driver/try/experiment.h"
#include "tests/backends/built.h"
#include "tests/cli/folder.h"
#include "tests/host_policies.h"
#include "tests/kernel/iptables_rules.h"

using namespace polecat;
using testing::has;

namespace {
namespace tried {

std::string db_policy(const std::string& ports) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, "
           "namespace: ns}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: "
           "[{podSelector: {matchLabels: {app: web}}}], ports: [" +
           ports + "]}]}}\n---\n";
}

const std::string kPods = testing::pod("web", "web", 1) + testing::pod("db", "db", 2);

std::string guarded_node(const std::string& interface) {
    return kPods + db_policy("{port: 5432, endPort: 5439}") + testing::host_endpoint(interface) +
           testing::host_policy("normal", "types: [Ingress, Egress], ingress: [{action: Allow, "
                                          "protocol: TCP, destination: {ports: [2222]}}], egress: "
                                          "[{action: Allow, protocol: UDP, destination: {ports: "
                                          "[123]}}]") +
           testing::host_policy("early",
                                "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                                "[{action: Deny, protocol: TCP, destination: {ports: [30000]}}]") +
           testing::host_policy("forward", "applyOnForward: true, types: [Ingress], ingress: "
                                           "[{action: Allow, protocol: TCP, destination: {ports: "
                                           "['5000:5432']}}]");
}

std::string ports_between(const driver::NodeProbes& probes, const char* from, const char* to) {
    std::string out;
    for (const driver::Probe& each :
         probes.between(*net::parse_address(from), *net::parse_address(to)))
        out += driver::to_string(each) + " ";
    return out;
}

/// Rules of one policy in place of another's, which nobody notices.
class OtherRules : public driver::TriedRules {
  public:
    explicit OtherRules(driver::TriedRules& others) : others_(others) {}
    Result<bool> load() override { return others_.load(); }
    std::string difference() const override { return {}; }
    std::string needs() const override { return others_.needs(); }

  private:
    driver::TriedRules& others_;
};

} // namespace tried
} // namespace

TEST_CASE("try: each side of each range of ports that rules name is found") {
    const testing::Built built = testing::build(tried::guarded_node("eth0"));
    REQUIRE(built.image.has_value());
    const driver::NodeProbes probes(*built.image);
    // Of the two ends' own programs; web's neither names a port.
    CHECK(tried::ports_between(probes, "10.0.0.1", "10.0.0.2") ==
          "5431/TCP 5432/TCP 5439/TCP 5440/TCP 80/UDP ");
    CHECK(tried::ports_between(probes, "10.0.0.2", "10.0.0.1") == "80/TCP 80/UDP ");
    const std::string from_outside = " " + tried::ports_between(probes, "203.0.113.7", "10.0.0.2");
    for (const char* port : {"2221/TCP", "2222/TCP", "2223/TCP", "30000/TCP", "4999/TCP",
                             "5000/TCP", "122/UDP", "123/UDP", "124/UDP", " 22/TCP", "53/UDP"})
        CHECK_MESSAGE(has(from_outside, port), from_outside);
}

TEST_CASE("try: packets from, to and through the node meet its host endpoints, of each target") {
    if (!kernel_test::may_run_iptables())
        return;
    testing::Folder folder;
    for (const std::string interface : {"eth0", "*"}) {
        folder.write("m/all.yaml", tried::guarded_node(interface));
        for (const char* target : {"nftables", "iptables", "bpf"}) {
            INFO(target, " ", interface);
            const auto done = folder.run(std::string("try m -v --target ") + target);
            if (done.exit_code == 2 && has(target, "bpf")) { // built without it, or no such kernel
                MESSAGE("not tried: ", done.error);
                continue;
            }
            CHECK_MESSAGE(done.exit_code == 0, done.out << done.error);
            CHECK(has(done.out, "2 endpoints, the node itself and the network around it"));
            CHECK(has(done.out, "every verdict as predicted"));
            for (const char* row : {"  ns/web                ns/db                 5432/TCP",
                                    "  203.0.113.7           the node 192.168.7.1  2222/TCP",
                                    "  the node 192.168.7.1  203.0.113.7           123/UDP",
                                    "  203.0.113.7           ns/web                30000/TCP"})
                CHECK_MESSAGE(has(done.out, row), done.out);
        }
    }
}

TEST_CASE("try: a kernel that has another policy is told, packet by packet") {
    if (!kernel_test::may_run_iptables())
        return;
    const testing::Built policy = testing::build(tried::kPods + tried::db_policy("{port: 5432}")),
                         other = testing::build(tried::kPods + tried::db_policy("{port: 5433}"));
    Sources sources;
    driver::Compilation compiled(other.cluster.lowered, sources);
    diag::Diagnostics told;
    const auto others = driver::tried_rules("nftables", {}, compiled, "node0", *other.image, told);
    tried::OtherRules rules(*others);
    driver::Experiment experiment(policy.cluster.lowered, "node0", *policy.image, rules, {},
                                  [](const char*, std::size_t, std::size_t) {});
    const auto prepared = experiment.prepare();
    REQUIRE_MESSAGE(prepared.ok(), (prepared ? "" : prepared.error()));
    driver::Trials trials = experiment.plan(1000);
    CHECK(trials.not_known == 0);
    CHECK(trials.all.size() == trials.possible);
    REQUIRE(experiment.send(trials.all).ok());
    std::string wrong;
    for (const driver::Trial& each : trials.all)
        if (!each.is_as_predicted())
            wrong += each.from + " " + each.to + " " + each.traffic +
                     (each.arrived ? " arrived\n" : " lost\n");
    CHECK(wrong == "ns/web ns/db 5432/TCP lost\nns/web ns/db 5433/TCP arrived\n");
    CHECK(experiment.plan(5).all.size() <= 5);
}
