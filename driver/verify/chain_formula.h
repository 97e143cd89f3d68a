/// A program's chains as formulas, with the members of the sets that they ask. For
/// driver/verify/chain_rules.
#pragma once

#include <array>
#include <map>
#include <set>
#include <utility>

#include "driver/verify/chain_program.h"
#include "driver/verify/proved_rules.h"

namespace polecat::driver {

class ChainFormula : public RulesFormula {
  public:
    /// `program` and `ends` must outlive this. Throws ProvedRules::Unsaid.
    ChainFormula(const ChainProgram& program, const AskedOwn& own, bool own_is_source,
                 const smt::ExistingEnds& ends);

    std::uint32_t mark(std::size_t spot, bool own) const override {
        return marks_[own == own_is_source_ ? kSource : kDestination][spot];
    }
    smt::Term is_own(const Question& question) override;
    smt::Term passes(const Question& question, bool by_rule) override;

  private:
    static constexpr std::size_t kDestination = 0, kSource = 1;
    using Ports = std::vector<std::pair<net::Protocol, std::uint16_t>>;
    /// A set, as it is asked about one address.
    struct Members {
        net::AddressSet addresses;
        std::map<net::Address, Ports> ports; ///< of a set with ports
    };
    /// What a packet's way through a chain comes to; else it is denied.
    struct Ends {
        smt::Term allowed, returned;
    };

    void read_sets();
    void mark_spots(bool source, const AskedOwn& own, bool is_own);
    Ends ends_of(const Question& question, const std::string& chain);
    smt::Term of_match(const Question& question, const iptables::Match& match);
    smt::Term in_set(const Question& question, const iptables::InSet& match);
    smt::Term with_ports(const Question& question, const Ports& ports, bool source) const;

    const ChainProgram& program_;
    const AskedOwn own_;
    const bool own_is_source_;
    const smt::ExistingEnds& ends_;
    std::map<std::string, Members> members_;
    std::array<std::set<std::string>, 2> asked_;
    std::array<std::vector<std::uint32_t>, 2> marks_;
    /// Of each mark the sets that such ends are in, with their ports.
    std::array<std::map<std::uint32_t, std::map<std::string, Ports>>, 2> in_sets_;
    std::map<std::string, Ends> known_;
    std::map<std::pair<std::string, bool>, smt::Term> known_sets_;
};

} // namespace polecat::driver
