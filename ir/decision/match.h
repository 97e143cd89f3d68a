/// Does a match of a program hold of a flow? The inner part of eval.
#pragma once

#include <string>

#include "ir/decision/eval.h"

namespace polecat::decision {

Tri matches(const Match& match, const PredicateStore& predicates, const World& world,
            const Flow& flow);

/// What is not known of an object that has `unread`.
UnreadSet unread_set_of(const Object& object);

/// Why `matches` says Unknown: the first part that could not be told, in words.
std::string unknown_reason(const Match& match, const PredicateStore& predicates, const World& world,
                           const Flow& flow);

} // namespace polecat::decision
