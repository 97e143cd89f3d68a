/// Trails of sets of connections as text and as JSON (docs/json.md).
#pragma once

#include <string>
#include <vector>

#include "analyzer/explain/set_trail.h"
#include "support/source.h"

namespace polecat::cli {

class TrailPrinter {
  public:
    /// All must outlive this.
    TrailPrinter(const decision::LoweredCluster& cluster, const Sources& sources,
                 const analyzer::HttpAtoms& atoms)
        : cluster_(cluster), sources_(sources), atoms_(atoms) {}

    /// What each step takes of `traffic`, a line each.
    std::string text(const std::vector<analyzer::SetStep>& trail,
                     const decision::GroupProgram& program,
                     const analyzer::ConnectionSet& traffic) const;
    /// The same as the text of a JSON object.
    std::string json(const std::vector<analyzer::SetStep>& trail,
                     const decision::GroupProgram& program,
                     const analyzer::ConnectionSet& traffic) const;

  private:
    std::string place(const Span& span) const {
        return span.known() ? "   (" + sources_.describe(span) + ")" : "";
    }
    std::string described(const analyzer::ConnectionSet& set) const { return set.describe(atoms_); }

    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    const analyzer::HttpAtoms& atoms_;
};

} // namespace polecat::cli
