/// HttpAtoms: HTTP requests cut into the classes that no rule of a cluster tells apart: a method
/// (or any other one) with a piece of the tree of paths. Rules match paths whole or by whole
/// segments (app-policy/checker/match.go), so that the pieces are: each exact path, and below each
/// prefix what no longer prefix and no exact path takes.
#pragma once

#include <cstdint>
#include <optional>
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
    /// The class of a request; nullopt: a path that matches nothing (it is not normal).
    std::optional<std::uint32_t> of(const decision::Flow::Http& request) const;
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
    std::uint32_t piece_of(const std::string& path) const;
    std::string describe_pieces(const std::vector<bool>& pieces) const;
    std::string example_path(std::size_t piece) const;

    std::vector<std::string> methods_;       ///< sorted; one class more for all others
    std::vector<Piece> pieces_{{"", false}}; ///< sorted; the first is what nothing else takes
};

} // namespace polecat::analyzer
