/// UDP at a high rate between the hosts of a lab, counted by the kernel where it arrives, so that
/// one packet lost or let through in millions is seen.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "runtime/lab/lab.h"
#include "runtime/lab/packets.h"

namespace polecat::runtime {

/// What is sent over and over. It is counted by its label, which stands where UDP has its checksum.
struct Stream {
    std::size_t from = 0; ///< host
    PacketSpec spec;
    std::uint16_t label = 1;        ///< not 0
    std::uint16_t source_ports = 1; ///< in turn, from that of `spec`
};

using PacketCounts = std::map<std::uint16_t, std::uint64_t>; ///< by label

class Traffic {
  public:
    Traffic(Lab& lab, std::size_t packets_per_second);
    ~Traffic();
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// Counts at the hosts that have come, and lets the node learn where they are.
    Result<bool> watch_hosts();
    /// Sends these from now on. What was sent before is out when this returns.
    Result<bool> send(const std::vector<Stream>& streams);
    /// Of all hosts, since the beginning.
    Result<PacketCounts> arrived() const;
    PacketCounts sent() const; ///< while nothing is sent

  private:
    struct Sender;
    Lab& lab_;
    std::size_t watched_ = 0;
    std::unique_ptr<Sender> sender_;
};

/// Packets that this machine's own queues have dropped, whoever sent them.
std::uint64_t dropped_by_machine();

} // namespace polecat::runtime
