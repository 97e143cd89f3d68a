/// Does a match of a program hold of a flow? The inner part of eval.
#pragma once

#include <string>

#include "ir/decision/eval.h"

namespace polecat::decision {

Tri matches(const Match& match, const PredicateStore& predicates, const World& world,
            const Flow& flow);

/// Why `matches` says Unknown: the first part that could not be told, in words.
std::string unknown_reason(const Match& match, const PredicateStore& predicates, const World& world,
                           const Flow& flow);

} // namespace polecat::decision
