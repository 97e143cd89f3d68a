/// A node's rules as driver/verify/proof asks about them, whichever dataplane has them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/z3/existing_ends.h"
#include "driver/verify/differences.h"

namespace polecat::driver {

/// Mark of ends that no packet has: those without an address, and others than are asked of.
inline constexpr std::uint32_t kNowhere = UINT32_MAX - 1;

/// Whom of those that run a program packets are of.
struct AskedOwn {
    net::AddressSet addresses;
    /// Endpoints that have them; absent: any may, and addresses that no endpoint has.
    std::optional<std::vector<decision::ObjectId>> objects;
};

/// What stands for a program of the policy, as formulas over the variables of a question.
class RulesFormula {
  public:
    struct Question {
        smt::Terms& terms;
        smt::Packet& packet;
        smt::EndVariables& variables;
        bool own_is_source;
    };
    virtual ~RulesFormula() = default;

    /// What tells a spot of the ends from others beside predicates; `own`: as the end that runs the
    /// program.
    virtual std::uint32_t mark(std::size_t spot, bool own) const = 0;
    /// The own end is one of those that are asked of.
    virtual smt::Term is_own(const Question& question) = 0;
    /// The packet gets past; `by_rule`: as a rule allows it, not since nothing matched.
    virtual smt::Term passes(const Question& question, bool by_rule) = 0;
};

class ProvedRules {
  public:
    virtual ~ProvedRules() = default;

    /// What is asked of packets from or to a workload's address: each is to be the policy's
    /// program. An empty name: nothing is. `other_source`: it is no address of its own.
    virtual std::vector<std::string> of_workload(const std::string& interface,
                                                 decision::Direction direction,
                                                 const net::Address& address,
                                                 bool other_source) const = 0;
    /// The same of a host endpoint's interface, or "*".
    virtual std::vector<std::string> of_host(const std::string& interface,
                                             const decision::Group::Key& key) const = 0;
    /// Why it can't be a program of this kind; empty: it can. All names here are such as were
    /// given.
    virtual std::string unfit(const std::string& program,
                              const decision::Group::Key& key) const = 0;
    /// Too large to be said: it lets nothing through.
    virtual bool is_closed(const std::string& program) const = 0;
    /// Whether an Allow is told from nothing that matched.
    virtual bool tells(const std::string& program) const = 0;
    /// One for each kind of own end. Throws Unsaid. `ends` must outlive them.
    virtual std::vector<std::unique_ptr<RulesFormula>>
    formulas(const std::string& program, const AskedOwn& own, const smt::ExistingEnds& ends) = 0;
    /// By look-ups, without formulas.
    virtual Decided decided(const std::string& program, const decision::Flow& flow) const = 0;

    /// A rule asks what no program of ours does.
    struct Unsaid {
        std::string why;
    };
};

} // namespace polecat::driver
