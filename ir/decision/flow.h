/// A flow: one connection attempt, as programs see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/decision/world.h"
#include "ir/net/address.h"
#include "ir/net/protocol.h"

namespace polecat::decision {

/// An end of a flow. A Deployment has objects and no address; an outside host an address and no
/// objects; a pod has both. `objects` are the endpoints that hold the address (or the one asked
/// about); network sets are found by address.
struct End {
    std::vector<ObjectId> objects;
    std::optional<net::Address> address;
};

struct Flow {
    End source, destination;
    net::Family family = net::Family::V4;
    net::Protocol protocol = net::kTcp;
    /// Absent: not known (any). A rule that reads it is then neither matched nor not matched.
    std::optional<std::uint16_t> source_port;
    std::optional<std::uint16_t> destination_port;
    std::optional<std::uint8_t> icmp_type, icmp_code;
    struct Http {
        std::string method, path;
    };
    std::optional<Http> http;
};

/// The end that an address is: the endpoints of the world that hold it.
End end_of(const World& world, const net::Address& address);

} // namespace polecat::decision
