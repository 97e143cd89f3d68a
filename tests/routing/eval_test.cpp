// What a node does with a route, on forms made by hand.
#include <doctest/doctest.h>

#include "ir/routing/eval.h"

using namespace polecat;
using namespace polecat::routing;

namespace {

net::Cidr cidr(const char* text) {
    return *net::parse_cidr(text, net::CidrForm::Strict);
}

Route kernel_route(const char* prefix, std::uint32_t metric, std::string interface = "eth0") {
    Route out;
    out.prefix = cidr(prefix);
    out.source = RouteSource::Kernel;
    out.interface = std::move(interface);
    out.metric = metric;
    return out;
}

Route bgp_route(const char* prefix) {
    Route out;
    out.prefix = cidr(prefix);
    return out;
}

Session session(net::AsNumber own, net::AsNumber theirs) {
    Session out;
    out.local_as = own;
    out.neighbor_as = theirs;
    return out;
}

FamilyRouting form() {
    FamilyRouting out;
    out.blocks = {{cidr("10.1.0.0/26"), true, true, {}}};
    out.services = {{cidr("10.96.0.0/16"), {}}};
    out.exports.reject_pools = {{cidr("10.2.0.0/16"), {}}};
    out.exports.reject_interfaces_inside = {"*.cali"};
    out.exports.reject_interfaces = {"bpf*.cali"};
    out.exports.communities = {{cidr("10.0.0.0/8"), {{{64600, 1}}}, {}}};
    out.exports.accept_pools = {{cidr("10.0.0.0/8"), {}}};
    return out;
}

const Session kInside = session(64512, 64512), kOutside = session(64512, 65001);

StepKind decided(const RouteVerdict& result) {
    return result.trail.back().kind;
}

} // namespace

TEST_CASE("export: Calico's own rules in their order") {
    const FamilyRouting node = form();
    const auto out = [&](Route route, const Session& to = kInside) {
        return evaluate_export(node, to, std::move(route));
    };
    CHECK(decided(out(kernel_route("10.2.3.0/24", 1024))) == StepKind::RejectPool);
    CHECK_FALSE(out(kernel_route("10.3.0.0/24", 1024, "vxlan.cali")).accepted());
    CHECK(out(kernel_route("10.3.0.0/24", 1024, "vxlan.cali"), kOutside).accepted());
    CHECK_FALSE(out(kernel_route("10.3.0.0/24", 1024, "bpfout.cali"), kOutside).accepted());
    CHECK(decided(out(kernel_route("10.1.0.0/26", 1024))) == StepKind::BlockItself);
    CHECK(decided(out(kernel_route("10.1.0.5/32", 1024))) == StepKind::BlockHides);
    CHECK_FALSE(out(kernel_route("10.1.0.5/32", 1024)).accepted());
    CHECK(decided(out(kernel_route("10.1.0.5/32", 512))) == StepKind::BlockElevated);
    CHECK(decided(out(kernel_route("10.96.3.0/24", 0))) == StepKind::Service);
    CHECK(decided(out(kernel_route("10.9.0.0/16", 0))) == StepKind::Pool);
    CHECK_FALSE(out(kernel_route("192.0.2.0/24", 0)).accepted());
    // Communities are added on the way; metric and local preference say the same.
    const auto pool = out(kernel_route("10.9.0.0/16", 300));
    CHECK(pool.route.communities == std::vector<Community>{{{64600, 1}}});
    CHECK(pool.route.local_preference == local_preference_of(300));
    Route fixed = bgp_route("10.96.0.0/16");
    fixed.source = RouteSource::Static;
    CHECK(out(fixed).route.local_preference == local_preference_of(1024));
}

TEST_CASE("export: a filter's Accept ends everything, its operations come first") {
    FamilyRouting node = form();
    FilterRule accept;
    accept.match.net = NetMatch{NetOperator::In, cidr("10.2.0.0/16"), NetMatch::Lengths{20, 24}};
    accept.operations = {AddCommunity{{{1, 2}}}, PrependPath{{65001, 65002}}, SetPriority{7}};
    FilterRule reject;
    reject.action = Verdict::Reject;
    reject.match.peer_type = PeerType::External;
    node.filters = {{"f", {}, {accept, reject}, {}}};
    Session to = kInside;
    to.export_filters = {"f"};
    const auto accepted = evaluate_export(node, to, kernel_route("10.2.3.0/24", 1024));
    REQUIRE(accepted.accepted());
    CHECK(accepted.route.communities == std::vector<Community>{{{1, 2}}}); // no others
    CHECK(accepted.route.as_path == std::vector<net::AsNumber>{65001, 65002});
    CHECK(priority_of(*accepted.route.local_preference) == 7);
    CHECK(accepted.trail.size() == 1);
    CHECK(to_string(accepted.trail[0]) == "rule 1 of BGPFilter f accepts");
    CHECK_FALSE(evaluate_export(node, to, kernel_route("10.2.0.0/16", 1024)).accepted());
    CHECK(evaluate_export(node, to, kernel_route("10.9.0.0/16", 1024)).accepted());
    to.neighbor_as = 65001;
    CHECK_FALSE(evaluate_export(node, to, kernel_route("10.9.0.0/16", 1024)).accepted());
    const auto all =
        evaluate_export(node, to, kernel_route("10.9.0.0/16", 1024), Trail::Everything);
    REQUIRE(all.trail.size() == 2);
    CHECK_FALSE(all.trail[0].applied);
}

