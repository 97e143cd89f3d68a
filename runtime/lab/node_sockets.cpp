#include "runtime/lab/node_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/lab/packets.h"

namespace polecat::runtime {

namespace {

constexpr std::array kNodeProtocols{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

/// Sockets of IPv6 get packets without their header.
std::string with_header(const std::string& payload, int protocol) {
    std::string out(40, '\0');
    out[0] = 0x60;
    out[4] = static_cast<char>(payload.size() >> 8);
    out[5] = static_cast<char>(payload.size() & 0xff);
    out[6] = static_cast<char>(protocol);
    return out + payload;
}

} // namespace

NodeSockets::NodeSockets() {
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        sockets_[i] = socket(i < kNodeProtocols.size() ? AF_INET : AF_INET6,
                             SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             kNodeProtocols[i % kNodeProtocols.size()]);
}

NodeSockets::~NodeSockets() {
    for (const int each : sockets_)
        close(each);
}

void NodeSockets::send(const std::string& packet, const net::Address& to) const {
    const bool v6 = to.family == net::Family::V6;
    const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    sockaddr_in where4{};
    where4.sin_family = AF_INET;
    sockaddr_in6 where6{};
    where6.sin6_family = AF_INET6;
    const std::string raw = address_bytes(to);
    std::copy(raw.begin(), raw.end(),
              v6 ? reinterpret_cast<char*>(&where6.sin6_addr)
                 : reinterpret_cast<char*>(&where4.sin_addr));
    const auto* where =
        v6 ? reinterpret_cast<sockaddr*>(&where6) : reinterpret_cast<sockaddr*>(&where4);
    (void)!sendto(fd, packet.data(), packet.size(), 0, where, v6 ? sizeof where6 : sizeof where4);
    close(fd);
}

void NodeSockets::collect() {
    char buffer[2048];
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        for (ssize_t got; (got = recv(sockets_[i], buffer, sizeof buffer, 0)) > 0;) {
            std::string packet(buffer, static_cast<std::size_t>(got));
            if (i >= kNodeProtocols.size())
                packet = with_header(packet, kNodeProtocols[i - kNodeProtocols.size()]);
            if (const auto nonce = find_nonce(packet))
                seen_.insert(*nonce);
        }
}

} // namespace polecat::runtime
