/// All programs of a small scope and all flows of a small universe, for tests that compare two ways
/// to the same answer. Unknown addresses included.
#pragma once

#include <string>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"

namespace polecat::testing {

using decision::Action;
using decision::Entry;
using decision::Flow;
using decision::Match;
using decision::Program;
using decision::SlotId;
using decision::Stage;
using decision::StageEnd;
using selector::Selector;

/// Two pods with addresses, one without, and outside addresses.
struct SmallUniverse {
    decision::LoweredCluster cluster;
    std::vector<Match> matches;
    std::vector<decision::End> ends;

    SmallUniverse() {
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

inline std::vector<Flow> small_packets() {
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

/// Every program of some numbers of entries by stage, by number.
class SmallPrograms {
  public:
    SmallPrograms(const SmallUniverse& universe, std::vector<std::size_t> sizes)
        : universe_(universe), sizes_(std::move(sizes)) {}

    std::size_t count() const {
        std::size_t out = std::size_t{1} << sizes_.size(); // ends of the stages
        for (const std::size_t size : sizes_)
            for (std::size_t i = 0; i < size; ++i)
                out *= universe_.matches.size() * 4;
        return out;
    }

    Program operator[](std::size_t number) const {
        static constexpr Action kActions[] = {Action::Allow, Action::Deny, Action::Pass,
                                              Action::Log};
        const auto take = [&](std::size_t of) {
            const std::size_t out = number % of;
            number /= of;
            return out;
        };
        Program program;
        std::uint32_t slot = 0;
        for (const std::size_t size : sizes_) {
            Stage& stage = program.stages.emplace_back();
            stage.end = stage.staged_end = take(2) == 0 ? StageEnd::Deny : StageEnd::Next;
            for (std::size_t i = 0; i < size; ++i) {
                Entry entry;
                entry.action = kActions[take(4)];
                entry.match = universe_.matches[take(universe_.matches.size())];
                entry.slot = SlotId{slot++};
                stage.entries.push_back(std::move(entry));
            }
            stage.end_slot = SlotId{slot++};
        }
        program.otherwise_slot = SlotId{slot};
        return program;
    }

  private:
    const SmallUniverse& universe_;
    std::vector<std::size_t> sizes_;
};

} // namespace polecat::testing
