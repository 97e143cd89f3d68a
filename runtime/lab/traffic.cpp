#include "runtime/lab/traffic.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "runtime/lab/namespace.h"
#include "runtime/nft.h"

namespace polecat::runtime {

namespace {

constexpr std::size_t kBurst = 8; ///< packets of a stream in one call

/// Before anything else of the host has them.
constexpr const char* kCounters = R"(table inet arrivals {
    set seen {
        typeof udp checksum
        size 65535
        flags dynamic
    }
    chain arrive {
        type filter hook prerouting priority -400
        meta l4proto udp update @seen { udp checksum counter } drop
    }
}
)";

/// One stream's packets, ready for sendmmsg().
struct Prepared {
    int socket = -1;
    std::uint16_t label = 0;
    sockaddr_ll to{};
    std::vector<std::string> packets;
    std::array<iovec, kBurst> parts{};
    std::array<mmsghdr, kBurst> messages{};

    void point() {
        for (std::size_t i = 0; i < kBurst; ++i) {
            std::string& packet = packets[i % packets.size()];
            parts[i] = {packet.data(), packet.size()};
            messages[i] = {};
            messages[i].msg_hdr.msg_name = &to;
            messages[i].msg_hdr.msg_namelen = sizeof to;
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
    }
};

/// The node's end of a host's link.
std::array<unsigned char, 8> hardware_address(const std::string& interface) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    ioctl(fd, SIOCGIFHWADDR, &request);
    close(fd);
    std::array<unsigned char, 8> out{};
    std::memcpy(out.data(), request.ifr_hwaddr.sa_data, ETH_ALEN);
    return out;
}

/// From the node itself, which asks for the neighbour first.
void greet(const net::Address& address) {
    const bool v6 = address.family == net::Family::V6;
    const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string raw = address_bytes(address);
    sockaddr_in to4{};
    sockaddr_in6 to6{};
    to4.sin_family = AF_INET;
    to6.sin6_family = AF_INET6;
    to4.sin_port = to6.sin6_port = htons(9);
    std::memcpy(v6 ? static_cast<void*>(&to6.sin6_addr) : &to4.sin_addr, raw.data(), raw.size());
    (void)sendto(fd, "", 1, 0,
                 v6 ? reinterpret_cast<sockaddr*>(&to6) : reinterpret_cast<sockaddr*>(&to4),
                 v6 ? sizeof to6 : sizeof to4);
    close(fd);
}

} // namespace

struct Traffic::Sender {
    explicit Sender(std::size_t rate) : per_second(rate), thread([this] { run(); }) {}
    ~Sender() {
        quit = true;
        thread.join();
        for (const auto& [host, fd] : sockets)
            close(fd);
    }

    void run() {
        std::uint64_t taken = 0, packets = 0;
        auto start = std::chrono::steady_clock::now();
        while (!quit) {
            if (const std::uint64_t newest = asked; newest != taken) {
                current = std::move(next);
                taken = newest;
                given = newest;
            }
            if (current.empty()) {
                std::this_thread::sleep_for(std::chrono::microseconds(200));
                continue;
            }
            for (Prepared& each : current) {
                const int done = sendmmsg(each.socket, each.messages.data(), kBurst, 0);
                counts[each.label] += static_cast<std::uint64_t>(std::max(done, 0));
                packets += kBurst;
            }
            const auto due = start + std::chrono::microseconds(packets * 1'000'000 / per_second);
            const auto now = std::chrono::steady_clock::now();
            if (due > now)
                std::this_thread::sleep_until(due);
            else if (now - due > std::chrono::milliseconds(50)) { // others had the processor
                start = now;
                packets = 0;
            }
        }
    }

    /// The thread takes `next` when it sees another number asked for, and gives it back.
    void replace(std::vector<Prepared> streams) {
        next = std::move(streams);
        for (Prepared& each : next)
            each.point();
        ++asked;
        while (given != asked)
            std::this_thread::sleep_for(std::chrono::microseconds(100));
    }

    std::size_t per_second;
    std::map<std::size_t, int> sockets; ///< by host
    std::vector<Prepared> next, current;
    std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(65536);
    std::atomic<std::uint64_t> asked = 0, given = 0;
    std::atomic<bool> quit = false;
    std::thread thread;
};

Traffic::Traffic(Lab& lab, std::size_t packets_per_second)
    : lab_(lab), sender_(std::make_unique<Sender>(packets_per_second)) {}

Traffic::~Traffic() = default;

Result<bool> Traffic::watch_hosts() {
    for (; watched_ < lab_.hosts.size(); ++watched_) {
        const Host& host = lab_.hosts[watched_];
        const Inside inside(host.ns);
        if (const auto loaded = nft_load(kCounters); !loaded)
            return Error{loaded.error()};
        const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return failed("no packet socket");
        sender_->sockets[watched_] = fd;
    }
    for (const Host& host : lab_.hosts)
        for (const net::Address& address : host.addresses)
            greet(address);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return true;
}

Result<bool> Traffic::send(const std::vector<Stream>& streams) {
    std::vector<Prepared> out;
    for (const Stream& stream : streams) {
        Prepared& made = out.emplace_back();
        made.socket = sender_->sockets.at(stream.from);
        made.label = stream.label;
        const bool v6 = stream.spec.source.family == net::Family::V6;
        made.to.sll_family = AF_PACKET;
        made.to.sll_protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
        made.to.sll_halen = ETH_ALEN;
        const auto hardware = hardware_address(lab_.hosts[stream.from].interface);
        std::copy(hardware.begin(), hardware.end(), made.to.sll_addr);
        {
            const Inside inside(lab_.hosts[stream.from].ns);
            made.to.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
        }
        for (std::uint16_t i = 0; i < stream.source_ports; ++i) {
            PacketSpec spec = stream.spec;
            spec.protocol = net::kUdp;
            spec.source_port = static_cast<std::uint16_t>(spec.source_port + i);
            std::string packet = make_packet(spec);
            const std::size_t checksum = (v6 ? 40 : 20) + 6;
            packet[checksum] = static_cast<char>(stream.label >> 8);
            packet[checksum + 1] = static_cast<char>(stream.label & 0xff);
            made.packets.push_back(std::move(packet));
        }
    }
    sender_->replace(std::move(out));
    return true;
}

PacketCounts Traffic::sent() const {
    PacketCounts out;
    for (std::size_t label = 0; label < sender_->counts.size(); ++label)
        if (sender_->counts[label] != 0)
            out[static_cast<std::uint16_t>(label)] = sender_->counts[label];
    return out;
}

Result<PacketCounts> Traffic::arrived() const {
    const std::string counter = " counter packets "; // between an element and its number
    PacketCounts out;
    for (std::size_t i = 0; i < watched_; ++i) {
        const Inside inside(lab_.hosts[i].ns);
        const auto listed = nft_list("arrivals");
        if (!listed)
            return Error{listed.error()};
        for (std::size_t at = listed->find(counter); at != std::string::npos;
             at = listed->find(counter, at + 1)) {
            const std::size_t label = listed->find_last_of(" \t", at - 1) + 1;
            out[static_cast<std::uint16_t>(std::stoul(listed->substr(label, at - label)))] +=
                std::stoull(listed->substr(at + counter.size(), 20));
        }
    }
    return out;
}

std::uint64_t dropped_by_machine() {
    std::ifstream file("/proc/net/softnet_stat");
    std::uint64_t out = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string processed, dropped;
        words >> processed >> dropped;
        out += std::stoull(dropped, nullptr, 16);
    }
    return out;
}

} // namespace polecat::runtime
