/// One end of a flow that could exist: an address, and whatever objects hold it, each with any
/// labels and named ports. For analyzer/z3/any_endpoint.cpp.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "analyzer/z3/encode.h"
#include "analyzer/z3/label_atoms.h"
#include "ir/decision/world.h"

namespace polecat::smt {

/// Each predicate about objects that holds has an object of its own that shows it. More objects
/// show nothing more, so that all ends that could exist are described.
class AnyEnd {
  public:
    /// `predicates`: all that will be asked of this side. All must outlive this.
    AnyEnd(Terms& terms, Packet& packet, const decision::PredicateStore& store, net::Family family,
           bool source, const std::vector<decision::PredicateId>& predicates);

    bool are_cut() const { return atoms_.are_cut(); }
    bool has_guesses() const { return atoms_.has_guesses(); }
    Term address() const { return address_; }
    /// What holds of every end.
    Term domain() const { return domain_; }
    Bounds ask(decision::PredicateId predicate) const { return asked_.at(predicate); }
    /// Puts what the model describes into the world; the packet is the flow's.
    decision::End build(const Model& model, const decision::Flow& flow,
                        decision::World& world) const;

  private:
    /// What shows that a predicate about objects holds.
    struct Shown {
        decision::PredicateId predicate;
        selector::Selector selector;
        const decision::NamedPortSet* port = nullptr; ///< nullptr: it asks for labels alone
        Term holds;
        LabelAtoms::LabelSet labels;
    };
    void add(decision::PredicateId id, const std::string& name);
    Term domain_of(const Shown& shown);
    Term services_agree();
    Term packet_fits(const decision::NamedPortSet& set);

    Terms& terms_;
    Packet& packet_;
    const decision::PredicateStore& store_;
    const net::Family family_;
    const bool source_;
    LabelAtoms atoms_;
    Term address_, domain_;
    std::map<decision::PredicateId, Bounds> asked_;
    std::vector<Shown> objects_;
    std::map<decision::PredicateId, Term> services_;
};

/// The predicates that matches ask of one side; sorted.
std::vector<decision::PredicateId> predicates_of(const std::vector<const decision::Match*>& matches,
                                                 bool source);

} // namespace polecat::smt
