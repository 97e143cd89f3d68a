/// `polecat verify --prove`: Z3 is asked whether a node's rules judge a packet otherwise than the
/// policy's programs do. Programs are asked as eval means them, tables and chains as the kernel
/// reads them: neither identities nor tables of the policy are made for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "backends/node/node_image.h"
#include "driver/verify/verify.h"
#include "ir/decision/lowered.h"

namespace polecat::driver {

/// Of pairs: a program of the policy, and what stands for it where endpoints run it.
struct NodeProof {
    std::size_t proved = 0;              ///< no packet is judged otherwise
    std::size_t closed = 0;              ///< too large to be said: nothing is let through
    std::size_t unknown = 0;             ///< Z3's limit of steps was reached
    std::vector<Difference> differences; ///< a packet of each that is

    NodeVerdict::Proof counts() const { return {proved, differences.size(), closed, unknown}; }
};

class Prover {
  public:
    /// The cluster must outlive this.
    explicit Prover(const decision::LoweredCluster& cluster);
    ~Prover();

    /// Whose programs are asked about: of BPF tables have those of workloads, chains the others.
    enum class Of : std::uint8_t { All, Workloads, HostEndpoints };

    /// Throws smt::Disagreement where eval does not confirm what Z3 found.
    NodeProof prove(const std::string& node, const backends::NodeImage& rules, Of of = Of::All);
    /// Of chains in a file or a listing.
    NodeProof prove(const std::string& node, const iptables::Ruleset& rules, Of of = Of::All);

  private:
    struct State;
    class NodeProver;
    std::unique_ptr<State> state_;
};

} // namespace polecat::driver
