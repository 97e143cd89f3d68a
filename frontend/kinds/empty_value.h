/// Fields with nothing behind them. The API server reads a null as if the field were not there, and
/// what is not there asks nothing: a rule or a selector gets wider than it looks.
#pragma once

#include <string_view>

#include "frontend/kinds/fields.h"

namespace polecat::frontend {

/// Says so where `key` is there and null. `meaning`: what holds then, "every address".
/// nullptr: there was nothing to say.
diag::Diagnostic* report_null(Fields& fields, std::string_view key, std::string_view meaning);
/// The same of an item of a list, whose fields these are.
void report_null_item(const yaml::Node& item, const Fields& fields, std::string_view meaning);
/// Also a note where the list is there and empty.
diag::Diagnostic* report_empty_list(Fields& fields, std::string_view key, std::string_view meaning);

/// The fields of a rule of Calico's, and of one of its ends.
void report_emptied_rule(Fields& rule);
void report_emptied_end(Fields& end);
/// A list of rules with nothing behind it lets nothing through, which is rarely said so.
void report_emptied_rules(Fields& spec, bool ingress, bool egress);

} // namespace polecat::frontend
