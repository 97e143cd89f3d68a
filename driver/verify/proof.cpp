#include "driver/verify/proof.h"

#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "analyzer/explain/trail.h"
#include "analyzer/flows/program_view.h"
#include "backends/node/programs.h"
#include "driver/verify/chain_rules.h"
#include "driver/verify/pair_question.h"
#include "driver/verify/table_rules.h"
#include "ir/decision/table.h"
#include "ir/path/interfaces.h"

namespace polecat::driver {

using backends::Outcome;
using decision::Direction;
using decision::Hook;
using decision::ObjectId;
using decision::Program;

/// What the questions about all nodes share.
struct Prover::State {
    explicit State(const decision::LoweredCluster& of) : cluster(of) {}
    const smt::ExistingEnds& ends(net::Family family) {
        auto& made = known[family == net::Family::V6];
        if (!made)
            made.emplace(cluster, family);
        return *made;
    }

    const decision::LoweredCluster& cluster;
    const smt::QueryOptions options;
    std::array<std::optional<smt::ExistingEnds>, 2> known;
};

/// One node's rules.
class Prover::NodeProver {
  public:
    NodeProver(State& state, const std::string& node, ProvedRules& rules)
        : state_(state), cluster_(state.cluster), node_(node), rules_(rules) {}

    NodeProof run(Of of) {
        if (of != Of::HostEndpoints)
            find_workloads();
        if (of != Of::Workloads)
            find_host_endpoints();
        for (const auto& [both, runners] : runners_)
            try {
                judge(runners);
            } catch (const ProvedRules::Unsaid& unsaid) {
                say(runners.first.interface, runners.first.rules + ": " + unsaid.why);
            }
        return std::move(out_);
    }

  private:
    /// What runs somewhere by the policy, and by the rules.
    struct Place {
        std::string interface;
        const decision::GroupProgram* program = nullptr;
        decision::Group::Key key{};
        std::string rules; ///< the name; empty: none
    };
    /// Where the same runs by both; packets are of any of these addresses.
    struct Runners {
        Place first;
        std::vector<net::Range> addresses;
        bool any_end = false; ///< also of those that no endpoint has
    };

    void say(const std::string& interface, std::string what) {
        out_.differences.push_back({interface, std::move(what), {}});
    }

    void add(Place place, const net::Range& addresses, bool any_end) {
        if (place.rules.empty())
            return say(place.interface, "asks no program: " + name_of(place.key));
        const std::pair key{place.program->program.value, place.rules};
        Runners& runners =
            runners_.try_emplace(key, Runners{std::move(place), {}, false}).first->second;
        runners.addresses.push_back(addresses);
        runners.any_end = runners.any_end || any_end;
    }

    static std::string name_of(const decision::Group::Key& key) {
        return fmt::format("{} {} {}", decision::to_string(key.hook),
                           decision::to_string(key.direction),
                           key.family == net::Family::V4 ? "IPv4" : "IPv6");
    }

    // --- what runs where -------------------------------------------------------------------------

    void find_workloads() {
        for (const decision::Endpoint& endpoint : cluster_.endpoints) {
            const auto& addresses = cluster_.world.object(endpoint.object).addresses;
            if (endpoint.node != node_ || endpoint.is_host_endpoint || endpoint.host_network ||
                endpoint.interface_name.empty() || addresses.empty())
                continue;
            for (const net::Address& address : addresses)
                for (const Direction direction : {Direction::Egress, Direction::Ingress})
                    add_workload(endpoint, direction, {address, address}, false);
            const auto sources = net::AddressSet::of(endpoint.other_sources);
            for (const net::Range& range : sources.ranges())
                add_workload(endpoint, Direction::Egress, range, true);
        }
    }

    void add_workload(const decision::Endpoint& endpoint, Direction direction,
                      const net::Range& addresses, bool other_source) {
        const net::Family family = addresses.first.family;
        const auto program = [&](Direction wanted) {
            return cluster_.find(endpoint.object, wanted, Hook::Normal, family);
        };
        if (program(Direction::Egress) == nullptr || program(Direction::Ingress) == nullptr)
            return; // no rules are made of one direction alone
        for (std::string& name :
             rules_.of_workload(endpoint.interface_name, direction, addresses.first, other_source))
            add({endpoint.interface_name,
                 program(direction),
                 {direction, Hook::Normal, family},
                 std::move(name)},
                addresses, other_source);
    }

    void find_host_endpoints() {
        const ir::NodeInterfaces interfaces = ir::interfaces_of(cluster_, node_);
        for (const auto& each : interfaces.named)
            add_host_endpoint(each.host_endpoint, each.name);
        if (interfaces.wildcard)
            add_host_endpoint(*interfaces.wildcard, "*");
    }

