/// Values of one label, cut into the finitely many classes that some tests tell apart: equal to,
/// contains, starts with, ends with. By a product of small automata, so that which combinations of
/// answers exist is known exactly, each with a shortest value.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace polecat::analyzer {

struct ValueTests {
    std::vector<std::string> equal, contains, starts, ends;
};

/// One value of each class, shortest first of its class; values are as Kubernetes takes them (at
/// most 63 letters, digits, `-`, `_`, `.`, a letter or digit at both ends, or empty). nullopt: the
/// tests are too many to be sure.
std::optional<std::vector<std::string>> value_classes(const ValueTests& tests);

/// What Kubernetes takes for a label's value.
bool is_label_value(std::string_view text);

} // namespace polecat::analyzer
