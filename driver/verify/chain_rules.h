/// Chains and sets of iptables, for driver/verify/proof.
#pragma once

#include <map>

#include "driver/verify/chain_program.h"
#include "driver/verify/proved_rules.h"

namespace polecat::driver {

class ChainRules : public ProvedRules {
  public:
    /// The rules must outlive this.
    explicit ChainRules(const iptables::Ruleset& rules);

    std::vector<std::string> of_workload(const std::string& interface,
                                         decision::Direction direction, const net::Address& address,
                                         bool other_source) const override;
    std::vector<std::string> of_host(const std::string& interface,
                                     const decision::Group::Key& key) const override;
    /// What a program says tells what it is of.
    std::string unfit(const std::string& /*program*/,
                      const decision::Group::Key& /*key*/) const override {
        return {};
    }
    bool is_closed(const std::string& program) const override;
    bool tells(const std::string& program) const override {
        return !programs_.at(program).allows.empty();
    }
    std::vector<std::unique_ptr<RulesFormula>> formulas(const std::string& program,
                                                        const AskedOwn& own,
                                                        const smt::ExistingEnds& ends) override;
    Decided decided(const std::string& program, const decision::Flow& flow) const override;

  private:
    struct Asked { ///< a rule that asks who runs a program
        std::string set;
        std::string program; ///< a name in `programs_`
    };
    void read_dispatch(net::Family family, decision::Direction direction, bool reply);
    void read_hosts(net::Family family);
    std::string add(ChainProgram program, decision::Direction direction);

    const iptables::Ruleset& rules_;
    std::map<std::string, ChainProgram> programs_;
    std::map<std::string, decision::Direction> directions_;
    struct Place {
        net::Family family;
        decision::Direction direction;
        bool reply;
        auto operator<=>(const Place&) const = default;
    };
    std::map<Place, std::vector<Asked>> dispatch_;
    /// By interface.
    std::map<std::pair<std::string, decision::Group::Key>, std::vector<std::string>> hosts_;
};

} // namespace polecat::driver
