#include "tests/kernel/node.h"

#include <cstdlib>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "backends/node/build.h"
#include "driver/try/experiment.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"
#include "runtime/process.h"

namespace polecat::kernel_test {

net::Address address(const std::string& text) {
    return *net::parse_address(text);
}

std::string service_number(std::size_t space, bool second) {
    return std::to_string(2 * space + (second ? 1 : 0) + 1);
}

std::string services(std::size_t namespaces) {
    std::string out;
    for (std::size_t i = 0; i < namespaces; ++i)
        for (const char* app : {"a", "b"}) {
            const std::string number = service_number(i, app[0] == 'b');
            out += "{apiVersion: v1, kind: Service, metadata: {name: svc-" + std::string(app) +
                   ", namespace: n" + std::to_string(i) + "}, spec: {clusterIP: 10.96.0." + number +
                   ", clusterIPs: [10.96.0." + number + ", 'fd00:96::" + number +
                   "'], selector: {app: " + app +
                   "}, ports: [{name: web, port: 80, targetPort: 8080}, {name: dns, protocol: "
                   "UDP, port: 53}, {name: sig, protocol: SCTP, port: 1000, targetPort: 80}]}}\n"
                   "---\n";
        }
    return out;
}

bool may_run() {
    static const Result<bool> kEntered = runtime::Lab::enter();
    static const Result<bool> kNft =
        kEntered ? runtime::nft_load("table inet probe {}\n") : Result<bool>(kEntered);
    if (kNft)
        return true;
    const char* ci = std::getenv("CI");
    const std::string why = "KERNEL TESTS SKIPPED: " + kNft.error();
    if (ci != nullptr && std::string(ci) == "true")
        FAIL(why);
    MESSAGE(why);
    return false;
}

Node::Node(const std::string& manifests, const std::vector<std::string>& outside,
           backends::Generation first, Loader loader, const backends::NodeOptions& options)
    : generation(first), loader_(std::move(loader)), options_(options) {
    compile(manifests);
    add_hosts();
    std::vector<net::Address> beyond;
    for (const std::string& text : outside)
        beyond.push_back(address(text));
    if (!beyond.empty())
        add_host("uplink", beyond);
    load();
}

void Node::load() const {
    if (loader_)
        return loader_(*this);
    const auto made = backends::compile(image);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()));
    const auto loaded =
        runtime::nft_apply(nft::replacing(made->rules), generation.bits(image.flow_mark_bit));
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
}

void Node::compile(const std::string& manifests) {
    cluster = testing::RandomCluster{};
    load_text(manifests, cluster);
    if (serves_)
        keep_first_backends();
    for (const diag::Diagnostic& each : cluster.diagnostics.list())
        REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
    const decision::Identities identities(cluster.lowered);
    backends::NodeImages images(cluster.lowered, identities, numbers_, options_);
    auto made = images.of("node0", cluster.diagnostics);
    REQUIRE(made.has_value());
    image = std::move(*made);
    numbers_ = images.record();
}

void Node::change_policy(const std::string& manifests, backends::Generation next) {
    compile(manifests);
    generation = next;
    load();
}

void Node::add_host(const std::string& interface, const std::vector<net::Address>& addresses) {
    const auto host = lab.add_host(interface, addresses);
    REQUIRE_MESSAGE(host.ok(), (host ? "" : host.error()));
    for (const net::Address& each : addresses)
        host_by_address_[each] = *host;
}

void Node::add_hosts() {
    std::map<std::string, std::vector<net::Address>> by_interface;
    for (const backends::DispatchEntry& entry : image.dispatch)
        if (!knows(entry.address))
            by_interface[entry.interface].push_back(entry.address);
    for (const auto& [interface, addresses] : by_interface)
        add_host(interface, addresses);
}

backends::Plan Node::prepare(const std::string& manifests) {
    compile(manifests);
    auto plan = backends::plan(listed(), image);
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    add_hosts();
    if (plan->judges_anew)
        generation = generation.next();
    return std::move(*plan);
}

void Node::take(const backends::Plan::Step& step) {
    const auto loaded = runtime::nft_apply(step.does, generation.bits(image.flow_mark_bit));
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error() + step.what));
}

void Node::expect(const std::string& manifests) {
    compile(manifests);
    add_hosts();
}

void Node::finish(const backends::Plan& plan) {
    forget(plan.forget);
    const auto read = backends::read_back(plan.result);
    REQUIRE(read.ok());
    image = *read;
}

void Node::forget(const std::vector<net::Address>& addresses) {
    for (const net::Address& each : addresses)
        for (const char* end : {"-s", "-d", "-r"}) {
            const bool v6 = each.family == net::Family::V6;
            const auto done = runtime::run_program(
                {"conntrack", "-D", "-f", v6 ? "ipv6" : "ipv4", end, net::to_string(each)}, "");
            // 1: there was none.
            REQUIRE_MESSAGE((done.ok() && done->exit_code <= 1), (done ? "" : done.error()));
        }
}

