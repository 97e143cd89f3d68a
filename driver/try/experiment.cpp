#include "driver/try/experiment.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "driver/input/input.h"
#include "ir/path/interfaces.h"
#include "ir/path/path.h"

namespace polecat::driver {

using decision::Verdict;

namespace {

/// Beyond each of the node's interfaces to the network; the last number counts these.
constexpr const char* kOutside[] = {"203.0.113.7", "2001:db8::7"};
constexpr const char* kUplink = "uplink"; ///< where no host endpoint names an interface

/// Of the node to the network: those that host endpoints name, and one that none does.
std::vector<std::string> uplinks_of(const backends::NodeImage& image) {
    std::vector<std::string> out = image.host_interfaces();
    std::erase(out, "lo");
    const bool any =
        std::any_of(image.attached.begin(), image.attached.end(),
                    [](const backends::AttachPoint& each) { return each.interface == "*"; });
    if (any || out.empty())
        out.emplace_back(kUplink);
    return out;
}

/// What becomes of the packet itself, whatever does of answers to it; nullopt: manifests do not
/// say.
std::optional<bool> is_allowed(const decision::LoweredCluster& cluster,
                               const runtime::PacketSpec& packet) {
    std::set<Verdict> verdicts;
    for (const ir::WayVerdict& way : ir::judge_flow(cluster, query_of(packet)).ways) {
        const auto stops = [&](bool answers) {
            return std::any_of(way.hops.begin(), way.hops.end(), [&](const ir::HopVerdict& each) {
                return each.hop.of_answers == answers && each.verdict != Verdict::Allow;
            });
        };
        verdicts.insert(stops(true) && !stops(false) ? Verdict::Allow : way.verdict);
    }
    if (verdicts.size() != 1 || verdicts.contains(Verdict::Depends))
        return std::nullopt;
    return verdicts.contains(Verdict::Allow);
}

} // namespace

std::string first_node_with_pods(const decision::LoweredCluster& cluster) {
    const auto found =
        std::find_if(cluster.endpoints.begin(), cluster.endpoints.end(), [](const auto& each) {
            return !each.node.empty() && !each.is_host_endpoint && !each.host_network;
        });
    return found == cluster.endpoints.end() ? "" : found->node;
}

Experiment::Experiment(const decision::LoweredCluster& cluster, const std::string& node,
                       const backends::NodeImage& image, TriedRules& rules, Probes probes,
                       Progress progress)
    : cluster_(cluster), image_(image), rules_(rules), probes_(std::move(probes)),
      progress_(std::move(progress)) {
    const auto add = [&](decision::ObjectId host_endpoint, const std::string& interface) {
        for (const net::Address& each : cluster_.world.object(host_endpoint).addresses)
            own_.try_emplace(each, interface);
    };
    const ir::NodeInterfaces interfaces = ir::interfaces_of(cluster, node);
    for (const auto& each : interfaces.named)
        add(each.host_endpoint, each.name.empty() ? kUplink : each.name);
    if (interfaces.wildcard)
        add(*interfaces.wildcard, kUplink);
}

Result<bool> Experiment::prepare() {
    if (auto entered = runtime::Lab::enter(); !entered)
        return entered;
    lab_.emplace();
    if (auto loaded = rules_.load(); !loaded)
        return loaded;
    return add_hosts();
}

Result<bool> Experiment::add_hosts() {
    std::map<std::string, std::vector<net::Address>> workloads;
    for (const backends::DispatchEntry& entry : image_.dispatch)
        workloads[entry.interface].push_back(entry.address);
    const std::vector<std::string> uplinks = uplinks_of(image_);
    std::size_t made = 0;
    for (const auto& [interface, addresses] : workloads) {
        progress_("endpoints", made++, workloads.size());
        if (auto added = add_host(interface, addresses, false); !added)
            return added;
    }
    std::uint64_t number = 0;
    for (const std::string& interface : uplinks) {
        std::vector<net::Address> addresses;
        for (const char* text : kOutside) {
            addresses.push_back(*net::parse_address(text));
            addresses.back().low += number;
        }
        ++number;
        if (auto added = add_host(interface, addresses, true); !added)
            return added;
    }
    for (const auto& [address, interface] : own_) {
        const auto there = std::find(uplinks.begin(), uplinks.end(), interface);
        lab_->give_node(address, there == uplinks.end() ? uplinks.front() : interface);
        ends_[address] = {address, std::nullopt, false};
    }
    node_.emplace();
    return true;
}

Result<bool> Experiment::add_host(const std::string& interface,
                                  const std::vector<net::Address>& addresses, bool is_outside) {
    const auto host = lab_->add_host(interface, addresses);
    if (!host)
        return Error{host.error()};
    for (const net::Address& address : addresses)
        ends_[address] = {address, *host, is_outside};
    if (is_outside && !image_.attached.empty())
        return lab_->know_neighbours(*host);
    return true;
}

std::string Experiment::name_at(const End& end) const {
    const auto& objects = decision::end_of(cluster_.world, end.address).objects;
    const std::string address = net::to_string(end.address);
    if (!end.host)
        return "the node " + address;
    return objects.empty() ? address : name_of(cluster_, objects.front());
}

/// Between others than the node and its workloads nothing of it is asked.
std::vector<Experiment::Question> Experiment::questions() const {
    const NodeProbes found(image_);
    std::vector<Question> out;
    for (const auto& [from_address, from] : ends_)
        for (const auto& [to_address, to] : ends_) {
            if (from_address.family != to_address.family || from.host == to.host ||
                (from.is_outside && to.is_outside))
                continue;
            for (const Probe& probe :
                 probes_.empty() ? found.between(from_address, to_address) : probes_)
                out.push_back({&from, &to, probe});
        }
    return out;
}

std::optional<Trial> Experiment::trial_of(const Question& question) const {
    Trial out;
    out.packet.source = question.from->address;
    out.packet.destination = question.to->address;
    out.packet.protocol = question.probe.protocol;
    out.packet.destination_port = question.probe.value;
    const auto allowed = is_allowed(cluster_, out.packet);
    if (!allowed)
        return std::nullopt;
    out.allowed = *allowed;
    out.from = name_at(*question.from);
    out.to = name_at(*question.to);
    out.traffic = to_string(question.probe);
    return out;
}

Trials Experiment::plan(std::size_t most) const {
    const std::vector<Question> all = questions();
    Trials out;
    out.possible = all.size();
    const std::size_t step = std::max<std::size_t>(1, (all.size() + most - 1) / most);
    for (std::size_t at = 0; at < all.size(); at += step) {
        progress_("packets judged", at, all.size());
        if (auto trial = trial_of(all[at]))
            out.all.push_back(std::move(*trial));
        else
            ++out.not_known;
    }
    std::uint64_t nonce = 1;
    for (Trial& each : out.all) {
        each.packet.source_port = static_cast<std::uint16_t>(40000 + nonce % 20000);
        each.packet.nonce = nonce++;
    }
    return out;
}

bool Experiment::send_packet(const runtime::PacketSpec& packet) {
    const std::string bytes = runtime::make_packet(packet);
    const auto host = ends_.at(packet.source).host;
    if (host)
        return lab_->send(*host, bytes, packet.destination);
    node_->send(bytes, packet.destination);
    return true;
}

bool Experiment::has_arrived(const runtime::PacketSpec& packet) const {
    const auto host = ends_.at(packet.destination).host;
    return host ? lab_->has_seen(*host, packet.nonce) : node_->has_seen(packet.nonce);
}

void Experiment::collect(int milliseconds) {
    lab_->collect(milliseconds);
    node_->collect();
}

Result<bool> Experiment::send(std::vector<Trial>& trials) {
    constexpr std::size_t kAtOnce = 200; // no queue of a link or socket overflows
    for (std::size_t i = 0; i < trials.size(); ++i) {
        if (!send_packet(trials[i].packet))
            return Error{"a packet could not be sent"};
        if (i % kAtOnce == 0) {
            progress_("packets", i, trials.size());
            collect(0);
        }
    }
    return conclude(trials);
}

Result<bool> Experiment::conclude(std::vector<Trial>& trials) {
    collect(300);
    std::uint64_t nonce = trials.size();
    std::vector<std::pair<Trial*, runtime::PacketSpec>> again;
    for (Trial& trial : trials) {
        trial.arrived = has_arrived(trial.packet);
        if (trial.arrived || !trial.allowed)
            continue;
        again.emplace_back(&trial, trial.packet).second.nonce = ++nonce;
        if (!send_packet(again.back().second))
            return Error{"a packet could not be sent"};
    }
    if (!again.empty())
        collect(300);
    for (const auto& [trial, packet] : again)
        trial->arrived = has_arrived(packet);
    return true;
}

ir::PathQuery query_of(const runtime::PacketSpec& packet) {
    ir::PathQuery out;
    out.source.address = packet.source;
    out.destination.address = packet.destination;
    out.route = ir::Route::Wire;
    out.packet.protocol = packet.protocol;
    if (net::has_ports(packet.protocol)) {
        out.packet.source_port = packet.source_port;
        out.packet.destination_port = packet.destination_port;
    } else if (packet.protocol == net::kIcmp || packet.protocol == net::kIcmpV6) {
        out.packet.icmp_type = packet.icmp_type;
        out.packet.icmp_code = packet.icmp_code;
    }
    return out;
}

} // namespace polecat::driver
