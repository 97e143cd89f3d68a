/// Two versions of a cluster compared, exactly: which flows does the second open, which does it
/// close, and what is to blame. By the policies of both ends, as map() sees them; endpoints that
/// only one version has are named, and their flows are not compared.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/algebra/connections.h"
#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

/// Ends that neither version tells apart: endpoints that both have, or outside addresses.
struct DiffEnd {
    std::vector<decision::ObjectId> base, head; ///< the same endpoints in either version
    net::AddressSet outside;
    bool is_outside() const { return head.empty(); }
};

/// The member of `to` that stands for it in examples: not the one that stands for `from`.
inline std::size_t example_member(const DiffEnd& from, const DiffEnd& to) {
    return &from == &to && to.head.size() > 1 ? 1 : 0;
}

enum class ChangeKind : std::uint8_t {
    Opened,      ///< denied before, allowed now
    PerhapsOpen, ///< more is possible than before, and one of the versions depends
    Closed,      ///< allowed before, denied now
    PerhapsShut,
};
inline constexpr std::size_t kChangeKinds = 4;

/// One end's part in a verdict.
struct Decider {
    decision::Verdict verdict = decision::Verdict::Allow;
    std::string text; ///< "NetworkPolicy shop/db ingress[0]", "no policy"
    Span span;        ///< in the sources of its version
};

/// Why a flow got another verdict: the end whose policies changed their mind.
struct Cause {
    decision::Direction direction = decision::Direction::Ingress;
    Decider before, now;
};

struct FlowChange {
    ChangeKind kind = ChangeKind::Opened;
    std::vector<std::uint32_t> sources, destinations; ///< indices of FamilyDiff::ends
    ConnectionSet connections;
    decision::Flow example; ///< one flow of these, from the first source to the first destination
    std::vector<Cause> causes; ///< one, or one for each end
};

/// What the two versions say of one direction at some endpoints.
struct ProgramPair {
    decision::Direction direction = decision::Direction::Ingress;
    std::optional<decision::ProgramId> base, head; ///< absent: nothing is decided there
    std::vector<decision::ObjectId> own;           ///< the endpoints, in the base
    /// Both say the same of each flow between ends that both versions have, other than what an
    /// endpoint sends to itself.
    bool same = true;
    /// Otherwise: packets between the endpoint and such ends that get another verdict.
    struct Difference {
        std::vector<std::uint32_t> peers; ///< indices of FamilyDiff::ends
        ConnectionSet connections;
    };
    std::vector<Difference> differences;
};

struct FamilyDiff {
    net::Family family = net::Family::V4;
    std::vector<DiffEnd> ends;
    std::vector<FlowChange> changes;   ///< by kind, then by ends
    std::vector<ProgramPair> programs; ///< only where they were asked for
};

struct Diff {
    std::vector<FamilyDiff> families;
    HttpAtoms atoms; ///< of all connections
    /// Some flow is not decided in one of the versions.
    bool depends = false;
    /// Endpoints of one version only: "pod:shop/web".
    std::vector<std::string> gone, added;
    /// Host endpoints whose untracked, preDNAT or forward policy changed.
    std::vector<std::string> other_hooks;

    bool has(ChangeKind kind) const;
};

/// One of the addresses, one that people know as an example where it may be.
net::Address example_address(const net::AddressSet& nets);

/// Both must outlive the result. `with_programs`: fills FamilyDiff::programs, for a second engine.
Diff diff(const decision::LoweredCluster& base, const decision::LoweredCluster& head,
          bool with_programs = false);

} // namespace polecat::analyzer
