/// From a match of a program to rules of iptables. For backends/iptables/build.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "ir/decision/program.h"

namespace polecat::iptables {

/// The set that a predicate is, and whether it is asked with a port.
struct NamedSet {
    std::string name;
    bool pair = false;
};
using SetOf = std::function<NamedSet(decision::PredicateId)>;

/// Of which each is one rule, and whatever fits one of them fits the match. `-p` can be negated
/// once and multiport takes 15 ports, so one match may be several rules.
std::vector<std::vector<iptables::Match>> filter_rules(const decision::Match& match,
                                                       net::Family family, const SetOf& set_of);

} // namespace polecat::iptables
