/// The programs of a cluster as images, each made once for all nodes: what a program says of any
/// identity depends on no node. Its name comes from what it asks and how packets are cut.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

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

struct NumberedEnds;

class Programs {
  public:
    Programs(const decision::LoweredCluster& cluster, const decision::Identities& identities,
             const IdentityNumbers& numbers, const Numbers& base);

    const NamedProgram& operator[](decision::ProgramId id);
    /// For the next compile: what has been made so far.
    Numbers record() const;
    /// A program without what packets do not show, which `out` then names.
    static decision::Program expressible(const decision::LoweredCluster& cluster,
                                         decision::ProgramId id, NamedProgram& out);

  private:
    NamedProgram make(decision::ProgramId id);
    NumberedEnds ends_of(const decision::Program& program, bool source,
                         const std::set<std::uint32_t>* only) const;
    static NamedProgram closed(const decision::Program& program, const std::string& text,
                               std::string why, NamedProgram of);
    NamedProgram named(const decision::Program& program, const std::string& text,
                       const decision::Table& table, const NumberedEnds& own,
                       const NumberedEnds& others, NamedProgram of);
    std::string text_of(const decision::Program& program) const;
    void find_own();

    const decision::LoweredCluster& cluster_;
    const decision::Identities& identities_;
    const IdentityNumbers& numbers_;
    const Numbers& base_;
    std::map<std::uint32_t, std::string> texts_; ///< digests of what is said, by program
    /// Identities of the own side, by that digest: what is said alike is one program, although
    /// rules that are left out may differ.
    std::map<std::string, std::set<std::uint32_t>> own_;
    std::set<std::string> any_own_;              ///< those whose own side may be any address
    std::map<std::uint32_t, NamedProgram> made_; ///< by program
    std::map<std::string, Numbers::Program> record_;
};

} // namespace polecat::backends
