/// What gets through at an endpoint hook after hook. The lowered cluster has that as one program
/// for ends of flows that nothing translates (LoweredCluster::find_at_end); this is for who asks
/// about single hooks.
#pragma once

#include <optional>

#include "analyzer/flows/program_flows.h"

namespace polecat::analyzer {

/// Before the last hook, a rule that allows says more than the end that lets a packet go on: it
/// spares it the policy that follows, or the host's own rules for forwarded packets. The program by
/// which only rules allow; nullopt: at the last hook both mean the same.
std::optional<decision::Program> accepting_only(const decision::Program& program);

/// Packets meet one hook, and, unless a rule of it accepts them, the normal one.
class HookFlows {
  public:
    /// `before`: nullptr: nothing is there. Both must outlive this.
    HookFlows(const decision::Program* before, const decision::Program& normal,
              const HttpAtoms& atoms);
    HookFlows(const HookFlows&) = delete; // its parts refer to each other
    HookFlows& operator=(const HookFlows&) = delete;
    Bounds<ConnectionSet> between(const decision::Identity& source,
                                  const decision::Identity& destination) const;

  private:
    ProgramFlows normal_;
    std::optional<ProgramFlows> before_;
    std::optional<decision::Program> accepting_;
    std::optional<ProgramFlows> accepted_;
};

} // namespace polecat::analyzer
