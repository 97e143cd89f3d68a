/// Where two images of a node make something else of packets. Numbers, names and the order of what
/// is in them mean nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/node/node_image.h"

namespace polecat::driver {

/// What a packet shows beside its addresses. `value`: as in decision::L4Key.
struct PacketShape {
    net::Protocol protocol = net::kTcp;
    std::uint16_t source_port = 0, value = 0;
};

/// What one of the two makes of a packet.
struct Decided {
    backends::Outcome outcome = backends::Outcome::Deny;
    std::string program;
    /// nullopt: no rule decides, as the address or the packet is none that the program knows.
    std::optional<std::uint32_t> slot;
    std::size_t logs = 0; ///< lines in the log
    std::string by;       ///< the rule, for people; filled by verify()
};

/// A flow that an endpoint treats otherwise.
struct FlowDifference {
    decision::Hook hook = decision::Hook::Normal;
    decision::Direction direction = decision::Direction::Ingress;
    net::Address source, destination;
    std::string source_name, destination_name; ///< of endpoints; filled by verify()
    PacketShape packet;
    Decided rules, policy;

    bool opens() const {
        return rules.outcome != backends::Outcome::Deny &&
               policy.outcome == backends::Outcome::Deny;
    }
};

struct Difference {
    std::string interface; ///< empty: a setting of the node
    std::string what;      ///< where there is no flow to name
    std::optional<FlowDifference> flow;
};

/// One of each endpoint's address, hook and direction that differs; one that is open and should not
/// be, where there is such. Empty: every packet meets the same.
std::vector<Difference> differences(const backends::NodeImage& rules,
                                    const backends::NodeImage& policy);

} // namespace polecat::driver
