/// A node in a network namespace of its own: pods and an outside network on veth links, as Calico
/// lays them out. Needs root or user namespaces; nothing outside of the process is touched.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/net/address.h"
#include "support/result.h"

namespace polecat::runtime {

/// A namespace with one interface, held by its file descriptor.
struct Host {
    int ns = -1;
    int capture = -1;         ///< packet socket on its interface
    int raw4 = -1, raw6 = -1; ///< what it sends by
    std::string interface;    ///< the node's end of the link
    std::vector<net::Address> addresses;
    std::map<std::uint64_t, std::string> seen; ///< packets that arrived, by their number
    std::set<std::uint64_t> errors;            ///< numbers of packets that errors quoted
};

class Lab {
  public:
    /// Enters new namespaces. An error says what the kernel or the caller's rights lack.
    static Result<bool> enter();

    Lab();
    ~Lab();
    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;

    /// Adds a host behind the node's interface; `gateway`: it routes everything through the node.
    Result<std::size_t> add_host(const std::string& interface,
                                 const std::vector<net::Address>& addresses);
    /// The node's own address on that link (for traffic with the gateway).
    void give_node(const net::Address& address, const std::string& interface);

    /// The node and that host need not look for each other by IPv6, which policy may forbid them.
    Result<bool> know_neighbours(std::size_t host);

    /// Sends one whole IP packet from a host; false when its kernel refuses to.
    bool send(std::size_t host, const std::string& packet, const net::Address& to);
    /// Takes what arrived at every host into Host::seen.
    void collect(int milliseconds);
    bool has_seen(std::size_t host, std::uint64_t nonce) const;
    /// An ICMP error that quotes that packet.
    bool has_error(std::size_t host, std::uint64_t nonce) const;

    std::vector<Host> hosts;

  private:
    int node_ = -1;
    int holder_ = -1; ///< a process in the node's namespace, which `ip` moves links to
};

/// Runs `ip` in a namespace.
Result<bool> ip(int ns, const std::vector<std::string>& arguments);

} // namespace polecat::runtime
