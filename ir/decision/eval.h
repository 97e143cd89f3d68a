/// eval: the meaning of a decision::Program. Short, slow, obviously right; everything else (table,
/// backends, kernel) must agree with it. Three-valued: where what is known does not decide, the
/// verdict is Depends with the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/decision/flow.h"
#include "ir/decision/program.h"
#include "ir/decision/world.h"

namespace polecat::decision {

enum class Tri : std::uint8_t { No, Yes, Unknown };
constexpr Tri known(bool value) {
    return value ? Tri::Yes : Tri::No;
}
Tri operator!(Tri value);
Tri both(Tri a, Tri b);
Tri either(Tri a, Tri b);

/// Does the predicate hold of that end of the flow (is the end's address in the set)?
/// `protocol` and `port` are those of the packet on that side, for named ports and services.
Tri holds(const Predicate& predicate, const World& world, const End& end, net::Family family,
          net::Protocol protocol, std::optional<std::uint16_t> port);

/// Whether it is not known if this network set, which could not be read, is part of the set.
bool is_in_doubt(const ObjectSet& set, const Object& network_set);
/// Whether not all members of the service are known.
bool is_in_doubt(const ServiceSet& set, const World& world);

enum class Verdict : std::uint8_t { Allow, Deny, Depends };
std::string_view to_string(Verdict verdict);

/// One step on the way to a verdict.
struct Step {
    enum class Outcome : std::uint8_t { NoMatch, Match, Unknown, End };
    std::size_t stage = 0; ///< index into Program::stages; stages.size(): the program's end
    SlotId slot;
    Outcome outcome = Outcome::NoMatch;
};

struct Decision {
    Verdict verdict = Verdict::Deny;
    SlotId slot;              ///< what decided; for Depends, the first that could not be told
    std::vector<SlotId> logs; ///< Log rules that matched on the way
    std::string reason;       ///< Depends: why
    std::vector<Step> trail;  ///< every entry looked at, in order
};

enum class Staging : std::uint8_t { Ignored, Enforced };

Decision eval(const Program& program, const PredicateStore& predicates, const World& world,
              const Flow& flow, Staging staging = Staging::Ignored);

/// Calico's normalisation of a request path (app-policy/checker/match.go); nullopt: must not match
/// anything.
std::optional<std::string> normalize_http_path(std::string_view path);

} // namespace polecat::decision
