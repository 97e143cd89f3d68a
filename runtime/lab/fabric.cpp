#include "runtime/lab/fabric.h"

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "runtime/lab/lab.h"
#include "runtime/lab/namespace.h"
#include "runtime/nft.h"

namespace polecat::runtime {

namespace {

using Steps = std::vector<std::pair<int, std::vector<std::string>>>;

Result<bool> run_all(const Steps& steps) {
    for (const auto& [ns, arguments] : steps)
        if (const auto done = ip(ns, arguments); !done)
            return Error{done.error()};
    return true;
}

/// As `ip link set ... netns` takes it.
std::string path_of(int ns) {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(ns);
}

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &out.sin_addr);
    return out;
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
    for (const int program : programs_) {
        kill(program, SIGKILL);
        waitpid(program, nullptr, 0);
    }
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
    if (const auto done = run_all(steps); !done)
        return Error{done.error()};
    return machines_.size() - 1;
}

Result<bool> Fabric::link(Machine machine, const std::string& device, int other_ns,
                          const std::string& other_device) {
    const int ns = machines_[machine];
    return run_all({{ns, {"link", "add", device, "type", "veth", "peer", "name", other_device}},
                    {ns, {"link", "set", other_device, "netns", path_of(other_ns)}},
                    {ns, {"link", "set", device, "up"}},
                    {other_ns, {"link", "set", other_device, "up"}}});
}

Result<bool> Fabric::plug(Machine machine, const std::string& device, const std::string& bridge) {
    const std::string port = "port" + std::to_string(devices_++);
    if (const auto linked = link(machine, device, wire_, port); !linked)
        return Error{linked.error()};
    return run_all({{wire_, {"link", "set", port, "master", bridge}}});
}

Result<Fabric::Machine> Fabric::add_machine(const std::string& address) {
    const auto machine = add_namespace();
    if (!machine)
        return Error{machine.error()};
    if (const auto plugged = plug(*machine, "eth0", "lan"); !plugged)
        return Error{plugged.error()};
    const int ns = machines_[*machine];
    // Proxy ARP answers for the pods' gateway where the node has a way to it.
    const auto done = run_all({{ns, {"addr", "add", address, "dev", "eth0"}},
                               {ns, {"route", "add", "169.254.1.1/32", "dev", "lo"}}});
    if (!done)
        return Error{done.error()};
    return *machine;
}

Result<Fabric::Machine> Fabric::add_pod(Machine node, const std::string& address) {
    const auto pod = add_namespace();
    if (!pod)
        return Error{pod.error()};
    const std::string device = "cali" + std::to_string(devices_++);
    const int ns = machines_[*pod], host = machines_[node];
    if (const auto linked = link(*pod, "eth0", host, device); !linked)
        return Error{linked.error()};
    {
        const Inside inside(host);
        put("/proc/sys/net/ipv4/conf/" + device + "/proxy_arp", "1");
        put("/proc/sys/net/ipv4/neigh/" + device + "/proxy_delay", "0");
    }
    const auto done =
        run_all({{ns, {"addr", "add", address + "/32", "dev", "eth0"}},
                 {ns, {"route", "add", "169.254.1.1", "dev", "eth0"}},
                 {ns, {"route", "add", "default", "via", "169.254.1.1", "dev", "eth0"}},
                 {host, {"route", "add", address + "/32", "dev", device}}});
    if (!done)
        return Error{done.error()};
    return *pod;
}

Result<bool> Fabric::add_tunnel(Machine node, const std::string& address) {
    if (const auto plugged = plug(node, "tun0", "tunnels"); !plugged)
        return Error{plugged.error()};
    return run_all({{machines_[node], {"addr", "add", address + "/32", "dev", "tun0"}}});
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

Result<bool> Fabric::start(Machine machine, const std::vector<std::string>& arguments,
                           const std::string& log) {
    const Inside inside(machines_[machine]);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0)
        return failed("cannot write " + log);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        dup2(out, 1);
        dup2(out, 2);
        execvp(argv[0], argv.data());
        _exit(127);
    }
    close(out);
    if (child < 0)
        return failed("cannot start " + arguments.front());
    programs_.push_back(child);
    return true;
}

Result<Output> Fabric::run(Machine machine, const std::vector<std::string>& arguments) const {
    const Inside inside(machines_[machine]);
    return run_program(arguments, "");
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
    sockaddr_in where = socket_address(to, port);
    // A kernel that drops the packet on its way out says so, and it is not seen either.
    (void)!sendto(fd, "polecat", 7, 0, reinterpret_cast<sockaddr*>(&where), sizeof where);
    close(fd);
}

bool Fabric::connects(Machine from, Machine to, const std::string& address, std::uint16_t port,
                      int milliseconds) {
    sockaddr_in where = socket_address(address, port);
    auto* name = reinterpret_cast<sockaddr*>(&where);
    int server = -1, client = -1;
    {
        const Inside inside(machines_[to]);
        server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)!bind(server, name, sizeof where);
        (void)!listen(server, 1);
    }
    {
        const Inside inside(machines_[from]);
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(client, name, sizeof where);
    }
    pollfd wait{client, POLLOUT, 0};
    const bool done = poll(&wait, 1, milliseconds) == 1 && (wait.revents & POLLERR) == 0;
    close(client);
    close(server);
    return done;
}

} // namespace polecat::runtime