backends::Plan Node::change_by_plan(const std::string& manifests,
                                    const std::function<void()>& after_step) {
    backends::Plan plan = prepare(manifests);
    for (const backends::Plan::Step& step : plan.steps) {
        take(step);
        if (after_step)
            after_step();
    }
    finish(plan);
    return plan;
}

nft::Ruleset Node::listed() const {
    const auto listed = runtime::nft_list("polecat");
    REQUIRE_MESSAGE(listed.ok(), (listed ? "" : listed.error()));
    auto parsed = nft::parse(*listed);
    REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
    return std::move(*parsed);
}

bool Node::kernel_agrees() const {
    const auto read = backends::read_back(listed());
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    return *read == image;
}

std::uint64_t Node::counted(const std::string& chain, const std::string& comment) const {
    const nft::Ruleset rules = listed();
    const nft::Chain* found = rules.find_chain(chain);
    REQUIRE(found != nullptr);
    for (const nft::Rule& rule : found->rules)
        for (const nft::Statement& statement : rule.statements)
            if (const auto* counter = std::get_if<nft::Counter>(&statement);
                counter != nullptr && rule.comment == comment)
                return counter->packets;
    FAIL("no rule of chain " << chain << " counts `" << comment << "`");
    return 0;
}

void Node::keep_first_backends() {
    for (auto& [name, front] : cluster.lowered.service_fronts)
        for (decision::ServiceFront::Port& port : front.ports)
            if (!port.backends.empty())
                port.backends.resize(1);
}

void Node::serve() {
    serves_ = true;
    keep_first_backends();
    std::string rules;
    std::size_t number = 0;
    for (auto& [name, front] : cluster.lowered.service_fronts) {
        const std::string mark = number++ % 2 == 0 ? "meta mark set 0x4000 " : "";
        for (const decision::ServiceFront::Port& port : front.ports) {
            if (port.backends.empty())
                continue;
            const auto& backend = cluster.lowered.world.object(*port.backends.front().object);
            for (const net::Address& virtual_address : front.cluster_ips)
                for (const net::Address& real : backend.addresses)
                    if (real.family == virtual_address.family) {
                        const bool v6 = real.family == net::Family::V6;
                        rules += fmt::format(
                            "    ip{0} daddr {1} meta l4proto {2} th dport {3} {4}dnat ip{0} to "
                            "{5}{6}{7}:{8}\n",
                            v6 ? "6" : "", net::to_string(virtual_address), port.protocol,
                            port.port, mark, v6 ? "[" : "", net::to_string(real), v6 ? "]" : "",
                            port.backends.front().port);
                        server_by_service_[{virtual_address, port.protocol, port.port}] = real;
                    }
        }
    }
    for (const runtime::Host& host : lab.hosts) {
        lab.give_node(address("192.168.7.1"), host.interface);
        lab.give_node(address("fd00:7::1"), host.interface);
    }
    const auto loaded = runtime::nft_load(
        "table inet services {\n  chain prerouting {\n    type nat hook prerouting priority "
        "-100;\n" +
        rules +
        "  }\n  chain postrouting {\n    type nat hook postrouting priority 100;\n    meta mark "
        "& 0x4000 == 0x4000 masquerade\n  }\n}\n");
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
}

net::Address Node::server_of(const PacketSpec& spec) const {
    const auto found =
        server_by_service_.find({spec.destination, spec.protocol, spec.destination_port});
    return found == server_by_service_.end() ? spec.destination : found->second;
}

std::size_t Node::host_of(const net::Address& address) const {
    return host_by_address_.at(address);
}

bool Node::passes(PacketSpec spec, const net::Address& arrives) {
    spec.nonce = next_nonce++;
    spec.icmp_id = static_cast<std::uint16_t>(spec.nonce);
    if (!lab.send(host_of(spec.source), runtime::make_packet(spec), spec.destination))
        return false;
    lab.collect(30);
    return lab.has_seen(host_of(arrives), spec.nonce);
}

decision::Verdict Node::expected(const PacketSpec& spec) const {
    return verdict_of(cluster.lowered, spec);
}

decision::Verdict verdict_of(const decision::LoweredCluster& cluster, const PacketSpec& spec) {
    return ir::judge_flow(cluster, driver::query_of(spec)).verdict;
}

std::vector<net::Address> endpoints_of(const backends::NodeImage& image) {
    std::vector<net::Address> out;
    for (const backends::DispatchEntry& entry : image.dispatch)
        out.push_back(entry.address);
    return out;
}

} // namespace polecat::kernel_test