    /// They govern packets between any addresses.
    void add_host_endpoint(ObjectId id, const std::string& interface) {
        const decision::Endpoint& endpoint = *cluster_.endpoint_of(id);
        for (const auto& [key, program] : cluster_.groups[endpoint.group.value].programs)
            for (std::string& name : rules_.of_host(interface, key))
                add({interface, &program, key, std::move(name)},
                    net::AddressSet::all(key.family).ranges().front(), true);
    }

    // --- questions -------------------------------------------------------------------------------

    void judge(const Runners& runners) {
        const Place& place = runners.first;
        if (const std::string why = rules_.unfit(place.rules, place.key); !why.empty())
            return say(place.interface, why + ": " + name_of(place.key));
        if (rules_.is_closed(place.rules)) {
            ++out_.closed;
            return;
        }
        backends::NamedProgram said;
        const Program policy =
            backends::Programs::expressible(cluster_, place.program->program, said);
        bool unknown = !said.unsaid.empty();
        const AskedOwn own{net::AddressSet::of(runners.addresses), own_objects(runners)};
        for (const auto& each : rules_.formulas(place.rules, own, state_.ends(policy.family))) {
            const smt::Answer::Kind found = ask(place, policy, *each, own);
            if (found == smt::Answer::Kind::Yes)
                return;
            unknown = unknown || found == smt::Answer::Kind::Unknown;
        }
        ++(unknown ? out_.unknown : out_.proved);
    }

    std::optional<std::vector<ObjectId>> own_objects(const Runners& runners) const {
        if (runners.any_end)
            return std::nullopt;
        std::set<ObjectId> out;
        for (const net::Range& each : runners.addresses)
            for (const ObjectId id : decision::end_of(cluster_.world, each.first).objects)
                out.insert(id);
        return std::vector<ObjectId>(out.begin(), out.end());
    }

    smt::Answer::Kind ask(const Place& place, const Program& policy, RulesFormula& rules,
                          const AskedOwn& own) {
        PairQuestion question(state_.ends(policy.family), policy, rules, own);
        const std::string about =
            fmt::format("is there a packet that rules and policy judge otherwise: {} of {} on {}",
                        name_of(place.key), place.interface, node_);
        const smt::Answer found = question.ask(state_.options, about, rules_.tells(place.rules));
        if (found.kind == smt::Answer::Kind::Yes)
            out_.differences.push_back(
                judged_again(place, policy, question.flow(found.model), about));
        return found.kind;
    }

    Difference judged_again(const Place& place, const Program& policy, const decision::Flow& flow,
                            const std::string& about) const {
        FlowDifference out;
        out.hook = policy.hook;
        out.direction = policy.direction;
        out.source = flow.source.address.value();
        out.destination = flow.destination.address.value();
        const auto key = decision::l4_key(flow);
        out.packet = {flow.protocol, flow.source_port.value_or(0),
                      key ? key->value : std::uint16_t{0}};
        out.rules = rules_.decided(place.rules, flow);
        out.policy = meant(place, policy, flow);
        if (!rules_.tells(place.rules) && out.policy.outcome == Outcome::NoMatch)
            out.policy.outcome = Outcome::Allow;
        if (out.policy.outcome == out.rules.outcome)
            throw smt::Disagreement("eval does not confirm Z3's flow: " + about);
        return {place.interface, {}, out};
    }

    Decided meant(const Place& place, const Program& policy, const decision::Flow& flow) const {
        const auto asked = [&](const Program& program) {
            return decision::eval(program, cluster_.predicates, cluster_.world, flow);
        };
        const auto decision = asked(policy);
        const auto accepting = analyzer::accepting_only(policy);
        Decided out;
        if (decision.verdict == decision::Verdict::Allow)
            out.outcome = !accepting || asked(*accepting).verdict == decision::Verdict::Allow
                              ? Outcome::Allow
                              : Outcome::NoMatch;
        out.slot = decision.slot.value;
        out.by = analyzer::describe(place.program->slots[decision.slot.value], policy.direction);
        return out;
    }

    State& state_;
    const decision::LoweredCluster& cluster_;
    const std::string& node_;
    ProvedRules& rules_;
    std::map<std::pair<std::uint32_t, std::string>, Runners> runners_;
    NodeProof out_;
};

Prover::Prover(const decision::LoweredCluster& cluster)
    : state_(std::make_unique<State>(cluster)) {}
Prover::~Prover() = default;

NodeProof Prover::prove(const std::string& node, const backends::NodeImage& rules, Of of) {
    TableRules asked(rules);
    return NodeProver(*state_, node, asked).run(of);
}

NodeProof Prover::prove(const std::string& node, const iptables::Ruleset& rules, Of of) {
    ChainRules asked(rules);
    return NodeProver(*state_, node, asked).run(of);
}

} // namespace polecat::driver
