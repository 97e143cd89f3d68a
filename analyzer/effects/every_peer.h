/// What some predicates can say together of one end of a flow that could exist.
/// For analyzer/effects/every_endpoint.cpp.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/labels/label_space.h"
#include "ir/decision/program.h"

namespace polecat::analyzer {

/// Questions about labels, each answered once.
class LabelQuestions {
  public:
    /// Is it sure that no set of labels matches `wanted` and none of `excluded`?
    bool impossible(const std::vector<selector::Selector>& wanted,
                    const std::vector<selector::Selector>& excluded);

  private:
    std::map<std::string, bool> known_;
};

/// Truth of predicates, by number.
using Truth = std::map<decision::PredicateId, bool>;

/// Every truth of `open` that some end could have together with `given`; an end holds any number
/// of objects (an endpoint, network sets) and one address. More than there are, never fewer.
std::vector<Truth> truths(const decision::PredicateStore& predicates, net::Family family,
                          const Truth& given, const std::vector<decision::PredicateId>& open,
                          LabelQuestions& labels);

} // namespace polecat::analyzer
