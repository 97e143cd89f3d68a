/// What `polecat try` sends between two ends, where nobody says: what tells rules apart.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "backends/node/node_image.h"

namespace polecat::driver {

/// TCP, UDP or SCTP to a port.
using Probe = decision::L4Key;
using Probes = std::set<Probe>;

class NodeProbes {
  public:
    /// The image must outlive this.
    explicit NodeProbes(const backends::NodeImage& image);

    /// From one address to another. Of ports that rules of either end treat alike the first and the
    /// last. Where an end is no workload of the node, programs of its host endpoints and failsafe
    /// ports count as well.
    Probes between(const net::Address& from, const net::Address& to) const;

  private:
    void add_program(const std::string& name, Probes& out) const;

    const backends::NodeImage& image_;
    std::map<net::Address, const backends::EndpointGroup*> groups_;
};

/// "80/TCP".
std::string to_string(const Probe& probe);

} // namespace polecat::driver
