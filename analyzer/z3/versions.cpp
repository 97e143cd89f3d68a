#include "analyzer/z3/versions.h"

#include <algorithm>
#include <map>
#include <set>

#include "analyzer/z3/existing_ends.h"
#include "ir/decision/eval.h"
#include "ir/path/host_network.h"

namespace polecat::smt {

using analyzer::ChangeKind;
using analyzer::DiffEnd;
using analyzer::FamilyDiff;
using analyzer::FlowChange;
using analyzer::ProgramPair;
using decision::Direction;
using decision::End;
using decision::Flow;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::Program;
using decision::ProgramId;
using decision::Verdict;

namespace {

std::vector<ObjectId> objects_of(const FamilyDiff& diff, bool head) {
    std::vector<ObjectId> out;
    for (const DiffEnd& end : diff.ends) {
        const auto& list = head ? end.head : end.base;
        out.insert(out.end(), list.begin(), list.end());
    }
    return out;
}

net::AddressSet outside_of(const FamilyDiff& diff) {
    net::AddressSet out;
    for (const DiffEnd& end : diff.ends)
        out = out | end.outside;
    return out;
}

/// What stands for the program of an end that has no say.
Program all_allowed(Direction direction, net::Family family) {
    Program out;
    out.direction = direction;
    out.family = family;
    out.otherwise = decision::Action::Allow;
    return out;
}

/// Where a service with ports has pods of which some address is not known, the algebra says
/// "depends" of every port, and Z3 and eval only of the service's: their answers are narrower.
bool is_coarse(const LoweredCluster& cluster) {
    bool asks_services = false;
    for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i) {
        const auto* set =
            std::get_if<decision::ServiceSet>(&cluster.predicates[decision::PredicateId{i}]);
        asks_services = asks_services || (set != nullptr && set->with_ports);
    }
    return asks_services &&
           std::any_of(cluster.world.objects.begin(), cluster.world.objects.end(),
                       [](const decision::Object& each) { return !each.addresses_known; });
}

class FamilyConfirmer {
  public:
    FamilyConfirmer(const LoweredCluster& base, const LoweredCluster& head, const FamilyDiff& diff,
                    const analyzer::HttpAtoms& requests, const QueryOptions& options)
        : clusters_{&base, &head}, diff_(diff), requests_(requests), options_(options),
          coarse_(is_coarse(base) || is_coarse(head)),
          base_(base, diff.family, objects_of(diff, false), outside_of(diff)),
          head_(head, diff.family, objects_of(diff, true), base_.outside()) {}

    void confirm(DiffProof& proof) {
        for (const ProgramPair& pair : diff_.programs) {
            const Answer::Kind found = compare(pair);
            if (found == Answer::Kind::Unknown || (found == Answer::Kind::Yes && coarse_))
                ++proof.unknown;
            else if (found == Answer::Kind::Yes)
                throw Disagreement("internal error: Z3 contradicts the diff about " +
                                   name_of(pair));
            else
                ++(pair.same ? proof.equal : proof.different);
        }
        for (const FlowChange& change : diff_.changes) {
            proof.examples += replay(change) ? 1 : 0;
        }
    }

  private:
    Program program_of(const ProgramPair& pair, bool head) const {
        const auto id = head ? pair.head : pair.base;
        return id ? clusters_[head]->program(*id) : all_allowed(pair.direction, diff_.family);
    }

    std::string name_of(const ProgramPair& pair) const {
        const std::string& first = clusters_[0]->world.object(pair.own.front()).name;
        return std::string(decision::to_string(pair.direction)) + " " +
               std::string(net::to_string(diff_.family)) + " of " + first +
               (pair.own.size() == 1 ? ""
                                     : " and " + std::to_string(pair.own.size() - 1) + " more");
    }

    /// No: the flows that the two programs judge differently are those of the pair. Yes: they are
    /// not.
    Answer::Kind compare(const ProgramPair& pair) {
        const Program before = program_of(pair, false), now = program_of(pair, true);
        Terms terms;
        Packet packet(terms, requests_, diff_.family);
        EndVariables ends(terms, packet, {{&base_, {&before}}, {&head_, {&now}}}, pair.own);
        const auto encoded = [&](const Program& program, std::size_t version) {
            return encode(program, terms, packet, [&](decision::PredicateId id, bool source) {
                return ends.ask(id, source, version);
            });
        };
        const EncodedProgram a = encoded(before, 0), b = encoded(now, 1);
        const Term differ = terms.either(terms.differ(a.may_allow, b.may_allow),
                                         terms.differ(a.may_deny, b.may_deny));
        Session session(terms, terms.both(packet.domain(), ends.domain()), options_);
        // eval must confirm what the formula says.
        const auto ask = [&](Term wanted, const std::string& about) {
            const Answer found = session.ask(wanted, about);
            if (found.kind != Answer::Kind::Yes)
                return found.kind;
            const auto verdict = [&](const Program& program, std::size_t version) {
                Flow flow = packet.flow(found.model);
                std::tie(flow.source, flow.destination) = ends.ends(found.model, version);
                return eval(program, version, flow);
            };
            if ((verdict(before, 0) != verdict(now, 1)) != terms.holds(differ, found.model))
                throw Disagreement("eval does not confirm Z3's flow: " + about);
            return found.kind;
        };
        const std::string about = "is there a flow that the two versions judge differently";
        const Answer::Kind some = ask(differ, about + ": " + name_of(pair));
        if (pair.same || some == Answer::Kind::Unknown)
            return some;
        if (some == Answer::Kind::No)
            return Answer::Kind::Yes;
        return ask(terms.differ(differ, is_told(pair, ends, terms, packet)),
                   about +
                       " and the diff does not tell, or that it tells wrongly: " + name_of(pair));
    }

