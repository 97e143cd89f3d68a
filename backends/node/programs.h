/// The programs of a cluster as images, each made once for all nodes: what a program says of any
/// identity depends on no node. Its name comes from what it asks and how packets are cut.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "backends/node/ends.h"
#include "backends/node/identity_numbers.h"
#include "backends/node/node_image.h"
#include "ir/decision/lowered.h"

namespace polecat::backends {

/// "a12": allowed by slot 12; "d12_l3_sa": denied, logged by slot 3, allowed with staged policies;
/// "n4": nothing matched.
std::string name_of(const CellImage& cell);

struct NamedProgram {
    std::string name;
    Shared<ProgramImage> image;
    std::vector<decision::SlotId> left_out; ///< rules without which it is narrower
    /// Rules without which it would be wider: there is no image.
    std::vector<decision::SlotId> unsaid;
    std::string too_large; ///< why it is closed
};

/// Which identities the own side of programs has, of all endpoints of the cluster, so that every
/// node says the same of a program. What is said alike is one program, although rules that are left
/// out may differ: it goes by a digest of what is said.
struct OwnSides {
    struct Side {
        std::set<std::uint32_t> numbers;
        bool any = false; ///< any address may be
    };
    std::map<std::uint32_t, std::string> digests; ///< by program; without an address there is none
    std::map<std::string, Side> sides;            ///< by digest
};
OwnSides own_sides(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers);
/// A digest of what of a program is said.
std::string said_of(const decision::LoweredCluster& cluster, decision::ProgramId id);
/// Lists of predicates in the order of their texts: the same in whatever order they were met.
void sort_by_text(decision::Program& program, const decision::PredicateStore& predicates);

struct NumberedEnds;

class Programs {
  public:
    Programs(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers, OwnSides own,
             const Numbers& base);

    const NamedProgram& operator[](decision::ProgramId id);
    /// For the next compile: what has been made so far.
    Numbers record() const;
    /// A program without what packets do not show, which `out` then names.
    static decision::Program expressible(const decision::LoweredCluster& cluster,
                                         decision::ProgramId id, NamedProgram& out);

  private:
    NamedProgram make(decision::ProgramId id);
    NumberedEnds ends_of(const decision::Program& program, bool source,
                         const std::set<std::uint32_t>* only);
    static NamedProgram closed(const decision::Program& program, const std::string& text,
                               std::string why, NamedProgram of);
    NamedProgram named(const decision::Program& program, const std::string& text,
                       const decision::Table& table, const NumberedEnds& own,
                       const NumberedEnds& others, NamedProgram of);

    const decision::LoweredCluster& cluster_;
    const IdentityNumbers& numbers_;
    OwnSides own_;
    const Numbers& base_;
    std::map<net::Family, FamilyEnds> ends_;     ///< once they are asked for
    std::map<std::uint32_t, NamedProgram> made_; ///< by program
    std::map<std::string, Numbers::Program> record_;
};

} // namespace polecat::backends
