// All programs of a small scope, all flows of a small universe: eval, table and connection sets
// give one answer. Unknown addresses included.
#include <doctest/doctest.h>

#include "analyzer/program_sets.h"
#include "ir/decision/table.h"

using namespace polecat;
using decision::Action;
using decision::Entry;
using decision::Flow;
using decision::Match;
using decision::Program;
using decision::SlotId;
using decision::Stage;
using decision::StageEnd;
using decision::Verdict;
using selector::Selector;

namespace {

/// Two pods with addresses, one without, and outside addresses.
struct Universe {
    decision::LoweredCluster cluster;
    std::vector<Match> matches;
    std::vector<decision::End> ends;

    Universe() {
        add_pod("a", {"10.0.0.1"}, 80);
        add_pod("b", {"10.0.0.2"}, 81);
        add_pod("b", {}, 80); // not placed yet
        for (const char* text : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"})
            ends.push_back(decision::end_of(cluster.world, *net::parse_address(text)));
        ends.push_back({{decision::ObjectId{2}}, std::nullopt});
        make_matches();
    }

    decision::PredicateId add(decision::Predicate predicate) {
        return cluster.predicates.intern(std::move(predicate));
    }

    void make_matches() {
        const auto app = add(decision::ObjectSet{Selector::equal("app", "a")});
        const auto nets = add(decision::NetSet{
            net::AddressSet::of(*net::parse_cidr("10.0.0.0/31", net::CidrForm::Strict))});
        const auto http = add(decision::NamedPortSet{Selector::all(), 0, "http"});
        matches.emplace_back(); // any
        matches.emplace_back().source.all = {app};
        matches.emplace_back().destination.none = {app};
        matches.emplace_back().source.all = {nets};
        Match& port = matches.emplace_back();
        port.protocol = net::kTcp;
        port.destination.ports =
            decision::PortMatch{net::PortSet::of(net::PortRange{80, 80}), {http}};
        matches.emplace_back().destination.not_ports =
            decision::PortMatch{net::PortSet::of(net::PortRange{443, 443}), {}};
        matches.emplace_back().icmp = decision::IcmpTypeCode{std::uint8_t{8}, std::nullopt};
        matches.emplace_back().not_protocol = net::kUdp;
    }

    void add_pod(const char* app, const std::vector<const char*>& addresses, std::uint16_t port) {
        decision::Object object;
        object.labels.set("app", app);
        object.ports.push_back({"http", net::kTcp, port});
        object.addresses_known = !addresses.empty();
        const decision::ObjectId id{static_cast<std::uint32_t>(cluster.world.objects.size())};
        for (const char* text : addresses)
            object.addresses.push_back(*net::parse_address(text));
        cluster.world.objects.push_back(std::move(object));
        cluster.world.index_addresses();
        decision::Endpoint endpoint;
        endpoint.object = id;
        cluster.endpoints.push_back(std::move(endpoint));
    }
};

std::vector<Flow> packets() {
    std::vector<Flow> out;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp})
        for (const int port : {80, 81, 443}) {
            Flow flow;
            flow.protocol = protocol;
            flow.destination_port = static_cast<std::uint16_t>(port);
            flow.source_port = 1024;
            out.push_back(flow);
        }
    for (const int type : {8, 0}) {
        Flow flow;
        flow.protocol = net::kIcmp;
        flow.icmp_type = static_cast<std::uint8_t>(type);
        flow.icmp_code = std::uint8_t{0};
        out.push_back(flow);
    }
    return out;
}

bool contains(const analyzer::ConnectionSet& set, const Flow& flow) {
    if (flow.protocol == net::kIcmp)
        return set.icmp_types(net::kIcmp)
            .contains(static_cast<std::uint16_t>(*flow.icmp_type * 256));
    return set.ports(flow.protocol).destinations().contains(*flow.destination_port);
}

struct Checker {
    Universe universe;
    decision::Identities identities{universe.cluster};
    analyzer::HttpAtoms atoms;
    std::vector<decision::Identity> seen;
    std::vector<Flow> flows = packets();
    std::size_t programs = 0, wrong = 0;
    std::size_t verdicts[3] = {0, 0, 0};

    Checker() {
        for (const decision::End& end : universe.ends)
            seen.push_back(identities[end.address ? identities.of_address(*end.address)
                                                  : *identities.of_object(end.objects.front(),
                                                                          net::Family::V4)]);
    }

    void check(const Program& program) {
        ++programs;
        const auto table = decision::flatten(program, universe.cluster.predicates, seen, seen);
        REQUIRE(table.ok());
        const analyzer::ProgramFlows sets(program, atoms);
        for (std::size_t i = 0; i < seen.size(); ++i)
            for (std::size_t j = 0; j < seen.size(); ++j) {
                const auto between = sets.between(seen[i], seen[j]);
                for (Flow flow : flows) {
                    flow.source = universe.ends[i];
                    flow.destination = universe.ends[j];
                    const auto decision = decision::eval(program, universe.cluster.predicates,
                                                         universe.cluster.world, flow);
                    const auto& cell = table->at(
                        *table->source.find(seen[i]), *table->destination.find(seen[j]),
                        decision::find(table->source_ports, 1024), table->l4.of(*l4_key(flow)));
                    ++verdicts[static_cast<std::size_t>(decision.verdict)];
                    wrong +=
                        cell.verdict != decision.verdict || cell.slot != decision.slot ||
                        cell.logs != decision.logs ||
                        contains(between.allow, flow) != (decision.verdict == Verdict::Allow) ||
                        contains(between.may, flow) != (decision.verdict != Verdict::Deny);
                }
            }
    }

    /// Every program of these numbers of entries by stage.
    void check_all(const std::vector<std::size_t>& sizes) {
        std::size_t entries = 0;
        for (const std::size_t size : sizes)
            entries += size;
        const std::size_t kinds = universe.matches.size() * 4;
        std::size_t count = std::size_t{1} << sizes.size(); // ends of the stages
        for (std::size_t i = 0; i < entries; ++i)
            count *= kinds;
        for (std::size_t number = 0; number < count; ++number)
            check(make(sizes, number));
    }

    Program make(const std::vector<std::size_t>& sizes, std::size_t number) const {
        static constexpr Action kActions[] = {Action::Allow, Action::Deny, Action::Pass,
                                              Action::Log};
        const auto take = [&](std::size_t of) {
            const std::size_t out = number % of;
            number /= of;
            return out;
        };
        Program program;
        std::uint32_t slot = 0;
        for (const std::size_t size : sizes) {
            Stage& stage = program.stages.emplace_back();
            stage.end = stage.staged_end = take(2) == 0 ? StageEnd::Deny : StageEnd::Next;
            for (std::size_t i = 0; i < size; ++i) {
                Entry entry;
                entry.action = kActions[take(4)];
                entry.match = universe.matches[take(universe.matches.size())];
                entry.slot = SlotId{slot++};
                stage.entries.push_back(std::move(entry));
            }
            stage.end_slot = SlotId{slot++};
        }
        program.otherwise_slot = SlotId{slot};
        return program;
    }
};

} // namespace

TEST_CASE("every small program, every flow: eval, table and sets agree") {
    Checker checker;
    checker.check_all({1});
    checker.check_all({2});
    checker.check_all({1, 1});
    MESSAGE(checker.programs << " programs; " << checker.verdicts[0] << " allow, "
                             << checker.verdicts[1] << " deny, " << checker.verdicts[2]
                             << " depends");
    CHECK(checker.wrong == 0);
    CHECK(checker.programs > 6'000);
    for (const std::size_t each : checker.verdicts)
        CHECK(each > 10'000);
}
