/// `polecat verify`: whether what was written for nodes, or what a node runs, is the policy. What
/// can't be read is never taken for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/compile/folder_kind.h"
#include "driver/verify/differences.h"
#include "ir/decision/lowered.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::driver {

struct VerifyRequest {
    std::string folder; ///< what compile wrote, or a bundle
    std::string node;   ///< empty: all
    /// A listing of what `node` runs, in place of its file; of BPF a file of its tables, of
    /// iptables a folder with its sets and rules.
    std::string rules;
    FolderKind target = FolderKind::Nftables; ///< or Iptables, Bpf
    std::string key;    ///< a file with the public key that a bundle must be signed with; or empty
    bool prove = false; ///< have Z3 confirm it; needs the policy
};

struct NodeVerdict {
    enum class State : std::uint8_t {
        Whole,   ///< reads back; there was nothing to compare it with
        Equal,   ///< to the letter
        Same,    ///< every packet meets the same
        Differs, ///< see `differences`; `why` where the folder lacks the node
        Unread,  ///< or the policy can't be said: see `why`
    };
    std::string node;
    State state = State::Unread;
    std::string why;                         ///< it can't be told, or differs altogether
    std::size_t programs = 0, addresses = 0; ///< of the rules; of workloads on the node
    std::vector<Difference> differences;
    std::vector<std::string> notes; ///< of what else is in the listing
    /// What Z3 says of programs of the policy and what stands for them.
    struct Proof {
        std::size_t proved = 0, different = 0, closed = 0, unknown = 0; ///< as NodeProof has it
    };
    std::optional<Proof> proof;
};

struct VerifyReport {
    std::string why; ///< the folder as a whole can't be used; empty: it can
    std::vector<NodeVerdict> nodes;
};

/// The policy, where rules are compared with manifests.
struct PolicySide {
    const decision::LoweredCluster& cluster;
    const Sources& sources;
};

/// Without `policy`: whether the folder is whole; a listing is then compared with the node's file.
/// What the manifests have that rules can't say goes to `diagnostics`.
VerifyReport verify(const VerifyRequest& request, const PolicySide* policy,
                    diag::Diagnostics& diagnostics);

} // namespace polecat::driver
