#include "analyzer/lint/rules/rule_parts.h"

#include <algorithm>
#include <variant>

namespace polecat::lint {

net::PortSet numbers_of(const std::vector<policy::Port>& ports) {
    std::vector<net::PortRange> ranges;
    for (const policy::Port& port : ports)
        if (const auto* range = std::get_if<net::PortRange>(&port.value))
            ranges.push_back(*range);
    return net::PortSet::of(ranges);
}

bool all_numbers(const std::vector<policy::Port>& ports) {
    return std::all_of(ports.begin(), ports.end(), [](const policy::Port& port) {
        return std::holds_alternative<net::PortRange>(port.value);
    });
}

net::AddressSet set_of(const std::vector<At<net::Cidr>>& nets) {
    std::vector<net::Cidr> list;
    for (const At<net::Cidr>& each : nets)
        list.push_back(each.value);
    return net::AddressSet::of(list);
}

bool is_anybody(policy::EntityRule end) {
    const net::AddressSet nets = set_of(end.nets);
    if (nets == net::AddressSet::all(net::Family::V4) ||
        nets == net::AddressSet::all(net::Family::V6))
        end.nets.clear();
    end.ports.clear();
    end.not_ports.clear();
    return policy::asks_nothing(end);
}

} // namespace polecat::lint
