/// A compiled cluster on the lab's node: endpoints as hosts, rules loaded, flows sent and judged.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>

#include "backends/nftables/plan.h"
#include "backends/node/build.h"
#include "backends/node/numbers.h"
#include "ir/path/path.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/packets.h"
#include "tests/random_cluster.h"

namespace polecat::kernel_test {

using runtime::PacketSpec;

/// Whether this process may make namespaces. Says loudly when not; on CI that is a failure.
bool may_run();

/// Services before pods a and b of every namespace of a random cluster, for both families; and the
/// last part of the addresses of one.
std::string services(std::size_t namespaces);
std::string service_number(std::size_t space, bool second);

class Node {
  public:
    /// How rules of what is compiled get into the kernel.
    using Loader = std::function<void(const Node&)>;
    /// Manifests whose pods are all on node0. `outside`: addresses beyond the node. Without
    /// `loader` the rules are nftables'.
    Node(const std::string& manifests, const std::vector<std::string>& outside,
         backends::Generation first = {}, Loader loader = {},
         const backends::NodeOptions& options = {});

    /// Compiles other manifests of the same endpoints and switches to them.
    void change_policy(const std::string& manifests, backends::Generation next);
    /// Other manifests by a plan, numbered as those before. `after_step` runs after each step.
    backends::Plan change_by_plan(const std::string& manifests,
                                  const std::function<void()>& after_step = {});
    /// The same bit by bit: a plan to other manifests, whose verdicts are expected from now on;
    /// a step of it; the end of it.
    backends::Plan prepare(const std::string& manifests);
    /// Other manifests, whose verdicts are expected from now on; no rule changes.
    void expect(const std::string& manifests);
    void take(const backends::Plan::Step& step);
    void finish(const backends::Plan& plan);
    /// Deletes connections of these addresses.
    static void forget(const std::vector<net::Address>& addresses);
    /// Hosts for the endpoints that have none yet.
    void add_hosts();
    /// What the kernel lists reads back as the image that was loaded.
    bool kernel_agrees() const;
    std::size_t host_of(const net::Address& address) const;
    bool knows(const net::Address& address) const { return host_by_address_.contains(address); }

    /// Sends; true when it arrived at the host that has `arrives`. `forward`: not awaited yet.
    bool passes(PacketSpec spec, const net::Address& arrives);
    decision::Verdict expected(const PacketSpec& spec) const;

    /// DNAT rules for the services' addresses, as kube-proxy would write them if it always chose
    /// the first backend; every second service is masqueraded. expected() then follows them.
    void serve();
    /// Where a packet to that address and port ends up.
    net::Address server_of(const PacketSpec& spec) const;
    /// Packets that a rule with this comment has counted.
    std::uint64_t counted(const std::string& chain, const std::string& comment) const;

    runtime::Lab lab;
    testing::RandomCluster cluster;
    backends::NodeImage image;
    backends::Generation generation;
    std::uint64_t next_nonce = 1;

  private:
    void compile(const std::string& manifests);
    void load() const;
    void add_host(const std::string& interface, const std::vector<net::Address>& addresses);
    nft::Ruleset listed() const;
    Loader loader_;
    backends::NodeOptions options_;
    void keep_first_backends();
    bool serves_ = false;
    backends::Numbers numbers_;
    std::map<net::Address, std::size_t> host_by_address_;
    /// By address, protocol and port of a service.
    std::map<std::tuple<net::Address, net::Protocol, std::uint16_t>, net::Address>
        server_by_service_;
};

net::Address address(const std::string& text);
/// What eval says of a packet on the wire.
decision::Verdict verdict_of(const decision::LoweredCluster& cluster, const PacketSpec& spec);
/// Addresses of the node's endpoints.
std::vector<net::Address> endpoints_of(const backends::NodeImage& image);

} // namespace polecat::kernel_test
