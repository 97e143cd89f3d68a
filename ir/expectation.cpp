#include "ir/expectation.h"

#include <fmt/format.h>

namespace polecat::expectation {

std::string to_string(const Traffic& traffic) {
    std::string protocol = net::to_string_protocol(traffic.protocol);
    if (traffic.port)
        return fmt::format("{}/{}", *traffic.port, protocol);
    if (!traffic.icmp_type)
        return protocol;
    return fmt::format("{} {}{}", protocol, *traffic.icmp_type,
                       traffic.icmp_code ? fmt::format("/{}", *traffic.icmp_code) : "");
}

} // namespace polecat::expectation
