/// decision::Program: the lowered meaning of all policy for one endpoint group, direction, hook and
/// IP family. Ordered stages of entries; first match in a stage wins; Pass goes to the next stage;
/// total. Carries no names and no origins, so that equal programs can be shared; slots are mapped
/// to rules by the group (Attribution).
/// Meaning: felix/rules/endpoints.go, felix/bpf/polprog; docs/semantics.md.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "ir/policy/objects.h"
#include "ir/selector/selector.h"
#include "support/id.h"
#include "support/shared.h"
#include "support/source.h"

namespace polecat::decision {

using policy::Action;
using policy::Direction;

enum class Hook : std::uint8_t { Normal, Forward, PreDnat, Untracked };
std::string_view to_string(Hook hook);
std::string_view to_string(Direction direction);

// --- predicates: what a rule asks of one end -----------------------------------------------------

/// Some endpoint or network set that holds the address has labels that match. (A Calico IP set.)
struct ObjectSet {
    selector::Selector selector;
};
/// The address lies in one of these ranges (already of the program's family).
struct NetSet {
    net::AddressSet nets;
};
/// The address (with_ports: with protocol and destination port) is a member of the service.
struct ServiceSet {
    std::string key; ///< "namespace/name"
    bool with_ports = false;
};
/// An endpoint with that address declares the port by this name, and its labels match.
/// protocol 0: any of TCP, UDP, SCTP.
struct NamedPortSet {
    selector::Selector selector;
    net::Protocol protocol = 0;
    std::string name;
};
/// The address was resolved from one of these names: not known until run time.
struct DomainSet {
    std::vector<std::string> domains;
};
/// Of a rule that could not be read: whom it names is not known.
struct UnreadSet {
    std::string what; ///< "ingress[0] of NetworkPolicy shop/web"
    /// It was read, and this is not known of it: "StatefulSet a/db: which of its pods is meant".
    bool of_read = false;
};
/// "ingress[0] of NetworkPolicy shop/web could not be read".
std::string reason_of(const UnreadSet& set);
using Predicate = std::variant<ObjectSet, NetSet, ServiceSet, NamedPortSet, DomainSet, UnreadSet>;
using PredicateId = Id<struct PredicateTag>;

/// Of no end is it known whether it holds.
inline bool is_never_known(const Predicate& predicate) {
    return std::holds_alternative<DomainSet>(predicate) ||
           std::holds_alternative<UnreadSet>(predicate);
}

/// Canonical text of a predicate: equal text, equal meaning. Also its content hash's input.
std::string to_string(const Predicate& predicate);

/// All predicates of a lowered cluster, each distinct one once.
class PredicateStore {
  public:
    PredicateId intern(Predicate predicate);
    const Predicate& operator[](PredicateId id) const { return predicates_[id.value]; }
    std::size_t size() const { return predicates_.size(); }