TEST_CASE("filters: every match, and its negation") {
    FamilyRouting node;
    const auto takes = [&](FilterMatch match, Route route) {
        FilterRule rule;
        rule.match = std::move(match);
        rule.action = Verdict::Reject;
        node.filters = {{"f", {rule}, {}, {}}};
        Session from = kOutside;
        from.import_filters = {"f"};
        return !evaluate_import(node, from, std::move(route)).accepted();
    };
    const auto net = [](NetOperator op, const char* text,
                        std::optional<NetMatch::Lengths> lengths = std::nullopt) {
        FilterMatch out;
        out.net = NetMatch{op, cidr(text), lengths};
        return out;
    };
    CHECK(takes({}, bgp_route("10.0.0.0/8")));
    CHECK(takes(net(NetOperator::In, "10.0.0.0/8"), bgp_route("10.0.0.0/8")));
    CHECK_FALSE(takes(net(NetOperator::In, "10.0.0.0/8"), bgp_route("0.0.0.0/0")));
    CHECK(takes(net(NetOperator::NotIn, "10.0.0.0/8"), bgp_route("0.0.0.0/0")));
    CHECK_FALSE(takes(net(NetOperator::Equal, "10.0.0.0/8"), bgp_route("10.0.0.0/9")));
    CHECK(takes(net(NetOperator::NotEqual, "10.0.0.0/8"), bgp_route("10.0.0.0/9")));
    const NetMatch::Lengths some{9, 16};
    CHECK_FALSE(takes(net(NetOperator::In, "10.0.0.0/8", some), bgp_route("10.0.0.0/8")));
    CHECK(takes(net(NetOperator::In, "10.0.0.0/8", some), bgp_route("10.3.0.0/16")));
    CHECK(takes(net(NetOperator::NotIn, "10.0.0.0/8", some), bgp_route("10.3.0.0/17")));
    // BIRD compares a prefix with a set: never equal.
    CHECK_FALSE(takes(net(NetOperator::Equal, "10.0.0.0/8", some), bgp_route("10.0.0.0/8")));
    CHECK(takes(net(NetOperator::NotEqual, "10.0.0.0/8", some), bgp_route("10.0.0.0/8")));
    FilterMatch match;
    match.from_bgp = true;
    CHECK(takes(match, bgp_route("10.0.0.0/8")));
    CHECK_FALSE(takes(match, kernel_route("10.0.0.0/8", 1)));
    match = {};
    match.interface = "*";
    CHECK(takes(match, bgp_route("10.0.0.0/8"))); // no device at all
    match.interface = "eth*1";
    CHECK(takes(match, kernel_route("10.0.0.0/8", 1, "eth01")));
    CHECK_FALSE(takes(match, kernel_route("10.0.0.0/8", 1, "eth0")));
    Route tagged = bgp_route("10.0.0.0/8");
    tagged.communities = {{{1, 2, 3}}};
    tagged.as_path = {65001, 65002, 65003};
    tagged.local_preference = local_preference_of(512);
    match = {};
    match.community = Community{{1, 2, 3}};
    match.as_path_prefix = {65001, 65002};
    match.priority = 512;
    CHECK(takes(match, tagged));
    tagged.as_path = {65001};
    CHECK_FALSE(takes(match, tagged));
}

TEST_CASE("import: a better priority than normal beats local workloads, unless a filter accepts") {
    FamilyRouting node;
    Route route = bgp_route("10.0.0.0/32");
    CHECK_FALSE(evaluate_import(node, kInside, route).preference);
    route.local_preference = local_preference_of(1024);
    CHECK_FALSE(evaluate_import(node, kInside, route).preference);
    route.local_preference = local_preference_of(1023);
    CHECK(evaluate_import(node, kInside, route).preference == kElevatedPreference);
    node.filters = {{"f", {FilterRule{}}, {}, {}}};
    Session from = kInside;
    from.import_filters = {"f"};
    CHECK_FALSE(evaluate_import(node, from, route).preference);
}

TEST_CASE("kernel: services, next hops, pools, in this order") {
    FamilyRouting node;
    node.kernel.reject_services = {{cidr("10.96.0.0/16"), {}}};
    node.kernel.reject_next_hops = {{*net::parse_address("10.0.0.7"), {}}};
    node.kernel.pools = {{cidr("10.1.0.0/16"), KernelAction::Reject, {}, {}},
                         {cidr("10.2.0.0/16"), KernelAction::Tunnel, cidr("10.0.0.0/24"), {}},
                         {cidr("10.3.0.0/16"), KernelAction::Tunnel, {}, {}},
                         {cidr("10.4.0.0/16"), KernelAction::Direct, {}, {}}};
    const auto into = [&](const char* prefix, const char* next_hop) {
        Route route = bgp_route(prefix);
        route.next_hop = net::parse_address(next_hop);
        return evaluate_kernel(node, route);
    };
    CHECK_FALSE(into("10.96.1.0/24", "10.0.0.2").accepted());
    CHECK_FALSE(into("192.0.2.0/24", "10.0.0.7").accepted());
    CHECK_FALSE(into("10.1.1.0/24", "10.0.0.2").accepted());
    CHECK_FALSE(into("10.2.1.0/24", "10.0.0.2").tunnel);
    CHECK(into("10.2.1.0/24", "10.0.9.2").tunnel);
    CHECK(into("10.3.1.0/24", "10.0.0.2").tunnel);
    CHECK(into("10.4.1.0/24", "10.0.0.2").accepted());
    CHECK(into("192.0.2.0/24", "10.0.0.2").accepted());
    CHECK(into("192.0.2.0/24", "10.0.0.2").route.metric == priority_of(100));
}
