#include "runtime/lab/fabric.h"

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <sched.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "runtime/lab/lab.h"
#include "runtime/lab/namespace.h"
#include "runtime/nft.h"

namespace polecat::runtime {

namespace {

using Steps = std::vector<std::pair<int, std::vector<std::string>>>;

Result<bool> run(const Steps& steps) {
    for (const auto& [ns, arguments] : steps)
        if (const auto done = ip(ns, arguments); !done)
            return Error{done.error()};
    return true;
}

/// As `ip link set ... netns` takes it.
std::string path_of(int ns) {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(ns);
}

void set_up_routing() {
    put("/proc/sys/net/ipv4/ip_forward", "1");
    for (const char* which : {"all", "default"}) {
        const std::string at = std::string("/proc/sys/net/ipv4/conf/") + which;
        put(at + "/rp_filter", "0");
        put(at + "/send_redirects", "0");
        put(at + "/accept_redirects", "0");
    }
}

} // namespace

Fabric::Fabric() {
    unshare(CLONE_NEWNET);
    wire_ = current_ns();
    for (const char* bridge : {"lan", "tunnels"}) {
        ip(wire_, {"link", "add", bridge, "type", "bridge"}).ok();
        ip(wire_, {"link", "set", bridge, "up"}).ok();
    }
}

Fabric::~Fabric() {
    for (const int ns : machines_)
        close(ns);
    close(wire_);
}

Result<Fabric::Machine> Fabric::add_namespace() {
    if (unshare(CLONE_NEWNET) != 0)
        return failed("no network namespace for a machine");
    machines_.push_back(current_ns());
    set_up_routing();
    setns(wire_, CLONE_NEWNET);
    const Steps steps{{machines_.back(), {"link", "set", "lo", "up"}}};
    if (const auto done = run(steps); !done)
        return Error{done.error()};
    return machines_.size() - 1;
}

Result<bool> Fabric::link(Machine machine, const std::string& device, int other_ns,
                          const std::string& other_device) {
    const int ns = machines_[machine];
    return run({{ns, {"link", "add", device, "type", "veth", "peer", "name", other_device}},
                {ns, {"link", "set", other_device, "netns", path_of(other_ns)}},
                {ns, {"link", "set", device, "up"}},
                {other_ns, {"link", "set", other_device, "up"}}});
}

Result<bool> Fabric::plug(Machine machine, const std::string& device, const std::string& bridge) {
    const std::string port = "port" + std::to_string(devices_++);
    if (const auto linked = link(machine, device, wire_, port); !linked)
        return Error{linked.error()};
    return run({{wire_, {"link", "set", port, "master", bridge}}});
}

Result<Fabric::Machine> Fabric::add_machine(const std::string& address) {
    const auto machine = add_namespace();
    if (!machine)
        return machine;
    if (const auto plugged = plug(*machine, "eth0", "lan"); !plugged)
        return Error{plugged.error()};
    const int ns = machines_[*machine];
    // Proxy ARP answers for the pods' gateway where the node has a way to it.
    const auto done = run({{ns, {"addr", "add", address, "dev", "eth0"}},
                           {ns, {"route", "add", "169.254.1.1/32", "dev", "lo"}}});
    if (!done)
        return Error{done.error()};
    return machine;
}

Result<Fabric::Machine> Fabric::add_pod(Machine node, const std::string& address) {
    const auto pod = add_namespace();
    if (!pod)
        return pod;
    const std::string device = "cali" + std::to_string(devices_++);
    const int ns = machines_[*pod], host = machines_[node];
    if (const auto linked = link(*pod, "eth0", host, device); !linked)
        return Error{linked.error()};
    {
        const Inside inside(host);
        put("/proc/sys/net/ipv4/conf/" + device + "/proxy_arp", "1");
        put("/proc/sys/net/ipv4/neigh/" + device + "/proxy_delay", "0");
    }
    const auto done = run({{ns, {"addr", "add", address + "/32", "dev", "eth0"}},
                           {ns, {"route", "add", "169.254.1.1", "dev", "eth0"}},
                           {ns, {"route", "add", "default", "via", "169.254.1.1", "dev", "eth0"}},
                           {host, {"route", "add", address + "/32", "dev", device}}});
    if (!done)
        return Error{done.error()};
    return pod;
}

Result<bool> Fabric::add_tunnel(Machine node, const std::string& address) {
    if (const auto plugged = plug(node, "tun0", "tunnels"); !plugged)
        return Error{plugged.error()};
    return run({{machines_[node], {"addr", "add", address + "/32", "dev", "tun0"}}});
}

Result<bool> Fabric::route(Machine machine, const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"route", "replace"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return ip(machines_[machine], all);
}

Result<bool> Fabric::load(Machine machine, const std::string& rules) {
    const Inside inside(machines_[machine]);
    return nft_load(rules);
}

Result<bool> Fabric::watch(Machine node) {
    return load(node, R"(table ip watch {
    set packets {
        type ipv4_addr . ipv4_addr . inet_service
        flags dynamic
        size 4096
    }
    chain forward {
        type filter hook forward priority 0;
        ip protocol udp update @packets { ip saddr . ip daddr . udp dport }
    }
    chain input {
        type filter hook input priority 0;
        ip protocol udp update @packets { ip saddr . ip daddr . udp dport }
    }
}
)");
}

std::vector<Fabric::Seen> Fabric::seen(Machine node, const std::string& destination,
                                       int milliseconds) {
    const Inside inside(machines_[node]);
    std::vector<Seen> out;
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
    while (true) {
        const auto listed = nft_list_set("watch", "packets");
        const std::size_t start = listed ? listed->find("elements = {") : std::string::npos;
        std::istringstream words(start == std::string::npos ? "" : listed->substr(start + 12));
        // "source . destination . port," for each.
        std::string source, dot, to, port;
        while (words >> source >> dot >> to >> dot >> port && dot == ".")
            if (to == destination)
                out.emplace_back(source, to, static_cast<std::uint16_t>(std::stoi(port)));
        if (!out.empty() || Clock::now() >= end)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    nft_load("flush set ip watch packets\n").ok();
    return out;
}

void Fabric::send(Machine from, const std::string& to, std::uint16_t port) {
    const Inside inside(machines_[from]);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    inet_pton(AF_INET, to.c_str(), &where.sin_addr);
    // A kernel that drops the packet on its way out says so, and it is not seen either.
    (void)!sendto(fd, "polecat", 7, 0, reinterpret_cast<sockaddr*>(&where), sizeof where);
    close(fd);
}

} // namespace polecat::runtime
