/// One program of the policy beside what stands for it in a node's rules, as a question to Z3. For
/// driver/verify/proof.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/z3/existing_ends.h"
#include "analyzer/z3/session.h"
#include "driver/verify/both_ends.h"
#include "driver/verify/image_formula.h"

namespace polecat::driver {

/// An image's identities, as the ends of one family have them.
struct EndIdentities {
    EndIdentities(const backends::NodeImage& image, const smt::ExistingEnds& ends);
    std::vector<KnownIdentity> spots; ///< by number
    /// Of addresses that no endpoint has.
    std::map<std::uint32_t, net::AddressSet> outside;
};

/// Which own class of the program an identity is of; kDropped: of none, and packets are dropped.
inline constexpr std::uint32_t kDropped = UINT32_MAX;
std::uint32_t own_class(const backends::ProgramImage& program, KnownIdentity identity);

/// Whom of those that run a program packets are of.
struct AskedOwn {
    net::AddressSet addresses;
    /// Endpoints that have them; absent: any may, and addresses that no endpoint has.
    std::optional<std::vector<decision::ObjectId>> objects;
    std::uint32_t own_class = 0; ///< of the rules' program
};

class PairQuestion {
  public:
    /// `policy`: without what rules can't say. All must outlive this.
    PairQuestion(const smt::ExistingEnds& ends, const decision::Program& policy,
                 const backends::ProgramImage& rules, const EndIdentities& identities,
                 const AskedOwn& own);

    /// Is there a packet that they judge otherwise?
    smt::Answer ask(const smt::QueryOptions& options, const std::string& about);
    /// The flow that was found.
    decision::Flow flow(const smt::Model& model) const;

  private:
    smt::EndVariables::Marks marks() const;
    smt::Term is_own();
    smt::Term outside(const net::AddressSet& set, bool source);
    smt::Term passes(bool by_rule);
    smt::Term allows(const decision::Program& program);

    const smt::ExistingEnds& ends_;
    const decision::Program& policy_;
    const backends::ProgramImage& rules_;
    const EndIdentities& identities_;
    const AskedOwn& own_;
    const bool own_is_source_;
    const analyzer::HttpAtoms requests_; // rules ask for none
    smt::Terms terms_;
    smt::Packet packet_;
    smt::EndVariables variables_;
    ImageFormula formula_;
};

} // namespace polecat::driver
