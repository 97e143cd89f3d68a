/// Several machines on one network, each in a network namespace without a name, with pods behind
/// them as Calico lays them out. Needs what Lab::enter() asks for.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/process.h"
#include "support/result.h"

namespace polecat::runtime {

class Fabric {
  public:
    using Machine = std::size_t;
    /// Source, destination and port of a packet.
    using Seen = std::tuple<std::string, std::string, std::uint16_t>;

    Fabric();
    ~Fabric();
    Fabric(const Fabric&) = delete;
    Fabric& operator=(const Fabric&) = delete;

    /// On the network, by its device eth0: "192.0.2.11/24".
    Result<Machine> add_machine(const std::string& address);
    /// Behind a machine.
    Result<Machine> add_pod(Machine node, const std::string& address);
    /// A second device, tun0, to the other machines that have one. It stands in for VXLAN and IPIP
    /// devices, which not every kernel has: what the kernel chooses as the source of a packet is
    /// the address of the device that it leaves by, whatever that device does with it.
    Result<bool> add_tunnel(Machine node, const std::string& address);
    /// `ip route replace ...` there.
    Result<bool> route(Machine machine, const std::vector<std::string>& arguments);
    /// `nft -f` there.
    Result<bool> load(Machine machine, const std::string& rules);

    /// Starts a program there that runs until the fabric is gone; what it prints goes to `log`.
    Result<bool> start(Machine machine, const std::vector<std::string>& arguments,
                       const std::string& log);
    /// Runs a program there to its end.
    Result<Output> run(Machine machine, const std::vector<std::string>& arguments) const;

    /// Starts to note what packets look like where policy judges them: in the filter hooks of
    /// packets that are forwarded and of those for the machine itself.
    Result<bool> watch(Machine node);
    /// UDP packets to that address seen there since the last call. Waits for the first one.
    std::vector<Seen> seen(Machine node, const std::string& destination, int milliseconds);
    /// One UDP packet; the kernel chooses its source.
    void send(Machine from, const std::string& to, std::uint16_t port);
    /// Whether a TCP connection comes about to a machine that listens there.
    bool connects(Machine from, Machine to, const std::string& address, std::uint16_t port,
                  int milliseconds);

  private:
    Result<Machine> add_namespace();
    Result<bool> link(Machine machine, const std::string& device, int other_ns,
                      const std::string& other_device);
    Result<bool> plug(Machine machine, const std::string& device, const std::string& bridge);

    int wire_ = -1; ///< the network: two bridges
    std::vector<int> machines_;
    std::vector<int> programs_; ///< process ids
    std::size_t devices_ = 0;
};

} // namespace polecat::runtime
