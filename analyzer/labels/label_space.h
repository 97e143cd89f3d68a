/// All sets of labels that could ever exist, as far as some selectors tell them apart. Decides
/// whether one selector implies others without looking at any cluster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/selector/selector.h"

namespace polecat::analyzer {

/// A label with one value for each class of values, and absence (nullopt, always first).
struct LabelKey {
    std::string label;
    std::vector<std::optional<std::string>> values;
};

/// The labels that the selectors name; nullopt: too many tests to be sure.
std::optional<std::vector<LabelKey>> label_keys(const std::vector<selector::Selector>& selectors);

/// Values of labels are those that Kubernetes takes, but service accounts have longer names: what
/// asks for such a value, or for parts of a name, is not decided.
bool is_decided(const selector::Selector& selector);

struct LabelAnswer {
    enum class Kind { Yes, No, Unknown } kind = Kind::Unknown;
    selector::Labels labels; ///< Yes: a set of labels that shows it
};

/// Is there a set of labels that all of `wanted` match and none of `excluded`? Never No where some
/// test is not decided.
LabelAnswer find_labels(const std::vector<selector::Selector>& wanted,
                        const std::vector<selector::Selector>& excluded);

} // namespace polecat::analyzer
