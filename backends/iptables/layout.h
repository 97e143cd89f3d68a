/// Names that emit() and read_back() of the iptables backend share. docs/iptables.md has the map.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/net/address.h"

namespace polecat::iptables::filter_layout {

/// "polecat4-": sets of IPv4.
inline std::string name(const std::string& what, net::Family family) {
    return what + (family == net::Family::V4 ? "4-" : "6-");
}
/// All addresses of pods with their interfaces.
inline std::string pods_set(net::Family family) {
    return name("polecat", family) + "pods";
}
/// Those that run a program.
inline std::string runs_set(const std::string& program, bool egress, net::Family family) {
    return name("polecat", family) + (egress ? "from-" : "to-") + program;
}
/// "polecat-p0123456789ab-0": a stage; with an `r` for replies.
inline std::string stage_chain(const std::string& program, std::size_t stage, bool reply) {
    return "polecat-" + program + "-" + std::to_string(stage) + (reply ? "r" : "");
}
/// At most 29 characters.
inline std::string log_prefix(const std::string& program, std::uint32_t slot) {
    return "polecat " + program + "/" + std::to_string(slot % 1000000) + " ";
}
/// What may stand between quotes and in a remark.
inline std::string plain_text(std::string_view text, std::size_t most) {
    std::string out;
    for (const char each : text.substr(0, most))
        out += each == '"' ? '\'' : each == '\\' || each < ' ' || each > '~' ? '?' : each;
    return out;
}

} // namespace polecat::iptables::filter_layout
