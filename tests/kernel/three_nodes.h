/// Three nodes with pods, services and kube-proxy's rules, in the kernel and as manifests: what
/// source and destination does policy see of a packet, and what does `ir::judge_flow` say?
#pragma once

#include <string>

#include "ir/decision/eval.h"
#include "runtime/lab/fabric.h"
#include "tests/random_cluster.h"

namespace polecat::kernel_test {

struct Setting {
    bool tunnel = false; ///< between the nodes, VXLAN in the manifests
    bool nat_outgoing = true;
    std::string external = "Cluster", internal = "Cluster"; ///< traffic policies
    bool knows_pods = true; ///< kube-proxy knows the range of pods (--cluster-cidr)
};

/// n1 has the pods `web` (behind service web: 80 to 8080, node port 30080) and `near`, and the
/// program of service host (90 to 9090, node port 30090) in its own network; n2 has the pod `far`;
/// n3 has none.
class ThreeNodes {
  public:
    explicit ThreeNodes(const Setting& setting);

    /// Lets packets from outside to services' addresses come in at that node.
    void enter_at(const std::string& node);
    /// Sends a packet and says what policy at its destination saw: "source destination port", or
    /// "" for one that never came.
    std::string sees(const std::string& from, const std::string& to, std::uint16_t port);
    /// The same question to judge_flow, with ingress policy of that rule at the destination.
    decision::Verdict judged(const std::string& from, const std::string& to, std::uint16_t port,
                             const std::string& rules) const;
    /// Whether that port leads to the program of n1 itself.
    static bool is_for_host(std::uint16_t port);

  private:
    std::string manifests() const;
    void load_rules(std::size_t node);

    Setting setting_;
    runtime::Fabric fabric_;
    std::map<std::string, runtime::Fabric::Machine> machines_;
};

inline const std::string kClusterAddress = "10.96.0.10", kHostClusterAddress = "10.96.0.20",
                         kExternalAddress = "198.51.100.50", kBalancerAddress = "198.51.100.40";

} // namespace polecat::kernel_test
