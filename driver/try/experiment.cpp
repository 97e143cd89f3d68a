#include "driver/try/experiment.h"

#include <algorithm>

#include <fmt/format.h>

#include "driver/input/input.h"
#include "frontend/expectation_text.h"
#include "ir/path/path.h"

namespace polecat::driver {

namespace {

const char* const kOutside[] = {"203.0.113.7", "2001:db8::7"};

} // namespace

std::string first_node_with_pods(const decision::LoweredCluster& cluster) {
    const auto found =
        std::find_if(cluster.endpoints.begin(), cluster.endpoints.end(), [](const auto& each) {
            return !each.node.empty() && !each.is_host_endpoint && !each.host_network;
        });
    return found == cluster.endpoints.end() ? "" : found->node;
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
    std::map<std::string, std::vector<net::Address>> by_interface;
    for (const backends::DispatchEntry& entry : image_.dispatch)
        by_interface[entry.interface].push_back(entry.address);
    for (const char* text : kOutside)
        by_interface["uplink"].push_back(*net::parse_address(text));
    for (const auto& [interface, addresses] : by_interface) {
        const auto host = lab_->add_host(interface, addresses);
        if (!host)
            return Error{host.error()};
        for (const net::Address& address : addresses)
            host_of_[address] = *host;
    }
    return true;
}

std::string Experiment::name_at(const net::Address& address) const {
    const auto& objects = decision::end_of(cluster_.world, address).objects;
    return objects.empty() ? net::to_string(address) : name_of(cluster_, objects.front());
}

std::vector<Trial> Experiment::plan() const {
    std::vector<Trial> out;
    std::uint64_t nonce = 1;
    for (const auto& [from, from_host] : host_of_)
        for (const auto& [to, to_host] : host_of_)
            for (const std::string& port : ports_) {
                if (from.family != to.family || from_host == to_host)
                    continue;
                const auto traffic = frontend::parse_port(port);
                Trial trial;
                trial.packet.source = from;
                trial.packet.destination = to;
                trial.packet.protocol = traffic->protocol;
                trial.packet.destination_port = *traffic->port;
                trial.packet.source_port = static_cast<std::uint16_t>(40000 + nonce % 20000);
                trial.packet.nonce = nonce++;
                trial.question = fmt::format("{} -> {} {}", name_at(from), name_at(to), port);
                trial.allowed = is_allowed(trial.packet);
                out.push_back(std::move(trial));
            }
    return out;
}

bool Experiment::is_allowed(const runtime::PacketSpec& packet) const {
    ir::PathQuery query;
    query.source.address = packet.source;
    query.destination.address = packet.destination;
    query.route = ir::Route::Wire;
    query.packet.protocol = packet.protocol;
    query.packet.source_port = packet.source_port;
    query.packet.destination_port = packet.destination_port;
    return ir::judge_flow(cluster_, query).verdict == decision::Verdict::Allow;
}

Result<bool> Experiment::send(std::vector<Trial>& trials) {
    for (const Trial& trial : trials)
        if (!lab_->send(host_of_.at(trial.packet.source), runtime::make_packet(trial.packet),
                        trial.packet.destination))
            return Error{"a packet could not be sent"};
    lab_->collect(300);
    for (Trial& trial : trials)
        trial.arrived = lab_->has_seen(host_of_.at(trial.packet.destination), trial.packet.nonce);
    return true;
}

} // namespace polecat::driver
