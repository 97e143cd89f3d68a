/// What a node's BPF classifier is given, as one file: the tables that it reads, and what they do
/// not say themselves (names, interfaces, settings of the rules around it). docs/bpf.md has the
/// format. Little-endian whatever machine writes it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/net/address.h"
#include "ir/policy/objects.h"
#include "support/result.h"

namespace polecat::bpf {

struct Image {
    struct Program {
        std::string name;
        std::uint32_t line = 0; ///< in `tables`
        auto operator<=>(const Program&) const = default;
    };
    /// Endpoints that run the same programs; their places in `programs`.
    struct Group {
        std::uint32_t number = 0, egress = 0, ingress = 0;
        auto operator<=>(const Group&) const = default;
    };
    /// Addresses of an interface; the group's place in `groups`.
    struct Endpoint {
        std::string interface;
        net::Range range;
        std::uint32_t group = 0;
        auto operator<=>(const Endpoint&) const = default;
    };
    struct LogRate {
        std::uint32_t packets = 0;
        std::string unit;
        std::uint32_t burst = 0;
        auto operator<=>(const LogRate&) const = default;
    };

    std::vector<std::uint32_t> tables; ///< whole lines (artefact/bpf/layout.h)
    /// Numbers of identities, by the place that tables call them by.
    std::vector<std::uint32_t> identities4, identities6;
    std::vector<Program> programs;
    std::vector<Group> groups;
    std::vector<Endpoint> endpoints;     ///< one address each
    std::vector<Endpoint> other_sources; ///< what they may send from besides
    std::vector<std::string> interface_prefixes;
    policy::HostAction to_host = policy::HostAction::Drop;
    std::optional<std::uint16_t> dropped_vxlan_port;
    bool drops_ipip = true, drops_invalid = true, rejects = false;
    std::optional<LogRate> log_rate;
    bool operator==(const Image&) const = default;
};

/// A word of tables that are in use, and what it says from now on.
struct WordChange {
    std::uint32_t word = 0, value = 0;
    auto operator<=>(const WordChange&) const = default;
};

std::string write(const Image& image);
/// A file that is cut off, altered, or of another version is an error; whatever else it says is not
/// believed either: read_back() looks at that.
Result<Image> read(std::string_view bytes);

/// CRC-32 as in IEEE 802.3.
std::uint32_t crc32(std::string_view bytes);

} // namespace polecat::bpf
