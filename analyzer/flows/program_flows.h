/// What a program lets through between two identities, as exact sets: eval() for every protocol,
/// port and ICMP type at once.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "analyzer/algebra/bounds.h"
#include "analyzer/algebra/connections.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

/// What a match takes whoever the ends are, as far as no set with ports depends on them.
ConnectionSet packets_of(const decision::Match& match, net::Family family, const HttpAtoms& atoms);
/// Whether an end can match at all, apart from ports.
decision::Tri end_matches(const decision::EndMatch& match, const decision::Identity& end);
/// Whether a side of a match reads sets with ports that depend on who this end is.
bool reads_ports(const decision::EndMatch& match, const decision::Identity& end);
/// `packets` of the match narrowed to these ends; nullopt: it matches nothing between them.
std::optional<Bounds<ConnectionSet>> entry_sets(const decision::Match& match,
                                                const ConnectionSet& packets,
                                                const decision::Identity& source,
                                                const decision::Identity& destination);

/// A program made ready to be asked about many pairs of identities. The program must outlive it.
class ProgramFlows {
  public:
    /// `atoms`: of the cluster or clusters that sets are compared over; read here only.
    ProgramFlows(const decision::Program& program, const HttpAtoms& atoms);
    /// What it allows.
    Bounds<ConnectionSet> between(const decision::Identity& source,
                                  const decision::Identity& destination) const;
    /// Of one entry of a stage; nullopt: it matches nothing between these ends.
    std::optional<Bounds<ConnectionSet>> entry(std::size_t stage, std::size_t entry,
                                               const decision::Identity& source,
                                               const decision::Identity& destination) const;
    /// What an entry matches whoever the ends are, as far as no set with ports depends on them.
    const ConnectionSet& packets(std::size_t stage, std::size_t entry) const {
        return packets_[stage][entry];
    }
    const decision::Program& program() const { return program_; }

  private:
    const decision::Program& program_;
    /// By stage and entry: what matches as far as protocol, numeric ports and ICMP say.
    std::vector<std::vector<ConnectionSet>> packets_;
};

} // namespace polecat::analyzer
