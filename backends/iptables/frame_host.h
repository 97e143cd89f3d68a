/// The part of the frame that is there for host endpoints. For backends/iptables/frame.cpp.
#pragma once

#include <set>

#include "backends/iptables/frame.h"

namespace polecat::iptables {

inline constexpr const char* kTunnelText = "tunnels of nodes";
inline constexpr const char* kFailsafeText = "failsafe port";
/// Filter: judges what the host gets.
inline constexpr const char* kInputHost = "polecat-input-host";
/// Filter: what a forwarded packet meets after the incoming interface's host endpoint.
inline constexpr const char* kOnward = "polecat-onward";
/// Filter: the programs of `polecat-raw-in`, asked of packets that are forwarded.
inline constexpr const char* kRawThrough = "polecat-raw-through";

class HostFrame {
  public:
    HostFrame(const Frame& settings, net::Family family, const HostChainOf& chain_of)
        : settings_(settings), family_(family), chain_of_(chain_of) {}

    bool uses(const HostStage& stage) const;
    /// With programs of some of these hooks; "*" stands for itself.
    std::set<std::string> interfaces_at(std::initializer_list<decision::Hook> hooks) const;
    /// The rule once for each interface that a program of the stage governs.
    void for_interfaces(std::vector<Rule>& rules, const HostStage& stage, const Rule& rule) const;

    std::vector<Chain> run();

  private:
    void chain(std::string name, In table, std::vector<Rule> rules) {
        out_.push_back({std::move(name), std::move(rules), table});
    }
    void add_stage(const HostStage& stage, In table, bool through);
    void add_tunnels(std::vector<Rule>& rules, bool incoming) const;
    void add_failsafes(std::vector<Rule>& rules, const HostStage& stage) const;
    void add_taken(std::vector<Rule>& rules, const HostStage& stage) const;
    void add_programs(std::vector<Rule>& rules, const HostStage& stage, In table,
                      bool through) const;
    void add_early();
    void add_input();
    void add_output();
    void add_ends();

    const Frame& settings_;
    net::Family family_;
    const HostChainOf& chain_of_;
    std::vector<Chain> out_;
};

/// Where else programs of the stage are asked.
struct AskedAgain {
    In table = In::Filter;
    bool through = false;
};
std::vector<AskedAgain> asked_again(const Frame& settings, const HostStage& stage);

} // namespace polecat::iptables
