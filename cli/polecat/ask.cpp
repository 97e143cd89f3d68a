#include "cli/polecat/ask.h"

#include <map>

#include <fmt/format.h>

#include "analyzer/ends.h"
#include "frontend/expectation_text.h"

namespace polecat::cli {

using analyzer::AskedEnds;
using analyzer::ConnectionSet;
using analyzer::PortPairs;

namespace {

Result<AskedEnds> of_node(const decision::LoweredCluster& cluster, const std::string& name) {
    AskedEnds out;
    std::vector<net::Range> ranges;
    for (const decision::NodeInfo& node : cluster.nodes)
        if (node.name == name)
            for (const net::Address& address : node.addresses)
                ranges.push_back({address, address});
    if (ranges.empty())
        return Error{fmt::format("the addresses of node `{}` are not known: name a host endpoint "
                                 "(hep:NAME) or an address",
                                 name)};
    out.addresses = net::AddressSet::of(std::move(ranges));
    return out;
}

} // namespace

Result<AskedEnds> asked_ends(const decision::LoweredCluster& cluster, const std::string& text) {
    AskedEnds out;
    if (text == "any") {
        out.any = true;
        return out;
    }
    const auto name = frontend::parse_end(text);
    if (!name)
        return Error{name.error()};
    if (name->kind == expectation::EndName::Kind::Addresses) {
        out.addresses = net::AddressSet::of(name->range);
        return out;
    }
    const auto end = analyzer::find_end(cluster, *name);
    if (!end)
        return Error{end.error()};
    if (!end->node.empty())
        return of_node(cluster, end->node);
    if (end->endpoint)
        out.objects.push_back(*end->endpoint);
    return out;
}

std::vector<Question> service_questions(const decision::ServiceFront& service,
                                        const Question& question) {
    std::vector<Question> out;
    const net::PortSet any_port = net::PortSet::of(net::PortRange{});
    for (const auto& port : service.ports) {
        const auto front = ConnectionSet::of(
            port.protocol,
            PortPairs::of(net::PortSet::of(net::PortRange{port.port, port.port}), any_port));
        const ConnectionSet asked = question.connections & front;
        if (asked.empty())
            continue;
        std::map<std::uint16_t, AskedEnds> by_port;
        for (const decision::ServiceBackend& backend : port.backends) {
            AskedEnds& ends = by_port[backend.port];
            if (backend.object)
                ends.objects.push_back(*backend.object);
            else if (backend.address)
                ends.addresses = ends.addresses | net::AddressSet::of(net::Range{*backend.address,
                                                                                 *backend.address});
        }
        for (auto& [number, ends] : by_port) {
            Question each = question;
            each.destination = std::move(ends);
            const auto& sources = asked.ports(port.protocol).rows().front().source;
            each.connections = ConnectionSet::of(
                port.protocol,
                PortPairs::of(net::PortSet::of(net::PortRange{number, number}), sources));
            each.traffic = fmt::format("{}/{}, port {} of a backend", port.port,
                                       net::to_string_protocol(port.protocol), number);
            out.push_back(std::move(each));
        }
    }
    return out;
}

} // namespace polecat::cli
