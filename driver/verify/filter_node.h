/// A node's chains and sets of iptables, held against the policy. For driver/verify/verify.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/iptables/image.h"
#include "driver/verify/filter_differences.h"
#include "driver/verify/proof.h"
#include "driver/verify/verify.h"
#include "support/result.h"

namespace polecat::driver {

struct FilterSides {
    Result<iptables::Ruleset> own; ///< what was compiled for the node; sorted
    std::string folder;            ///< where that stands; empty: it was made of a bundle
    std::string listing;           ///< a folder with what the node runs, in its place; or empty
    std::optional<iptables::FilterImage> policy; ///< of the manifests
    NameAt name_at;
    Prover* prover = nullptr; ///< asked as well, where there are manifests
};

/// What a node lists, held against what it should have. `held` is then without what nothing leads
/// to, of which `notes` tell.
std::vector<Difference> listed_filter_differences(iptables::Ruleset& held,
                                                  const iptables::Ruleset& wanted,
                                                  const NameAt& name_at,
                                                  std::vector<std::string>& notes);

/// `out` has the name of the node.
NodeVerdict judge_filters(NodeVerdict out, const FilterSides& sides);

/// With what Z3 finds of chains as well: what that does to packets comes before the rules that
/// differ.
NodeVerdict with_proof(NodeVerdict out, NodeProof proof, const NameAt& name_at);

} // namespace polecat::driver
