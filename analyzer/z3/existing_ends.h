/// The ends of flows that a cluster has in one IP family, for formulas: every endpoint at each of
/// its addresses, and all other addresses. What a predicate says of an endpoint is what eval says
/// of it, asked at every protocol and port that can matter; what it says of other addresses is a
/// formula over the address's bits. Shares nothing with ir/decision/identity, which it checks.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyzer/z3/alike_spots.h"
#include "analyzer/z3/encode.h"
#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"

namespace polecat::smt {

class ExistingEnds {
  public:
    /// The cluster must outlive this.
    ExistingEnds(const decision::LoweredCluster& cluster, net::Family family);
    /// These endpoints alone, each as one end whichever its addresses are, and these other
    /// addresses: what two versions of a cluster have in common, in one order for both.
    ExistingEnds(const decision::LoweredCluster& cluster, net::Family family,
                 const std::vector<decision::ObjectId>& objects, net::AddressSet outside);

    /// An endpoint at one of its addresses, or without an address that is known.
    struct Spot {
        decision::ObjectId object;
        std::optional<net::Address> address;
    };
    const std::vector<Spot>& spots() const { return spots_; }
    /// Numbers of an endpoint's spots: the first, and one behind the last.
    std::pair<std::uint32_t, std::uint32_t> spots_of(decision::ObjectId object) const {
        return of_object_[object.value];
    }
    const decision::LoweredCluster& cluster() const { return cluster_; }
    net::Family family() const { return family_; }
    /// Addresses that no endpoint has.
    const net::AddressSet& outside() const { return outside_; }
    /// Where an endpoint may be in the family: its addresses, or one that is not known.
    static std::vector<Spot> spots_of(const decision::World& world, decision::ObjectId object,
                                      net::Family family);

    /// A protocol and port that a predicate may depend on. port absent: every port of the protocol
    /// that is not listed.
    struct Point {
        net::Protocol protocol = 0;
        std::optional<std::uint16_t> port;
    };
    using Listed = std::map<net::Protocol, std::set<std::uint16_t>>; ///< ports, by protocol
    /// What a predicate says of every spot. Without points it says the same of every packet.
    struct Column {
        std::vector<Point> points;
        std::vector<std::vector<decision::Tri>> kinds; ///< distinct; by point
        std::vector<std::uint32_t> kind_of;            ///< by spot
        std::uint32_t usual = 0;                       ///< the kind of most spots
        std::vector<std::uint32_t> unusual;            ///< spots of other kinds; ascending
    };
    /// Computed once, when it is asked for first, and then by one thread only.
    const Column& column(decision::PredicateId predicate) const;
    /// Computes those of many predicates, by up to `jobs` threads.
    void compute(const std::set<decision::PredicateId>& predicates, unsigned jobs) const;

  private:
    void find_alike();
    void fill(Column& column, const decision::Predicate& predicate) const;
    void ask(const decision::Predicate& predicate, const Column& column, const Listed& listed,
             const Spot& spot, std::vector<decision::Tri>& out) const;
    std::vector<Point> points_of(const decision::Predicate& predicate) const;

    const decision::LoweredCluster& cluster_;
    net::Family family_;
    std::vector<Spot> spots_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> of_object_; ///< by object
    AlikeSpots alike_;                                               ///< spots by number
    net::AddressSet outside_;
    mutable std::map<decision::PredicateId, Column> columns_;
};

/// The variables of both ends of a flow, for programs of one version of a cluster or of several.
class EndVariables {
  public:
    /// Programs of one version. The ends of all versions are the same, in one order.
    struct Version {
        const ExistingEnds* ends = nullptr;
        std::vector<const decision::Program*> programs; ///< whose predicates are asked
    };
    /// What tells spots apart beside predicates, by spot of the first version; empty: nothing.
    struct Marks {
        std::vector<std::uint32_t> source, destination;
    };
    /// `own`: the endpoints that run the programs, in the first version; absent: packets have any
    /// ends there. All must outlive this.
    EndVariables(Terms& terms, Packet& packet, std::vector<Version> versions,
                 const std::optional<std::vector<decision::ObjectId>>& own, Marks marks = {});

    /// What holds of every pair of ends.
    Term domain() const { return terms_.both(domain_, not_to_itself_); }
    /// The same of pairs where an endpoint sends to itself as well: rules judge these, too.
    Term with_itself() const { return domain_; }
    Bounds ask(decision::PredicateId predicate, bool source, std::size_t version = 0);
    /// The number of the class of such ends, as the variable of that side has it; nullopt: the side
    /// has none of them. Addresses that no endpoint has are one class.
    std::optional<std::uint64_t> number_of(const decision::End& end, bool source) const;
    /// The class of a spot of the first version.
    std::optional<std::uint64_t> number_of(std::uint32_t spot, bool source) const;
    /// The end is of the class with this number.
    Term is_number(std::uint64_t number, bool source) {
        return is_class(source ? source_ : destination_, number);
    }
    /// The end is a spot with this mark.
    Term has_mark(std::uint32_t mark, bool source);
    /// The end is an address that no endpoint has.
    Term is_outside(bool source);
    Term index(bool source) const { return (source ? source_ : destination_).index; }
    Term address(bool source) const { return (source ? source_ : destination_).address; }
    /// The ends that a model describes: source, destination.
    std::pair<decision::End, decision::End> ends(const Model& model, std::size_t version = 0) const;

  private:
    /// Spots that the programs don't tell apart on this side.
    struct SpotClass {
        std::uint32_t example = 0;
        std::optional<std::uint32_t> another; ///< of another object, where there is one
    };
    struct Asked {
        std::size_t version = 0;
        decision::PredicateId predicate;
        auto operator<=>(const Asked&) const = default;
    };
    struct Side {
        std::vector<Asked> predicates;
        std::vector<std::uint32_t> marks; ///< by spot, or none
        std::vector<SpotClass> classes;
        bool has_outside = false; ///< class number classes.size()
        Term index, address;
        /// Numbers of the classes by what is seen there.
        std::map<std::vector<std::uint32_t>, std::size_t> numbers;
    };
    /// What each predicate of the side says at the spot: numbers of kinds; then the mark.
    std::vector<std::uint32_t> seen(const Side& side, std::uint32_t spot) const;
    void fill(Side& side, const std::optional<std::vector<decision::ObjectId>>& only);
    void fill_with_all(Side& side);
    void add(SpotClass& into, std::uint32_t spot) const;
    Term is_class(const Side& side, std::size_t number);
    decision::End end(const Side& side, const Model& model, std::size_t version,
                      std::optional<decision::ObjectId> avoid) const;
    const ExistingEnds& common() const { return *versions_.front().ends; }
    const ExistingEnds::Column& column(const Asked& asked) const {
        return versions_[asked.version].ends->column(asked.predicate);
    }
    Term domain_of(const Side& side);
    Term not_to_itself();
    Bounds make(const Asked& asked, bool source);
    Bounds of_outside(const Asked& asked, const Side& side, bool source);
    Term at_point(const ExistingEnds::Column& column, std::size_t point, bool source);

    Terms& terms_;
    Packet& packet_;
    const std::vector<Version> versions_;
    Side source_, destination_;
    Term domain_, not_to_itself_;
    std::map<std::pair<Asked, bool>, Bounds> asked_;
};

} // namespace polecat::smt
