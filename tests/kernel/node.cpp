#include "tests/kernel/node.h"

#include <cstdlib>

#include <doctest/doctest.h>

#include "backends/nftables/update.h"
#include "runtime/nft.h"

namespace polecat::kernel_test {

net::Address address(const std::string& text) {
    return *net::parse_address(text);
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
           std::uint16_t generation) {
    compile(manifests, generation);
    std::map<std::string, std::vector<net::Address>> by_interface;
    for (const backends::DispatchEntry& entry : image.dispatch)
        by_interface[entry.interface].push_back(entry.address);
    for (const std::string& text : outside)
        by_interface["uplink"].push_back(address(text));
    for (const auto& [interface, addresses] : by_interface) {
        const auto host = lab.add_host(interface, addresses);
        REQUIRE_MESSAGE(host.ok(), (host ? "" : host.error()));
        for (const net::Address& each : addresses)
            host_by_address_[each] = *host;
    }
    const auto loaded = runtime::nft_load(nft::print(backends::emit(image)));
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
}

void Node::compile(const std::string& manifests, std::uint16_t generation) {
    cluster = testing::RandomCluster{};
    load_text(manifests, cluster);
    for (const diag::Diagnostic& each : cluster.diagnostics.list())
        REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
    const decision::Identities identities(cluster.lowered);
    auto made = backends::build_node_image(cluster.lowered, identities, "node0", generation,
                                           cluster.diagnostics);
    REQUIRE(made.has_value());
    image = std::move(*made);
}

void Node::change_policy(const std::string& manifests, std::uint16_t generation) {
    compile(manifests, generation);
    const auto loaded =
        runtime::nft_load("delete table inet polecat\n" + nft::print(backends::emit(image)));
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
}

std::string Node::add_pods(const std::string& manifests) {
    const nft::Ruleset before = backends::emit(image);
    compile(manifests, image.generation);
    const auto update = backends::element_update(before, backends::emit(image));
    REQUIRE(update.has_value());
    for (const backends::DispatchEntry& entry : image.dispatch)
        if (!host_by_address_.contains(entry.address)) {
            const auto host = lab.add_host(entry.interface, {entry.address});
            REQUIRE_MESSAGE(host.ok(), (host ? "" : host.error()));
            host_by_address_[entry.address] = *host;
        }
    const auto loaded = runtime::nft_load(*update);
    REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
    return *update;
}

bool Node::kernel_agrees() const {
    const auto listed = runtime::nft_list("polecat");
    REQUIRE_MESSAGE(listed.ok(), (listed ? "" : listed.error()));
    const auto parsed = nft::parse(*listed);
    REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
    const auto read = backends::read_back(*parsed);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    return *read == image;
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
    ir::PathQuery query;
    query.source.address = spec.source;
    query.destination.address = spec.destination;
    query.route = ir::Route::Wire;
    query.packet.protocol = spec.protocol;
    if (net::has_ports(spec.protocol)) {
        query.packet.source_port = spec.source_port;
        query.packet.destination_port = spec.destination_port;
    } else if (spec.protocol == net::kIcmp || spec.protocol == net::kIcmpV6) {
        query.packet.icmp_type = spec.icmp_type;
        query.packet.icmp_code = spec.icmp_code;
    }
    return ir::judge_flow(cluster.lowered, query).verdict;
}

} // namespace polecat::kernel_test
