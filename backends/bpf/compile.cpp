#include <set>

#include "backends/bpf/bpf.h"

namespace polecat::bpf {

using backends::NodeImage;

namespace {

std::optional<std::uint32_t> identity_at(const NodeImage& image, const net::Address& address) {
    if (const auto exact = image.addresses.find(address); exact != image.addresses.end())
        return exact->second;
    auto place = image.outside.upper_bound({address, net::last_address(address.family)});
    if (place == image.outside.begin())
        return std::nullopt;
    --place;
    const net::Range& range = place->first;
    if (range.first.family != address.family || range.last < address)
        return std::nullopt;
    return place->second;
}

/// Asked at every border of both, so that a fault of normal() shows.
bool same_identities(const NodeImage& read, const NodeImage& made) {
    std::set<net::Address> asked;
    for (const NodeImage* image : {&read, &made}) {
        for (const auto& [address, identity] : image->addresses)
            asked.insert(address);
        for (const auto& [range, identity] : image->outside)
            asked.insert({range.first, range.last});
    }
    const auto same = [&](const net::Address& at) {
        return identity_at(read, at) == identity_at(made, at);
    };
    for (const net::Address& each : asked) {
        const auto before = net::previous(each), after = net::next(each);
        if (!same(each) || (before && !same(*before)) || (after && !same(*after)))
            return false;
    }
    return read.addresses == made.addresses;
}

/// Empty: they read back. `image`: as the tables do.
std::string fault_of(const iptables::CompiledRules& out, NodeImage image, const Node& node) {
    const auto sets = iptables::parse_sets(out.sets);
    const auto v4 = iptables::parse_table(out.v4), v6 = iptables::parse_table(out.v6);
    for (const std::string& why :
         {sets ? "" : sets.error(), v4 ? "" : v4.error(), v6 ? "" : v6.error()})
        if (!why.empty())
            return why;
    const iptables::Ruleset rules{*sets, *v4, *v6};
    if (rules != rules_around(node))
        return "the rules around differ";
    const auto again = read_around(std::move(image), rules);
    if (!again)
        return again.error();
    return again->host == node.host ? "" : "the rules of host endpoints differ";
}

} // namespace

Result<CompiledTables> compile(const Image& tables, const Node& node) {
    const iptables::Ruleset rules = rules_around(node);
    CompiledTables out{write(tables),
                       {iptables::print(rules.sets), iptables::print(rules.v4),
                        iptables::print(rules.v6), iptables::host_hooks(rules.v4)}};
    const auto read = bpf::read(out.tables);
    if (!read)
        return Error{read.error()};
    auto again = read_back(*read);
    if (!again)
        return Error{again.error()};
    if (*again != normal(node.image) || !same_identities(*again, node.image))
        return Error{"the image differs"};
    if (const std::string why = fault_of(out.rules, std::move(*again), node); !why.empty())
        return Error{why};
    return out;
}

} // namespace polecat::bpf
