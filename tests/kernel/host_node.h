/// A node with host endpoints, and the packets that its host gets and sends; whatever judges.
#pragma once

#include "runtime/lab/node_sockets.h"
#include "tests/kernel/node.h"

namespace polecat::kernel_test {

inline const char* const kHostAddress = "192.168.7.1";
inline const char* const kHostAddress6 = "fd00:7::1";
/// Beyond the node's interface to the network.
inline const char *const kNear = "203.0.113.7", *const kFar = "203.0.113.170";
inline const char *const kNear6 = "2001:db8:9::1", *const kFar6 = "2600::1";

class HostNode {
  public:
    explicit HostNode(const std::string& manifests, Node::Loader loader = {});
    /// The number by which the packet is known.
    std::uint64_t send(PacketSpec spec);
    bool arrived(const PacketSpec& spec, std::uint64_t nonce, int milliseconds = 20);
    bool passes(const PacketSpec& spec) { return arrived(spec, send(spec)); }

    Node node;

  private:
    runtime::NodeSockets sockets_;
};

PacketSpec spec_of(const std::string& from, const std::string& to, net::Protocol protocol,
                   std::uint16_t port, std::uint16_t source_port = 40000);

struct HostTally {
    std::size_t flows = 0, allowed = 0;
};
/// A random cluster with random policy of a host endpoint: packets of both families to, from and
/// through the host, and each verdict must be that of eval.
void check_random_host(std::uint64_t seed, const Node::Loader& loader, HostTally& tally);
/// Seeds as POLECAT_KERNEL_FIRST and POLECAT_KERNEL_SEEDS have them.
void check_random_hosts(const char* target, std::size_t usual_seeds,
                        const std::function<Node::Loader(std::uint64_t seed)>& loader_of);

/// Namespace and pod of the checks below.
std::string host_manifests();
void check_failsafe_ports(const Node::Loader& loader);
void check_answers_of_hosts(const Node::Loader& loader);
void check_untracked_by_others(const Node::Loader& loader);
/// Host endpoints that come and go judge flows that are there. `change`: to other manifests.
void check_hosts_that_come(
    const Node::Loader& loader,
    const std::function<void(HostNode&, const std::string& manifests)>& change);

/// What preDNAT policy of before took counts for nothing once the interface has none.
void check_taken_before(const Node::Loader& loader,
                        const std::function<void(HostNode&, const std::string& manifests)>& change);

} // namespace polecat::kernel_test
