/// Whether packets meet in a kernel what the policy says: a node's rules in network namespaces of
/// their own, its pods and an outside network around them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/try/tried_rules.h"
#include "ir/decision/lowered.h"
#include "ir/path/path.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/packets.h"

namespace polecat::driver {

/// One packet that is sent, and what became of it.
struct Trial {
    runtime::PacketSpec packet;
    std::string question; ///< "shop/web -> shop/db 80/TCP"
    bool allowed = false; ///< as the policy has it
    bool arrived = false;

    bool is_as_predicted() const { return allowed == arrived; }
};

/// The first node that a pod of its own network is on; empty: there is none.
std::string first_node_with_pods(const decision::LoweredCluster& cluster);

/// Whether the packet is let through, asked as it goes over the wire.
ir::PathQuery query_of(const runtime::PacketSpec& packet);

class Experiment {
  public:
    /// All must outlive this. `ports`: "80/TCP", what each end sends to each.
    Experiment(const decision::LoweredCluster& cluster, const backends::NodeImage& image,
               TriedRules& rules, std::vector<std::string> ports)
        : cluster_(cluster), image_(image), rules_(rules), ports_(std::move(ports)) {}

    /// Enters the namespaces and loads the rules. This process stays there.
    Result<bool> prepare();
    /// Every packet that send() sends. Of what was prepared.
    std::vector<Trial> plan() const;
    Result<bool> send(std::vector<Trial>& trials);

  private:
    Result<bool> add_hosts();
    std::string name_at(const net::Address& address) const;
    bool is_allowed(const runtime::PacketSpec& packet) const;

    const decision::LoweredCluster& cluster_;
    const backends::NodeImage& image_;
    TriedRules& rules_;
    std::vector<std::string> ports_;
    std::optional<runtime::Lab> lab_;
    std::map<net::Address, std::size_t> host_of_;
};

} // namespace polecat::driver
