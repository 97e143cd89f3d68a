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
/// Other nodes, which tunnels lead to.
inline std::string peers_set(net::Family family) {
    return name("polecat", family) + "peers";
}
/// Those that run a program.
inline std::string runs_set(const std::string& program, bool egress, net::Family family) {
    return name("polecat", family) + (egress ? "from-" : "to-") + program;
}
/// How a program is asked: of a flow's own packets; of those that answer; as untracked policy once
/// more, of packets that are forwarded.
enum class Form : std::uint8_t { Plain, Reply, Through };
/// "polecat-p0123456789ab-0": a stage; with an `r` for replies, a `t` for Through. A long one is
/// several chains: `part` of them, "polecat-p0123456789ab-0.1f". At most 28 characters, as fits()
/// has no stage after 9.
inline std::string stage_chain(const std::string& program, std::size_t stage, Form form,
                               std::size_t part = 0) {
    constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqsuvwxyz"; // no r, no t
    std::string number;
    for (std::size_t left = part; left > 0; left /= kDigits.size())
        number.insert(number.begin(), kDigits[left % kDigits.size()]);
    return "polecat-" + program + "-" + std::to_string(stage) + (number.empty() ? "" : ".") +
           number +
           (form == Form::Reply     ? "r"
            : form == Form::Through ? "t"
                                    : "");
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
