#include "runtime/lab/lab.h"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/lab/namespace.h"
#include "runtime/lab/packets.h"
#include "runtime/nft.h"
#include "runtime/process.h"

namespace polecat::runtime {

namespace {

int open_capture(const std::string& interface) {
    const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    static_cast<void>(bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where));
    const int size = 8 << 20;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/// For whole packets with their headers.
int open_raw(bool v6) {
    const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const int on = 1;
    setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_HDRINCL : IP_HDRINCL, &on, sizeof on);
    return fd;
}

Result<std::string> hardware_address(int ns, const std::string& interface) {
    const Inside inside(ns);
    const auto output = run_program({"ip", "-o", "link", "show", "dev", interface}, "");
    if (!output)
        return Error{output.error()};
    constexpr std::string_view kBefore = "link/ether ";
    const std::size_t at = output->out.find(kBefore);
    if (at == std::string::npos)
        return Error{"ip link show dev " + interface + ": " + output->error};
    return output->out.substr(at + kBefore.size(), 17);
}

/// Only tests speak for hosts: their kernels answer for neighbours and nothing else, no RST to a
/// SYN, no error.
constexpr const char* kSilence = R"(table inet silence {
    chain input {
        type filter hook input priority 0
        icmpv6 type 133-137 accept
        drop
    }
}
)";

} // namespace

