/// Whether packets meet in a kernel what the policy says: a node's rules in network namespaces of
/// their own, its pods and an outside network around them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/try/probes.h"
#include "driver/try/tried_rules.h"
#include "ir/decision/lowered.h"
#include "ir/path/path.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/node_sockets.h"
#include "runtime/lab/packets.h"

namespace polecat::driver {

/// One packet that is sent, and what became of it.
struct Trial {
    runtime::PacketSpec packet;
    std::string from, to, traffic; ///< "shop/web", "shop/db", "80/TCP"
    bool allowed = false;          ///< as the policy has it
    bool arrived = false;

    bool is_as_predicted() const { return allowed == arrived; }
};

struct Trials {
    std::vector<Trial> all;
    std::size_t possible = 0; ///< of which these are so many evenly
    /// Left out, as manifests do not say what becomes of them.
    std::size_t not_known = 0;
};

/// The first node that a pod of its own network is on; empty: there is none.
std::string first_node_with_pods(const decision::LoweredCluster& cluster);

/// Whether the packet is let through, asked as it goes over the wire.
ir::PathQuery query_of(const runtime::PacketSpec& packet);

/// How far something that takes long has come.
using Progress = std::function<void(const char* what, std::size_t done, std::size_t of)>;

class Experiment {
  public:
    /// All must outlive this. `probes`: what each end sends to each; none: what tells rules apart.
    Experiment(const decision::LoweredCluster& cluster, const std::string& node,
               const backends::NodeImage& image, TriedRules& rules, Probes probes,
               Progress progress);

    /// Of workloads, of the network around the node, and of the node itself where host endpoints
    /// say which those are.
    std::size_t workloads() const { return image_.dispatch.size(); }
    bool tries_node() const { return !own_.empty(); }

    /// Enters the namespaces and loads the rules. This process stays there.
    Result<bool> prepare();
    /// Every packet that send() sends, or `most` of them. Of what was prepared.
    Trials plan(std::size_t most) const;
    Result<bool> send(std::vector<Trial>& trials);

  private:
    struct End {
        net::Address address;
        std::optional<std::size_t> host; ///< absent: the node itself
        bool is_outside = false;
    };
    struct Question {
        const End *from, *to;
        Probe probe;
    };
    std::vector<Question> questions() const;
    std::optional<Trial> trial_of(const Question& question) const;
    Result<bool> add_hosts();
    Result<bool> add_host(const std::string& interface, const std::vector<net::Address>& addresses,
                          bool is_outside);
    std::string name_at(const End& end) const;
    bool send_packet(const runtime::PacketSpec& packet);
    bool has_arrived(const runtime::PacketSpec& packet) const;
    void collect(int milliseconds);
    /// Waits for all; sends those once more that should have arrived, as a kernel may give up
    /// packets while it looks for neighbours. What rules drop is dropped again.
    Result<bool> conclude(std::vector<Trial>& trials);

    const decision::LoweredCluster& cluster_;
    const backends::NodeImage& image_;
    TriedRules& rules_;
    Probes probes_;
    Progress progress_;
    std::map<net::Address, std::string> own_; ///< addresses of the node: an interface
    std::optional<runtime::Lab> lab_;
    std::optional<runtime::NodeSockets> node_;
    std::map<net::Address, End> ends_;
};

} // namespace polecat::driver
