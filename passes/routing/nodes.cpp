// The nodes: a Kubernetes Node and a Calico Node of one name are one. Calico keeps its part of a
// Kubernetes Node in annotations.
#include <algorithm>

#include "passes/routing/parts.h"
#include "support/letters.h"

namespace polecat::passes::routing_parts {

namespace {

using routing::BgpNode;

constexpr std::string_view kExclude = "node.kubernetes.io/exclude-from-external-load-balancers";

/// "10.0.0.1/24": the address, and the network that the host is in.
std::optional<routing::NodeAddress> node_address(const std::string& text, routing::Origin origin) {
    const auto address = net::parse_address(text.substr(0, text.find('/')));
    const auto subnet = net::parse_cidr(text, net::CidrForm::OrAddress);
    if (!address || !subnet)
        return std::nullopt;
    return routing::NodeAddress{*address, *subnet, std::move(origin)};
}

class Nodes {
  public:
    explicit Nodes(const Input& input) : input_(input) {}

    std::vector<BgpNode> run() {
        for (const policy::Node& node : input_.cluster.nodes)
            add(node);
        for (const policy::OtherObject& each : input_.cluster.others)
            if (each.kind == "BGPConfiguration" && each.meta.name.starts_with("node."))
                configure(each);
            else if (each.kind == "BlockAffinity")
                add_block(each);
        const auto level = input_.settings().text("logSeverityScreen");
        std::vector<BgpNode> out;
        for (auto& [name, node] : nodes_) {
            if (!logging_given_.contains(name) && level)
                node.logging = logging_of(level->value);
            finish(node);
            out.push_back(std::move(node));
        }
        return out;
    }

  private:
    static routing::Logging logging_of(std::string_view text) {
        if (equal_ignoring_case(text, "debug"))
            return routing::Logging::All;
        return text.empty() || equal_ignoring_case(text, "info") ? routing::Logging::States
                                                                 : routing::Logging::Silent;
    }

    void add(const policy::Node& node) {
        BgpNode& into = nodes_[node.meta.name];
        const routing::Origin origin{"Node " + node.meta.name, node.meta.span};
        into.name = node.meta.name;
        if (into.origin.object.empty() || node.is_calico)
            into.origin = origin;
        for (const auto& [key, value] : node.meta.labels)
            into.labels.set(key, value);
        if (node.is_calico)
            add_calico(node, origin.object, into);
        add_annotations(node.meta, origin, into);
    }

    void add_calico(const policy::Node& node, const std::string& object, BgpNode& into) const {
        const policy::Settings& spec = node.spec;
        for (const bool v4 : {true, false}) {
            const auto text = spec.text(v4 ? "bgp.ipv4Address" : "bgp.ipv6Address");
            if (text)
                (v4 ? into.v4 : into.v6) = node_address(text->value, {object, text->span});
            const auto wireguard = spec.address(v4 ? "wireguard.interfaceIPv4Address"
                                                   : "wireguard.interfaceIPv6Address");
            if (wireguard)
                (v4 ? into.wireguard_v4 : into.wireguard_v6) = wireguard->value;
        }
        if (const auto number = own_as_number(input_, spec, "bgp.asNumber"))
            into.own_as = number;
        if (const auto id = spec.address("bgp.routeReflectorClusterID"))
            into.cluster_id = id->value;
    }

    /// What the Calico Node object says wins.
    static void add_annotations(const policy::Metadata& meta, const routing::Origin& origin,
                                BgpNode& into) {
        const auto find = [&](const std::string& key) {
            const auto found = meta.annotations.find("projectcalico.org/" + key);
            return found == meta.annotations.end() ? std::string() : found->second;
        };
        for (const bool v4 : {true, false}) {
            const std::string family = v4 ? "IPv4" : "IPv6";
            auto& address = v4 ? into.v4 : into.v6;
            auto& wireguard = v4 ? into.wireguard_v4 : into.wireguard_v6;
            if (const std::string text = find(family + "Address"); !text.empty() && !address)
                address = node_address(text, origin);
            if (const std::string text = find(family + "WireguardInterfaceAddr"); !wireguard)
                wireguard = net::parse_address(text);
        }
        if (!into.own_as)
            into.own_as = net::parse_as_number(find("ASNumber"));
        if (!into.cluster_id)
            into.cluster_id = net::parse_address(find("RouteReflectorClusterID"));
    }

    /// BGPConfiguration node.NAME: only these fields count.
    void configure(const policy::OtherObject& object) {
        const auto found = nodes_.find(object.meta.name.substr(std::string("node.").size()));
        if (found == nodes_.end())
            return;
        BgpNode& node = found->second;
        if (const auto port = object.spec.integer("listenPort"))
            node.own_port = static_cast<std::uint16_t>(port->value);
        if (const auto level = object.spec.text("logSeverityScreen");
            level && !level->value.empty()) {
            node.logging = logging_of(level->value);
            logging_given_.emplace(node.name, true);
        }
        if (object.spec.size("prefixAdvertisements") != 0)
            node.communities = communities(object);
    }

    void add_block(const policy::OtherObject& object) {
        const auto cidr = object.spec.cidr("cidr");
        const auto node = object.spec.text("node");
        const auto type = object.spec.text("type");
        const auto found = node ? nodes_.find(node->value) : nodes_.end();
        if (!cidr || found == nodes_.end() ||
            (type && !type->value.empty() && type->value != "host") ||
            object.spec.is("state", "pending"))
            return;
        routing::Block block{cidr->value, true, true, origin_of(object, "cidr")};
        block.originates = cidr->value.prefix != net::width(cidr->value.family());
        block.hides = !object.spec.is("state", "pendingDeletion");
        if (block.originates || block.hides)
            found->second.blocks.push_back(std::move(block));
    }

    static void finish(BgpNode& node) {
        auto& blocks = node.blocks;
        const auto before = [](const auto& a, const auto& b) { return a.cidr < b.cidr; };
        std::stable_sort(blocks.begin(), blocks.end(), before);
        const auto same = [](const auto& a, const auto& b) { return a.cidr == b.cidr; };
        blocks.erase(std::unique(blocks.begin(), blocks.end(), same), blocks.end());
        node.announces_services = node.labels.find(kExclude) != "true";
    }

    const Input& input_;
    std::map<std::string, BgpNode> nodes_;
    std::map<std::string, bool> logging_given_;
};

} // namespace

std::vector<BgpNode> nodes(const Input& input) {
    return Nodes(input).run();
}

} // namespace polecat::passes::routing_parts
