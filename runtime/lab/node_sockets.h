/// What the machine itself sends and gets, in the namespace that this process is in: packets made
/// by hand, known by their numbers.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "ir/net/address.h"

namespace polecat::runtime {

class NodeSockets {
  public:
    NodeSockets();
    ~NodeSockets();
    NodeSockets(const NodeSockets&) = delete;
    NodeSockets& operator=(const NodeSockets&) = delete;

    /// One whole IP packet. Where a rule drops it, it is gone.
    void send(const std::string& packet, const net::Address& to) const;
    /// Takes what arrived of TCP, UDP and SCTP.
    void collect();
    bool has_seen(std::uint64_t nonce) const { return seen_.contains(nonce); }

  private:
    std::array<int, 6> sockets_{}; ///< a protocol each, of IPv4, then of IPv6
    std::set<std::uint64_t> seen_;
};

} // namespace polecat::runtime
