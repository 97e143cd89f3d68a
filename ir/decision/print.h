/// Programs and tables as text, the same text for the same meaning.
#pragma once

#include <string>

#include "ir/decision/program.h"
#include "ir/decision/table.h"

namespace polecat::decision {

std::string to_text(const Program& program, const PredicateStore& predicates);
std::string to_text(const Table& table, const PredicateStore& predicates);

} // namespace polecat::decision