  private:
    std::vector<Predicate> predicates_;
    std::unordered_map<std::string, PredicateId> by_text_;
};

// --- matches ------------------------------------------------------------------------------------

/// Numeric ports or one of the named-port sets (OR).
struct PortMatch {
    net::PortSet numbers;
    std::vector<PredicateId> named;
    auto operator<=>(const PortMatch&) const = default;
};

/// AND of `all`, of the negations of `none`, and of the port matches. Who reads it unpacks it
/// (`const auto& [...]`), so that it does not compile until it reads a new field as well; the same
/// of Match.
struct EndMatch {
    std::vector<PredicateId> all;
    std::vector<PredicateId> none;
    std::optional<PortMatch> ports;
    std::optional<PortMatch> not_ports; ///< none of these
    auto operator<=>(const EndMatch&) const = default;
};

/// act(predicate) for each that the end is asked for, ports included; one may come twice.
template <class Act> void each_predicate(const EndMatch& end, const Act& act) {
    const auto& [all, none, ports, not_ports] = end;
    for (const auto* list : {&all, &none})
        for (const PredicateId id : *list)
            act(id);
    for (const auto* list : {&ports, &not_ports})
        if (*list)
            for (const PredicateId id : (*list)->named)
                act(id);
}

struct IcmpTypeCode {
    std::optional<std::uint8_t> type, code;
    auto operator<=>(const IcmpTypeCode&) const = default;
};

struct Match {
    std::optional<net::Protocol> protocol, not_protocol;
    std::optional<IcmpTypeCode> icmp, not_icmp;
    EndMatch source, destination;
    /// Methods and paths; a flow without HTTP attributes does not match it.
    struct Http {
        std::vector<std::string> methods;
        std::vector<std::pair<bool, std::string>> paths; ///< {is prefix, text}
        auto operator<=>(const Http&) const = default;
    };
    std::optional<Http> http;
    auto operator<=>(const Match&) const = default;
};

// --- programs ------------------------------------------------------------------------------------

/// Index into the group's Attribution.
using SlotId = Id<struct SlotTag>;

struct Entry {
    Shared<Match> match; ///< of a rule: all programs that the rule is part of share it
    Action action = Action::Allow;
    bool staged = false; ///< of a staged policy: counts in the preview only
    SlotId slot;
    auto operator<=>(const Entry&) const = default;
};

enum class StageEnd : std::uint8_t { Deny, Next };

/// A tier, or a profile. `end`: what happens when nothing matched; `staged_end`: the same with
/// staged policies as if enforced.
struct Stage {
    enum class Kind : std::uint8_t { Tier, Profile };
    Kind kind = Kind::Tier;
    std::vector<Entry> entries;
    StageEnd end = StageEnd::Deny;
    StageEnd staged_end = StageEnd::Deny;
    SlotId end_slot;
    auto operator<=>(const Stage&) const = default;
};

struct Program {
    Hook hook = Hook::Normal;
    Direction direction = Direction::Ingress;
    net::Family family = net::Family::V4;
    std::vector<Stage> stages;
    /// After the last stage: Deny at `normal`; Allow at the other hooks means "goes on".
    Action otherwise = Action::Deny;
    SlotId otherwise_slot;
    auto operator<=>(const Program&) const = default;
};
using ProgramId = Id<struct ProgramTag>;

/// What the program asks of one end of a flow, in order and each once.
std::vector<PredicateId> predicates_of(const Program& program, bool source);

/// What a slot stands for: a rule, the end of a tier, the end of the program, a host's failsafe
/// ports, or an endpoint of which it is not known what governs it (`policy` then names it).
struct Slot {
    enum class Kind : std::uint8_t {
        Rule,
        EndOfTier,
        EndOfProgram,
        AdminDown,
        UnreadEndpoint,
        Failsafe
    };
    Kind kind = Kind::Rule;
    std::string tier;             ///< empty for profiles
    policy::PolicyName policy;    ///< or the profile, of kind "Profile"
    std::uint32_t rule_index = 0; ///< index in the manifest's list of that direction
    Action action = Action::Deny;
    Span span;
};
/// A policy's part of a program: entries [first, first + count) of a stage. A policy without rules
/// isolates all the same.
struct PolicyBlock {
    std::uint32_t stage = 0, first = 0, count = 0;
    std::string tier;
    policy::PolicyName policy;
    std::optional<double> order;
    bool staged = false;
    bool unread = false; ///< it could not be read, and may not govern the endpoint after all
    Span span;           ///< metadata.name
};
/// Slots of one program of one group, by SlotId, and its policies in order. Groups with the same
/// share them.
class Attribution {
  public:
    Attribution() = default;
    Attribution(std::vector<Shared<Slot>> slots, std::vector<PolicyBlock> policies)
        : parts_(std::make_shared<const Parts>(Parts{std::move(slots), std::move(policies)})) {}
    const Slot& operator[](std::size_t id) const { return *parts_->slots[id]; }
    std::size_t size() const { return parts_ ? parts_->slots.size() : 0; }
    const std::vector<PolicyBlock>& policies() const { return parts_->policies; }
    bool any_enforced() const; ///< some policy that is not staged governs here
    /// Equal for those that share.
    const void* identity() const { return parts_.get(); }

  private:
    struct Parts {
        std::vector<Shared<Slot>> slots;
        std::vector<PolicyBlock> policies;
    };
    std::shared_ptr<const Parts> parts_;
};

} // namespace polecat::decision
