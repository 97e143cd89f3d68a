/// Programs and tables as text, and read back: the same text for the same meaning. Lines that
/// start with `#` in the first column are remarks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/decision/program.h"
#include "ir/decision/table.h"
#include "support/result.h"

namespace polecat::decision {

/// Predicates stand in a program's text as they are.
std::string to_text(const Program& program, const PredicateStore& predicates);
/// "predicate 0: objects(app == "web")": what the numbers in a table's text mean.
std::string to_text(const PredicateStore& predicates);
std::string to_text(const Table& table);

/// Reads selectors in predicates: ir has no parser of its own.
using SelectorReader = std::function<std::optional<selector::Selector>(std::string_view)>;

/// Every program of a text; their predicates go into the store. The error names the line.
Result<std::vector<Program>> parse_programs(std::string_view text, PredicateStore& predicates,
                                            const SelectorReader& read_selector);
/// Every table of a text, with the predicates before them, which must come into an empty store.
Result<std::vector<Table>> parse_tables(std::string_view text, PredicateStore& predicates,
                                        const SelectorReader& read_selector);

} // namespace polecat::decision
