/// HttpAtoms: HTTP requests cut into the classes that no rule of a cluster tells apart: a method
/// (or any other one) with a piece of the tree of paths. Rules match paths whole or by whole
/// segments (app-policy/checker/match.go), so that the pieces are: each exact path, below each
/// prefix what no longer prefix and no exact path takes, and the paths that Calico refuses to
/// normalise: no rule that names paths matches those, a rule without paths does.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ir/decision/flow.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

/// Requests, by the numbers of their classes; sorted.
using HttpSet = std::vector<std::uint32_t>;

class HttpAtoms {
  public:
    HttpAtoms() = default; ///< no rule asks: one class of all requests
    /// For every rule of these clusters.
    explicit HttpAtoms(const std::vector<const decision::LoweredCluster*>& clusters);

    std::uint32_t count() const;
    HttpSet of(const decision::Match::Http& match) const;
    std::uint32_t of(const decision::Flow::Http& request) const;
    /// A request of the class.
    decision::Flow::Http example(std::uint32_t atom) const;
    /// "GET /cart, POST /orders/*, other methods".
    std::string describe(const HttpSet& set) const;

  private:
    struct Piece {
        std::string text; ///< normal path, without the slash at its end; "" is the root
        bool exact = false;
    };
    void add(const decision::Match::Http& match);
    /// Pieces, and the refused paths as the last one where some rule names paths.
    std::size_t paths() const { return pieces_.size() + (names_paths_ ? 1 : 0); }
    std::uint32_t piece_of(const std::string& path) const;
    std::string describe_pieces(const std::vector<bool>& pieces) const;
    std::string example_path(std::size_t piece) const;

    std::vector<std::string> methods_;       ///< sorted; one class more for all others
    std::vector<Piece> pieces_{{"", false}}; ///< sorted; the first is what nothing else takes
    bool names_paths_ = false;               ///< some rule does
};

} // namespace polecat::analyzer
