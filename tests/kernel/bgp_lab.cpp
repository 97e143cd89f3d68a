#include "tests/kernel/bgp_lab.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "analyzer/routing/routes/kernel_route.h"
#include "backends/bird/bird.h"
#include "tests/kernel/node.h"
#include "tests/routing/networks.h"

namespace polecat::kernel_test {

namespace {

using nlohmann::json;
using routing::FamilyRouting;
using routing::Path;
using routing::Session;
using routing::SpeakerIndex;

constexpr net::Family kFamily = net::Family::V4;

runtime::TemporaryFolder temporary_folder() {
    auto made = runtime::TemporaryFolder::make();
    REQUIRE(made.ok());
    return std::move(*made);
}

std::string kind_of(const std::string& router) {
    return router.starts_with("gobgp") ? "gobgp" : router.starts_with("frr") ? "frr" : "bird";
}

// --- configurations of routers -------------------------------------------------------------------

std::string bird_router(const routing::NodeRouting& form) {
    const FamilyRouting& of = form.of(kFamily);
    std::string out = fmt::format("router id {};\nprotocol device {{}}\n", form.router_id);
    for (const Session& each : of.sessions)
        out += fmt::format("protocol bgp 'n{0}' {{ local {1} as {2}; neighbor {0} as {3}; "
                           "multihop; strict bind yes; connect delay time 1; connect retry time "
                           "2; ipv4 {{ import all; export all; next hop self; }}; }}\n",
                           net::to_string(each.neighbor), net::to_string(*of.address),
                           each.local_as, each.neighbor_as);
    return out;
}

std::string gobgp_router(const routing::NodeRouting& form) {
    const std::string address = net::to_string(*form.of(kFamily).address);
    std::string out = fmt::format("[global.config]\nas = {0}\nrouter-id = \"{1}\"\n"
                                  "local-address-list = [\"{2}\"]\n",
                                  form.local_as, form.router_id, address);
    for (const Session& each : form.of(kFamily).sessions)
        out += fmt::format("[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{}\"\n"
                           "peer-as = {}\n[neighbors.timers.config]\nconnect-retry = 2\n"
                           "[neighbors.transport.config]\nlocal-address = \"{}\"\n"
                           "[neighbors.ebgp-multihop.config]\nenabled = true\n"
                           "multihop-ttl = 255\n",
                           net::to_string(each.neighbor), each.neighbor_as, address);
    return out;
}

std::string frr_router(const routing::NodeRouting& form) {
    std::string out = fmt::format("router bgp {}\n bgp router-id {}\n"
                                  " no bgp ebgp-requires-policy\n"
                                  " no bgp default ipv4-unicast\n",
                                  form.local_as, form.router_id);
    std::string family = " address-family ipv4 unicast\n";
    for (const Session& each : form.of(kFamily).sessions) {
        const std::string neighbor = " neighbor " + net::to_string(each.neighbor);
        out += fmt::format("{0} remote-as {1}\n{0} ebgp-multihop 255\n"
                           "{0} disable-connected-check\n{0} update-source {2}\n"
                           "{0} timers connect 2\n",
                           neighbor, each.neighbor_as, net::to_string(*form.of(kFamily).address));
        family += fmt::format(" {0} activate\n {0} next-hop-self\n", neighbor);
    }
    return out + family + " exit-address-family\n";
}

std::string show(const Result<runtime::Output>& of) {
    return of.ok() ? of->out : std::string();
}

} // namespace

bool bgp_may_run(const std::vector<std::string>& programs) {
    if (!may_run())
        return false;
    std::vector<std::string> missing;
    for (const std::string& each : programs)
        if (!runtime::run_program({"test", "-x", each}, "").ok() ||
            runtime::run_program({"test", "-x", each}, "")->exit_code != 0)
            missing.push_back(each);
    if (missing.empty())
        return true;
    const std::string why =
        fmt::format("BGP TESTS SKIPPED: not installed: {}", fmt::join(missing, " "));
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true")
        FAIL(why);
    MESSAGE(why);
    return false;
}

BgpLab::BgpLab(const std::string& manifests, std::vector<policy::FabricRouter> routers)
    : routed_(manifests), network_(testing::network(routed_, routers)),
      folder_(temporary_folder()) {
    std::set<net::Cidr> prefixes;
    for (const routing::Speaker& speaker : network_.speakers) {
        const FamilyRouting& form = speaker.form.of(kFamily);
        for (const routing::Block& each : form.blocks)
            if (each.originates)
                prefixes.insert(each.cidr);
        for (const routing::PrefixLine& each : form.services)
            prefixes.insert(each.prefix);
    }
    for (const net::Cidr& prefix : prefixes)
        spreads_[prefix] = routing::spread(network_, prefix);
    for (SpeakerIndex i = 0; i < network_.speakers.size(); ++i) {
        const auto machine = fabric_.add_machine(
            net::to_string(*network_.speakers[i].form.of(kFamily).address) + "/16");
        REQUIRE_MESSAGE(machine.ok(), (machine ? "" : machine.error()));
        daemons_.push_back({*machine, "bird", fmt::format("{}/{}", folder_.path(), i)});
        network_.speakers[i].fabric ? start_router(i) : start_node(i);
    }
}

void BgpLab::start_node(SpeakerIndex speaker) {
    const routing::NodeRouting& form = network_.speakers[speaker].form;
    const std::string name = fmt::format("{}.conf", speaker);
    REQUIRE(folder_.write(name, bird::emit(form)).ok());
    for (const Session& each : form.of(kFamily).sessions)
        if (each.password) // the same for one Secret, whoever asks
            (void)folder_
                .write(bird::password_file(*each.password),
                       "password \"" + each.password->secret + "\";\n")
                .ok();
    const Daemon& daemon = daemons_[speaker];
    REQUIRE(fabric_
                .start(daemon.machine,
                       {"bird", "-f", "-c", folder_.path() + "/" + name, "-s", daemon.control},
                       daemon.control + ".log")
                .ok());
}

void BgpLab::start_router(SpeakerIndex speaker) {
    const routing::NodeRouting& form = network_.speakers[speaker].form;
    Daemon& daemon = daemons_[speaker];
    daemon.kind = kind_of(form.node);
    const std::string name = fmt::format("{}.conf", speaker);
    const std::string path = folder_.path() + "/" + name;
    const bool gobgp = daemon.kind == "gobgp", frr = daemon.kind == "frr";
    REQUIRE(
        folder_.write(name, gobgp ? gobgp_router(form)
                            : frr ? frr_router(form)
                                  : bird_router(form))
            .ok());
    if (frr)
        REQUIRE(folder_.write(fmt::format("{}/made", speaker), "").ok()); // for its sockets
    const std::string address = net::to_string(*form.of(kFamily).address);
    const std::vector<std::string> arguments =
        gobgp ? std::vector<std::string>{"gobgpd",          "-f",          path,
                                         "--pprof-disable", "--api-hosts", "127.0.0.1:50051"}
        : frr ? std::vector<std::string>{"/usr/lib/frr/bgpd",
                                         "-f",
                                         path,
                                         "-S",
                                         "-n",
                                         "-Z",
                                         "-i",
                                         path + ".pid",
                                         "--vty_socket",
                                         daemon.control,
                                         "-l",
                                         address,
                                         "-P",
                                         "0"}
              : std::vector<std::string>{"bird", "-f", "-c", path, "-s", daemon.control};
    REQUIRE(fabric_.start(daemon.machine, arguments, path + ".log").ok());
}

// --- what they have ------------------------------------------------------------------------------

std::vector<HeardRoute> BgpLab::heard(const Daemon& daemon) const {
    std::vector<HeardRoute> out;
    if (daemon.kind == "gobgp")
        out = heard_by_gobgp(show(fabric_.run(daemon.machine, {"gobgp", "-j", "global", "rib"})));
    else if (daemon.kind == "frr")
        out = heard_by_frr(show(runtime::run_program(
            {"vtysh", "--vty_socket", daemon.control, "-d", "bgpd", "-c", "show ip bgp json"},
            "")));
    else
        out = heard_by_bird(show(
            runtime::run_program({"birdc", "-s", daemon.control, "show", "route", "all"}, "")));
    std::sort(out.begin(), out.end());
    return out;
}

/// "10.1.0.0/26 via 10.0.0.1,10.0.0.2 metric 1024", "10.1.0.0/26 blackhole metric 1024". Of a
/// prefix that has several the one that counts: BIRD 2 leaves the old one there where the metric
/// changes (docs/routing.md).
std::vector<std::string> BgpLab::kernel(const Daemon& daemon) const {
    std::map<std::string, std::pair<std::uint32_t, std::string>> best;
    const json table = json::parse(
        show(fabric_.run(daemon.machine, {"ip", "-j", "-4", "route", "show", "proto", "bird"})),
        nullptr, false);
    for (const json& each : table.is_array() ? table : json::array()) {
        std::vector<std::string> hops;
        if (each.contains("gateway"))
            hops.push_back(each["gateway"]);
        for (const json& hop : each.value("nexthops", json::array()))
            hops.push_back(hop.value("gateway", ""));
        std::sort(hops.begin(), hops.end());
        std::string prefix = each["dst"];
        if (prefix.find('/') == std::string::npos)
            prefix += "/32";
        const std::uint32_t metric = each.value("metric", 0U);
        std::string text = fmt::format("{} {} metric {}", prefix,
                                       each.value("type", "") == "blackhole"
                                           ? "blackhole"
                                           : fmt::format("via {}", fmt::join(hops, ",")),
                                       metric);
        const auto [place, fresh] = best.try_emplace(prefix, metric, text);
        if (!fresh && metric < place->second.first)
            place->second = {metric, std::move(text)};
    }
    std::vector<std::string> out;
    for (auto& [prefix, route] : best)
        out.push_back(std::move(route.second));
    return out;
}

// --- and what the model says ---------------------------------------------------------------------

std::string BgpLab::attributes(SpeakerIndex at, const Path& path) const {
    const std::string& kind = daemons_[at].kind;
    std::string out = fmt::format("[{}] via {}", fmt::join(path.route.as_path, " "),
                                  path.route.next_hop ? net::to_string(*path.route.next_hop) : "");
    if (kind == "bird")
        out += fmt::format(" pref {}",
                           path.route.local_preference.value_or(routing::kUsualLocalPreference));
    if (kind == "bird" && path.originator)
        out += " by " + net::to_string(*path.originator);
    std::vector<std::string> list;
    for (const net::Address& each : path.cluster_list)
        list.push_back(net::to_string(each));
    if (kind == "bird" && !list.empty())
        out += fmt::format(" cluster {}", fmt::join(list, " "));
    std::vector<std::string> communities;
    for (const routing::Community& each : path.route.communities)
        if (!each.is_large())
            communities.push_back(fmt::format("({},{})", each.parts[0], each.parts[1]));
    if (kind != "frr" && !communities.empty())
        out += fmt::format(" community {}", fmt::join(communities, " "));
    return out;
}

void BgpLab::compare(SpeakerIndex speaker, std::vector<std::string>& into) {
    const std::string& name = network_.speakers[speaker].form.node;
    std::multiset<HeardRoute> surely, perhaps; ///< perhaps: a router chose among equals
    std::set<std::pair<std::string, std::string>> owed;
    for (const auto& [prefix, all] : spreads_)
        for (const Path& path : all.paths[speaker]) {
            if (!path.session)
                continue;
            const auto from = path.journey.back();
            HeardRoute route{net::to_string(prefix),
                             net::to_string(*network_.speakers[from].form.of(kFamily).address),
                             attributes(speaker, path)};
            const bool choice =
                network_.speakers[speaker].fabric ||
                std::any_of(path.journey.begin(), path.journey.end(),
                            [&](SpeakerIndex each) { return network_.speakers[each].fabric; });
            // What a router chose among equals may be what it does not send back.
            if (choice &&
                std::none_of(path.journey.begin(), path.journey.end(),
                             [&](SpeakerIndex each) { return network_.speakers[each].fabric; }))
                owed.emplace(route.prefix, route.from);
            (choice ? perhaps : surely).insert(std::move(route));
        }
    for (const HeardRoute& route : heard(daemons_[speaker])) {
        owed.erase({route.prefix, route.from});
        auto found = surely.find(route);
        if (found != surely.end())
            surely.erase(found);
        else if (!perhaps.contains(route))
            into.push_back(fmt::format("{} has {} from {}: {}", name, route.prefix, route.from,
                                       route.attributes));
        ++compared_;
    }
    for (const HeardRoute& route : surely)
        into.push_back(fmt::format("{} should have {} from {}: {}", name, route.prefix, route.from,
                                   route.attributes));
    for (const auto& [prefix, from] : owed)
        into.push_back(fmt::format("{} should have {} from {}", name, prefix, from));
}

void BgpLab::compare_kernel(SpeakerIndex speaker, std::vector<std::string>& into) {
    const auto& form = network_.speakers[speaker].form;
    std::set<std::string> expected;
    for (const auto& [prefix, all] : spreads_) {
        const auto route = routing::kernel_route(form.of(kFamily), all.paths[speaker]);
        if (!route || route->rejected)
            continue;
        std::vector<std::string> hops;
        for (const net::Address& each : route->next_hops)
            hops.push_back(net::to_string(each));
        std::sort(hops.begin(), hops.end());
        expected.insert(fmt::format("{} {} metric {}", net::to_string(prefix),
                                    route->blackhole ? "blackhole"
                                                     : fmt::format("via {}", fmt::join(hops, ",")),
                                    route->metric.value_or(0)));
    }
    for (const std::string& each : kernel(daemons_[speaker])) {
        if (expected.erase(each) == 0)
            into.push_back(fmt::format("kernel of {} has {}", form.node, each));
        ++compared_;
    }
    for (const std::string& each : expected)
        into.push_back(fmt::format("kernel of {} should have {}", form.node, each));
}

std::vector<std::string> BgpLab::look() {
    std::vector<std::string> out;
    compared_ = 0;
    for (SpeakerIndex i = 0; i < network_.speakers.size(); ++i) {
        compare(i, out);
        if (!network_.speakers[i].fabric)
            compare_kernel(i, out);
    }
    return out;
}

std::vector<std::string> BgpLab::differences(std::chrono::seconds limit) {
    using Clock = std::chrono::steady_clock;
    auto end = Clock::now() + limit;
    std::vector<std::string> before;
    for (int agreed = 0;;) {
        std::vector<std::string> left = look();
        agreed = left.empty() ? agreed + 1 : 0;
        if (agreed == 2 || (left == before && !left.empty() && Clock::now() > end))
            return left;
        if (left != before) // hundreds of paths take minutes where machines are busy
            end = Clock::now() + limit;
        before = std::move(left);
        std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    }
}

} // namespace polecat::kernel_test