Result<bool> ip(int ns, const std::vector<std::string>& arguments) {
    const Inside inside(ns);
    std::vector<std::string> all{"ip"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto output = run_program(all, "");
    if (!output)
        return Error{output.error()};
    if (output->exit_code != 0) {
        std::string text = "ip";
        for (const std::string& argument : arguments)
            text += " " + argument;
        return Error{text + ": " + output->error};
    }
    return true;
}

Result<bool> Lab::enter() {
    const auto uid = std::to_string(getuid()), gid = std::to_string(getgid());
    const bool root = getuid() == 0;
    if (unshare(root ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return failed("no network namespace of one's own");
    if (!root &&
        (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", "0 " + uid + " 1") ||
         !put("/proc/self/gid_map", "0 " + gid + " 1")))
        return failed("no user namespace");
    return true;
}

Lab::Lab() {
    unshare(CLONE_NEWNET); // each lab has a node of its own
    node_ = current_ns();
    holder_ = fork();
    if (holder_ == 0) {
        pause();
        _exit(0);
    }
    ip(node_, {"link", "set", "lo", "up"}).ok();
    // Proxy ARP answers for the pods' gateway where the node has a way to it.
    ip(node_, {"route", "add", "169.254.1.1/32", "dev", "lo"}).ok();
    put("/proc/sys/net/ipv4/ip_forward", "1");
    put("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    put("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    put("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
    put("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
    put("/proc/sys/net/netfilter/nf_conntrack_checksum", "0");
}

Lab::~Lab() {
    for (const Host& host : hosts) {
        for (const int fd : {host.capture, host.raw4, host.raw6, host.ns})
            close(fd);
    }
    kill(holder_, SIGKILL);
    waitpid(holder_, nullptr, 0);
    close(node_);
}

Result<std::size_t> Lab::add_host(const std::string& interface,
                                  const std::vector<net::Address>& addresses) {
    Host host;
    host.interface = interface;
    host.addresses = addresses;
    if (unshare(CLONE_NEWNET) != 0)
        return failed("no namespace for a host");
    host.ns = current_ns();
    put("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    setns(node_, CLONE_NEWNET);
    std::vector<std::pair<int, std::vector<std::string>>> steps{
        {host.ns, {"link", "add", "outer", "type", "veth", "peer", "name", "eth0"}},
        {host.ns, {"link", "set", "outer", "netns", std::to_string(holder_), "name", interface}},
        {host.ns, {"link", "set", "lo", "up"}},
        {host.ns, {"link", "set", "eth0", "up"}},
        {node_, {"link", "set", interface, "up"}},
        {node_, {"addr", "add", "fe80::1/64", "dev", interface, "nodad"}},
        {host.ns, {"route", "add", "169.254.1.1", "dev", "eth0"}},
        {host.ns, {"route", "add", "default", "via", "169.254.1.1", "dev", "eth0"}},
        {host.ns, {"-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0"}}};
    for (const net::Address& address : addresses) {
        const bool v6 = address.family == net::Family::V6;
        const std::string text = net::to_string(address) + (v6 ? "/128" : "/32");
        std::vector<std::string> add{"addr", "add", text, "dev", "eth0"};
        if (v6)
            add.push_back("nodad");
        steps.emplace_back(host.ns, add);
        steps.emplace_back(node_, std::vector<std::string>{v6 ? "-6" : "-4", "route", "add", text,
                                                           "dev", interface});
    }
    for (const auto& [ns, arguments] : steps)
        if (const auto done = ip(ns, arguments); !done)
            return Error{done.error()};
    put("/proc/sys/net/ipv4/conf/" + interface + "/proxy_arp", "1");
    put("/proc/sys/net/ipv4/conf/" + interface + "/rp_filter", "0");
    put("/proc/sys/net/ipv4/neigh/" + interface + "/proxy_delay", "0");
    const Inside inside(host.ns);
    if (const auto loaded = nft_load(kSilence); !loaded)
        return Error{loaded.error()};
    host.capture = open_capture("eth0");
    host.raw4 = open_raw(false);
    host.raw6 = open_raw(true);
    hosts.push_back(std::move(host));
    return hosts.size() - 1;
}

void Lab::give_node(const net::Address& address, const std::string& interface) {
    const bool v6 = address.family == net::Family::V6;
    std::vector<std::string> add{"addr", "add", net::to_string(address) + (v6 ? "/128" : "/32"),
                                 "dev", interface};
    if (v6)
        add.push_back("nodad");
    ip(node_, add).ok();
}

Result<bool> Lab::know_neighbours(std::size_t host) {
    const Host& at = hosts[host];
    const auto inner = hardware_address(at.ns, "eth0"),
               outer = hardware_address(node_, at.interface);
    if (!inner || !outer)
        return Error{inner ? outer.error() : inner.error()};
    const auto know = [](int ns, const std::string& address, const std::string& hardware,
                         const std::string& interface) {
        return ip(ns, {"-6", "neigh", "replace", address, "lladdr", hardware, "dev", interface,
                       "nud", "permanent"});
    };
    if (auto done = know(at.ns, "fe80::1", *outer, "eth0"); !done)
        return done;
    for (const net::Address& each : at.addresses)
        if (each.family == net::Family::V6)
            if (auto done = know(node_, net::to_string(each), *inner, at.interface); !done)
                return done;
    return true;
}

bool Lab::send(std::size_t host, const std::string& packet, const net::Address& to) {
    const bool v6 = to.family == net::Family::V6;
    const int fd = v6 ? hosts[host].raw6 : hosts[host].raw4;
    ssize_t sent = -1;
    const std::string raw = address_bytes(to);
    if (v6) {
        sockaddr_in6 where{};
        where.sin6_family = AF_INET6;
        std::memcpy(&where.sin6_addr, raw.data(), raw.size());
        sent = sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&where),
                      sizeof where);
    } else {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        std::memcpy(&where.sin_addr, raw.data(), raw.size());
        sent = sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&where),
                      sizeof where);
    }
    return sent == static_cast<ssize_t>(packet.size());
}

void Lab::collect(int milliseconds) {
    std::vector<pollfd> waits;
    for (const Host& host : hosts)
        waits.push_back({host.capture, POLLIN, 0});
    while (poll(waits.data(), waits.size(), milliseconds) > 0)
        for (std::size_t i = 0; i < waits.size(); ++i) {
            char buffer[2048];
            sockaddr_ll from{};
            socklen_t size = sizeof from;
            while (true) {
                size = sizeof from;
                const ssize_t got = recvfrom(waits[i].fd, buffer, sizeof buffer, MSG_DONTWAIT,
                                             reinterpret_cast<sockaddr*>(&from), &size);
                if (got <= 0)
                    break;
                if (from.sll_pkttype == PACKET_OUTGOING)
                    continue;
                const std::string packet(buffer, static_cast<std::size_t>(got));
                if (const auto nonce = find_nonce(packet))
                    hosts[i].seen.emplace(*nonce, packet);
                else if (const auto quoted = find_quoted_nonce(packet))
                    hosts[i].errors.insert(*quoted);
            }
        }
}

bool Lab::has_seen(std::size_t host, std::uint64_t nonce) const {
    return hosts[host].seen.contains(nonce);
}

bool Lab::has_error(std::size_t host, std::uint64_t nonce) const {
    return hosts[host].errors.contains(nonce);
}

} // namespace polecat::runtime