    /// The flow is one of those that the pair names.
    Term is_told(const ProgramPair& pair, EndVariables& ends, Terms& terms, Packet& packet) {
        const bool peer_is_source = pair.direction == Direction::Ingress;
        const Term outside = ends.is_number(*ends.number_of(End{}, peer_is_source), peer_is_source);
        std::map<std::uint64_t, std::set<std::size_t>> by_class; // differences
        std::vector<std::size_t> told(diff_.ends.size(), pair.differences.size());
        for (std::size_t i = 0; i < pair.differences.size(); ++i)
            for (const std::uint32_t peer : pair.differences[i].peers)
                told[peer] = i;
        std::vector<std::vector<Term>> peers(pair.differences.size() +
                                             1); // the last: no difference
        std::uint32_t spot = 0;
        for (std::size_t i = 0; i < diff_.ends.size(); ++i) {
            const DiffEnd& end = diff_.ends[i];
            for (std::size_t member = 0; member < end.base.size(); ++member)
                by_class[*ends.number_of(spot++, peer_is_source)].insert(told[i]);
            if (end.is_outside())
                peers[told[i]].push_back(
                    terms.both(outside, in_set(terms, ends.address(peer_is_source), end.outside,
                                               diff_.family)));
        }
        for (const auto& [number, differences] : by_class) {
            if (differences.size() > 1)
                throw Disagreement("internal error: the diff tells ends apart that " +
                                   name_of(pair) + " does not");
            peers[*differences.begin()].push_back(ends.is_number(number, peer_is_source));
        }
        std::vector<Term> parts;
        for (std::size_t i = 0; i < pair.differences.size(); ++i)
            parts.push_back(terms.both(terms.any_of(std::move(peers[i])),
                                       packet.in(pair.differences[i].connections)));
        return terms.any_of(std::move(parts));
    }

    Verdict eval(const Program& program, std::size_t version, const Flow& flow) const {
        const LoweredCluster& cluster = *clusters_[version];
        return decision::eval(program, cluster.predicates, cluster.world, flow).verdict;
    }

    // --- examples --------------------------------------------------------------------------------

    /// What both ends of the example say together in one version.
    Verdict verdict(const FlowChange& change, std::size_t version) const {
        const DiffEnd& source = diff_.ends[change.sources.front()];
        const DiffEnd& destination = diff_.ends[change.destinations.front()];
        const std::size_t second = analyzer::example_member(source, destination);
        Flow flow = change.example;
        flow.source = end_of(source, 0, version);
        flow.destination = end_of(destination, second, version);
        const Verdict sent = one_side(source, 0, Direction::Egress, version, flow);
        const Verdict taken = one_side(destination, second, Direction::Ingress, version, flow);
        if (sent == Verdict::Deny || taken == Verdict::Deny)
            return Verdict::Deny;
        return sent == Verdict::Allow ? taken : sent;
    }

    static const std::vector<ObjectId>& members(const DiffEnd& end, std::size_t version) {
        return version == 0 ? end.base : end.head;
    }

    End end_of(const DiffEnd& end, std::size_t member, std::size_t version) const {
        const decision::World& world = clusters_[version]->world;
        if (end.is_outside())
            return decision::end_of(world, analyzer::example_address(end.outside));
        const ObjectId object = members(end, version)[member];
        const auto spots = ExistingEnds::spots_of(world, object, diff_.family);
        return {{object}, spots.size() == 1 ? spots.front().address : std::nullopt};
    }

    Verdict one_side(const DiffEnd& end, std::size_t member, Direction direction,
                     std::size_t version, const Flow& flow) const {
        if (end.is_outside())
            return Verdict::Allow;
        const LoweredCluster& cluster = *clusters_[version];
        const auto governor = ir::HostNetwork(cluster).governor(members(end, version)[member],
                                                                direction, diff_.family);
        if (governor.unsure)
            return Verdict::Depends;
        return governor.program == nullptr
                   ? Verdict::Allow
                   : eval(cluster.program(governor.program->program), version, flow);
    }

    static int openness(Verdict verdict) {
        return verdict == Verdict::Deny ? 0 : verdict == Verdict::Depends ? 1 : 2;
    }

    bool replay(const FlowChange& change) const {
        const int more = openness(verdict(change, 1)) - openness(verdict(change, 0));
        const bool right = change.kind == ChangeKind::Opened        ? more == 2
                           : change.kind == ChangeKind::Closed      ? more == -2
                           : change.kind == ChangeKind::PerhapsOpen ? more == 1
                                                                    : more == -1;
        if (!right && !coarse_)
            throw Disagreement("internal error: eval contradicts the diff's example of a change");
        return right;
    }

    const LoweredCluster* clusters_[2];
    const FamilyDiff& diff_;
    const analyzer::HttpAtoms& requests_;
    const QueryOptions& options_;
    const bool coarse_;
    const ExistingEnds base_, head_;
};

} // namespace

DiffProof confirm(const LoweredCluster& base, const LoweredCluster& head,
                  const analyzer::Diff& diff, const QueryOptions& options) {
    DiffProof out;
    for (const FamilyDiff& family : diff.families)
        FamilyConfirmer(base, head, family, diff.atoms, options).confirm(out);
    return out;
}

} // namespace polecat::smt
