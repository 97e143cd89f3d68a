/// From rules of one policy of host endpoints to those of another, where untracked or preDNAT
/// policy differs: what these find out in one table is what others go by in the next, and iptables
/// changes one table at a time.
#pragma once

#include <vector>

#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

/// What the node holds on the way, one after the other; each differs in the chains of one table
/// from the one before, so that every packet is judged by `from` or by `to`, or is dropped where
/// untracked or preDNAT policy of either denies it. The last has the chains of `to`: what was
/// denied on the way is judged anew under one more number. Empty where there is nothing to be done
/// on the way, where chains would lead deeper than nftables takes, and where `from` is not what
/// frame() writes, as after a plan that was broken off.
std::vector<Ruleset> crossing(const Ruleset& from, const Ruleset& to);

} // namespace polecat::iptables
