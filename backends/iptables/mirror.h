/// Rules for the packets that answer: what they ask of a flow's ends, asked from the other side.
#pragma once

#include <vector>

#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

std::vector<iptables::Match> mirrored(std::vector<iptables::Match> matches);

} // namespace polecat::iptables
