/// Rules between the fields of one object: the CEL rules of the CRDs and the struct checks of
/// Calico's Go validator.
#include <array>
#include <charconv>
#include <functional>

#include "frontend/kinds/pattern.h"
#include "frontend/kinds/schema/schema.h"
#include "frontend/kinds/schema/value.h"
#include "ir/net/address.h"

namespace polecat::frontend {

namespace {

using yaml::Node;

/// One spec under check.
struct Spec {
    std::string_view name;
    const Node& node;
    const std::string& object;
    diag::Diagnostics& diagnostics;

    const Node* get(std::string_view key) const {
        const Node* found = node.is_mapping() ? node.find(key) : nullptr;
        return found != nullptr && !found->is_null() ? found : nullptr;
    }
    bool has(std::string_view key) const {
        const Node* found = get(key);
        return found != nullptr && !(found->is_scalar() && found->text.empty());
    }
    std::string text(std::string_view key) const {
        const Node* found = get(key);
        return found != nullptr && found->is_scalar() ? found->text : std::string();
    }
    void refuse(const Node& where, const std::string& rule) const {
        diagnostics.report(diag::Code::FieldRule, where.span, {rule}).about(object);
    }
    void refuse(std::string_view key, const std::string& rule) const {
        const Node* found = get(key);
        refuse(found != nullptr ? *found : node, rule);
    }
    /// What one way in refuses, and others take.
    void note(const Node& where, const std::string& rule) const {
        auto& diagnostic = diagnostics.report(diag::Code::FieldRule, where.span, {rule});
        diagnostic.about(object).severity = diag::Severity::Note;
    }
    void exclusive(std::string_view a, std::string_view b) const {
        if (has(a) && has(b))
            refuse(b, std::string(a) + " and " + std::string(b) + " cannot both be set");
    }
};

// --- IPPool --------------------------------------------------------------------------------------

bool pool_uses(const Spec& spec, std::string_view use) {
    const Node* uses = spec.get("allowedUses");
    if (uses == nullptr || !uses->is_sequence())
        return false;
    for (const Node& each : uses->items)
        if (each.is_scalar() && each.text == use)
            return true;
    return false;
}

void check_pool_blocks(const Spec& spec, const net::Cidr& cidr) {
    const bool v4 = cidr.family() == net::Family::V4;
    const Node* written = spec.get("blockSize");
    const auto size = written != nullptr ? yaml::as_integer(*written) : std::nullopt;
    const std::int64_t block = size && *size != 0 ? *size : v4 ? 26 : 122;
    if (v4 ? block < 20 || block > 32 : block < 116 || block > 128)
        spec.refuse("blockSize", v4 ? "blockSize of an IPv4 pool must be 20 to 32"
                                    : "blockSize of an IPv6 pool must be 116 to 128");
    else if (cidr.prefix > block && spec.text("disabled") != "true")
        spec.refuse("cidr", "the pool is smaller than one block of /" + std::to_string(block));
    const auto local = net::parse_cidr(v4 ? "169.254.0.0/16" : "fe80::/10", net::CidrForm::Strict);
    if (net::AddressSet::of(cidr).intersects(net::AddressSet::of(*local)))
        spec.refuse("cidr", "a pool must not overlap the link-local range " + to_string(*local));
}

void check_pool_bits(const Spec& spec, const net::Cidr& cidr) {
    if (!net::parse_cidr(spec.text("cidr"), net::CidrForm::Strict))
        spec.refuse("cidr", "cidr has bits set beyond its prefix length; meant " + to_string(cidr));
}

void check_pool(const Spec& spec) {
    const auto on = [&](std::string_view key) {
        return spec.has(key) && spec.text(key) != "Never";
    };
    const bool encapsulated = on("ipipMode") || on("vxlanMode");
    if (on("ipipMode") && on("vxlanMode"))
        spec.refuse("vxlanMode", "ipipMode and vxlanMode cannot both be enabled");
    if (pool_uses(spec, "LoadBalancer")) {
        if (encapsulated)
            spec.refuse("allowedUses", "a LoadBalancer pool cannot have IPIP or VXLAN");
        if (pool_uses(spec, "Workload") || pool_uses(spec, "Tunnel"))
            spec.refuse("allowedUses", "LoadBalancer cannot be combined with Workload or Tunnel");
        if (spec.text("disableBGPExport") == "true")
            spec.refuse("disableBGPExport", "a LoadBalancer pool cannot disable BGP export");
        if (spec.has("nodeSelector") && spec.text("nodeSelector") != "all()")
            spec.refuse("nodeSelector", "a LoadBalancer pool must have nodeSelector all()");
    }
    if (pool_uses(spec, "Tunnel") && spec.has("namespaceSelector"))
        spec.refuse("namespaceSelector", "a Tunnel pool cannot have a namespaceSelector");
    for (std::string_view key : {"nodeSelector", "namespaceSelector"})
        if (spec.text(key).find("global(") != std::string::npos)
            spec.refuse(key, "global() cannot be used in " + std::string(key) + " of a pool");
    const auto cidr = net::parse_cidr(spec.text("cidr"), net::CidrForm::Masked);
    if (!cidr)
        return;
    check_pool_bits(spec, *cidr);
    if (cidr->family() == net::Family::V6 && on("ipipMode"))
        spec.refuse("ipipMode", "IPIP is not supported on IPv6 pools");
    check_pool_blocks(spec, *cidr);
}

/// The operator makes IPPools of them, which are refused for the same.
void check_installation(const Spec& spec) {
    const Node* pools = spec.get("ipPools");
    if (pools == nullptr || !pools->is_sequence())
        return;
    for (const Node& each : pools->items) {
        const Spec pool{spec.name, each, spec.object, spec.diagnostics};
        if (const auto cidr = net::parse_cidr(pool.text("cidr"), net::CidrForm::Masked)) {
            check_pool_bits(pool, *cidr);
            check_pool_blocks(pool, *cidr);
        }
    }
}

// --- BGP -----------------------------------------------------------------------------------------

/// The address of "IP", "IPv4:port" or "[IPv6]:port".
std::optional<net::Address> peer_address(const std::string& text) {
    if (const auto bare = net::parse_address(text))
        return bare;
    const auto parts = parts_of(text, R"((?:\[([^\]]*)\]|([0-9.]+)):([0-9]{1,5}))");
    if (parts.empty())
        return std::nullopt;
    const int port = std::stoi(std::string(parts[2]));
    const bool bracketed = parts[1].empty();
    const auto address = net::parse_address(bracketed ? parts[0] : parts[1]);
    if (!address || port < 1 || port > 65535 || (address->family == net::Family::V6) != bracketed)
        return std::nullopt;
    return address;
}

void check_peer(const Spec& spec) {
    spec.exclusive("node", "nodeSelector");
    spec.exclusive("peerIP", "peerSelector");
    spec.exclusive("keepOriginalNextHop", "nextHopMode");
    if (spec.has("peerSelector") && spec.has("asNumber") && spec.text("asNumber") != "0")
        spec.refuse("asNumber", "asNumber must be empty when peerSelector is set");
    if (spec.has("localWorkloadSelector")) {
        for (std::string_view key : {"peerIP", "peerSelector"})
            if (spec.has(key))
                spec.refuse(key, std::string(key) + " must be empty with localWorkloadSelector");
        if (!spec.has("asNumber") || spec.text("asNumber") == "0")
            spec.refuse("localWorkloadSelector", "localWorkloadSelector needs an asNumber");
    }
    const auto peer = spec.has("peerIP") ? peer_address(spec.text("peerIP")) : std::nullopt;
    if (spec.has("peerIP") && !peer)
        spec.refuse("peerIP", "peerIP must be IP, IPv4:port or [IPv6]:port");
    if (!spec.has("reachableBy"))
        return;
    const auto gateway = net::parse_address(spec.text("reachableBy"));
    if (!spec.has("peerIP"))
        spec.refuse("reachableBy", "reachableBy needs a peerIP");
    else if (peer && gateway && peer->family != gateway->family)
        spec.refuse("reachableBy", "reachableBy and peerIP must be of one address family");
}

/// "a:b" with 16-bit parts or "a:b:c" with 32-bit parts.
bool is_community(const std::string& text) {
    if (!has_form(text, "[0-9]{1,10}(:[0-9]{1,10}){1,2}"))
        return false;
    std::vector<std::uint64_t> parts;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t colon = std::min(text.find(':', from), text.size());
        std::uint64_t part = 0;
        std::from_chars(text.data() + from, text.data() + colon, part);
        parts.push_back(part);
        from = colon + 1;
    }
    const std::uint64_t limit = parts.size() == 2 ? 0xffff : 0xffffffff;
    return std::all_of(parts.begin(), parts.end(),
                       [&](std::uint64_t part) { return part <= limit; });
}

void check_communities(const Spec& spec) {
    std::vector<std::string> names;
    const Node* defined = spec.get("communities");
    if (defined != nullptr && defined->is_sequence())
        for (const Node& each : defined->items) {
            const Node* name = each.is_mapping() ? each.find("name") : nullptr;
            const Node* value = each.is_mapping() ? each.find("value") : nullptr;
            if (name != nullptr)
                names.push_back(name->text);
            if (value != nullptr && !is_community(value->text))
                spec.refuse(*value, "a community is two 16-bit or three 32-bit numbers");
        }
    const Node* advertised = spec.get("prefixAdvertisements");
    if (!names.empty() && (advertised == nullptr || advertised->items.empty()))
        spec.refuse(*defined, "communities are defined but not used in prefixAdvertisements");
    if (advertised == nullptr || !advertised->is_sequence())
        return;
    for (const Node& each : advertised->items) {
        const Node* used = each.is_mapping() ? each.find("communities") : nullptr;
        if (used == nullptr || !used->is_sequence() || used->items.empty()) {
            spec.refuse(each, "an advertised prefix needs communities");
            continue;
        }
        for (const Node& community : used->items)
            if (!is_community(community.text) &&
                std::find(names.begin(), names.end(), community.text) == names.end())
                spec.refuse(community, "community is neither defined nor a community value");
    }
}

/// BIRD refuses a configuration with such a prefix as a whole, and Calico passes texts on.
void check_host_bits(const Spec& spec, const Node& owner) {
    const Node* text = owner.is_mapping() ? owner.find("cidr") : nullptr;
    const auto cidr = text != nullptr && text->is_scalar()
                          ? net::parse_cidr(text->text, net::CidrForm::Masked)
                          : std::nullopt;
    if (cidr && !net::parse_cidr(text->text, net::CidrForm::Strict))
        spec.refuse(*text,
                    "BIRD takes no bits beyond the prefix length; meant " + to_string(*cidr));
}

void check_bgp_configuration(const Spec& spec) {
    for (std::string_view list : {"serviceClusterIPs", "serviceExternalIPs",
                                  "serviceLoadBalancerIPs", "prefixAdvertisements"})
        if (const Node* found = spec.get(list); found != nullptr && found->is_sequence())
            for (const Node& each : found->items)
                check_host_bits(spec, each);
    if (spec.text("nodeToNodeMeshEnabled") == "false")
        for (std::string_view key : {"nodeMeshPassword", "nodeMeshMaxRestartTime"})
            if (spec.has(key))
                spec.refuse(key, std::string(key) + " needs the node-to-node mesh");
    if (const Node* ignored = spec.get("ignoredInterfaces"); ignored != nullptr)
        for (const Node& each : ignored->items)
            if (each.text == "*" || !has_form(each.text, "[a-zA-Z0-9_.*-]{1,15}"))
                spec.refuse(each,
                            "an ignored interface is a name or a pattern other than `*` alone");
    check_communities(spec);
}

void check_filter_rule(const Spec& spec, const Node& rule, bool v4) {
    const Spec fields{spec.name, rule, spec.object, spec.diagnostics};
    if (fields.has("cidr") != fields.has("matchOperator"))
        fields.refuse(rule, "cidr and matchOperator must both be set or both be empty");
    if (fields.get("prefixLength") != nullptr && !fields.has("cidr"))
        fields.refuse("prefixLength", "prefixLength needs a cidr");
    check_host_bits(fields, rule);
    const auto cidr = net::parse_cidr(fields.text("cidr"), net::CidrForm::Masked);
    if (cidr && (cidr->family() == net::Family::V4) != v4)
        fields.refuse("cidr",
                      v4 ? "an IPv4 rule needs an IPv4 cidr" : "an IPv6 rule needs an IPv6 cidr");
    if (const Node* length = fields.get("prefixLength");
        length != nullptr && length->is_mapping() && v4)
        for (std::string_view key : {"min", "max"})
            if (const Node* bound = length->find(key);
                bound != nullptr && yaml::as_integer(*bound).value_or(0) > 32)
                fields.refuse(*bound, "an IPv4 prefix length is at most 32");
    if (const Node* communities = fields.get("communities");
        communities != nullptr && communities->is_mapping())
        if (const Node* values = communities->find("values"); values != nullptr) {
            if (values->items.size() != 1)
                fields.refuse(*values, "communities.values takes exactly one value");
            for (const Node& value : values->items)
                if (!is_community(value.text))
                    fields.refuse(value, "a community is two 16-bit or three 32-bit numbers");
        }
    const Node* operations = fields.get("operations");
    if (operations == nullptr)
        return;
    if (fields.text("action") != "Accept")
        fields.refuse("operations", "operations need action Accept");
    if (operations->items.empty() || operations->items.size() > 10)
        fields.refuse("operations", "operations takes 1 to 10 entries");
    for (const Node& operation : operations->items)
        if (!operation.is_mapping() || operation.members.size() != 1)
            fields.refuse(
                operation,
                "an operation is exactly one of addCommunity, prependASPath and setPriority");
        else if (const Node* path = operation.members[0].value.is_mapping()
                                        ? operation.members[0].value.find("prefix")
                                        : nullptr;
                 path != nullptr && (path->items.empty() || path->items.size() > 10))
            fields.refuse(*path, "prefix takes 1 to 10 AS numbers");
        else if (const Node* value = operation.members[0].key == "addCommunity" &&
                                             operation.members[0].value.is_mapping()
                                         ? operation.members[0].value.find("value")
                                         : nullptr;
                 value != nullptr && !is_community(value->text))
            fields.refuse(*value, "a community is two 16-bit or three 32-bit numbers");
}

void check_filter(const Spec& spec) {
    for (std::string_view key : {"exportV4", "importV4", "exportV6", "importV6"})
        if (const Node* rules = spec.get(key); rules != nullptr && rules->is_sequence())
            for (const Node& rule : rules->items)
                check_filter_rule(spec, rule, key.back() == '4');
}

// --- the rest ------------------------------------------------------------------------------------

std::int64_t number(const Node& mapping, std::string_view key) {
    const Node* found = mapping.is_mapping() ? mapping.find(key) : nullptr;
    return found != nullptr ? yaml::as_integer(*found).value_or(0) : 0;
}

void check_route_tables(const Spec& spec) {
    spec.exclusive("routeTableRange", "routeTableRanges");
    std::int64_t total = 0;
    const auto range = [&](const Node& each) {
        if (number(each, "min") > number(each, "max"))
            spec.refuse(each, "min must not be greater than max");
        else
            total += number(each, "max") - number(each, "min") + 1;
    };
    if (const Node* one = spec.get("routeTableRange"))
        range(*one);
    if (const Node* many = spec.get("routeTableRanges"); many != nullptr && many->is_sequence())
        for (const Node& each : many->items)
            range(each);
    if (total > 65535)
        spec.refuse("routeTableRanges", "the ranges hold more than 65535 tables");
}

void check_felix(const Spec& spec) {
    if (spec.has("nodeSelector") && (spec.name == "default" || spec.name.substr(0, 5) == "node."))
        spec.refuse("nodeSelector", "nodeSelector cannot be set on `default` or `node.*`");
    check_route_tables(spec);
    const Node* ranges = spec.get("kubeNodePortRanges");
    if (ranges == nullptr || !ranges->is_sequence())
        return;
    if (ranges->items.size() > 7)
        spec.refuse("kubeNodePortRanges", "at most 7 node port ranges");
    for (const Node& each : ranges->items)
        if (!has_form(each.text, "[0-9]{1,5}(:[0-9]{1,5})?"))
            spec.refuse(each, "a node port range is a number or first:last");
}

void check_ipam(const Spec& spec) {
    if (spec.text("strictAffinity") != "true") {
        if (spec.text("autoAllocateBlocks") == "false")
            spec.refuse("autoAllocateBlocks",
                        "autoAllocateBlocks: false needs strictAffinity: true");
        if (number(spec.node, "maxBlocksPerHost") > 0)
            spec.note(*spec.get("maxBlocksPerHost"),
                      "maxBlocksPerHost without strictAffinity: true is refused by "
                      "`calicoctl ipam configure`, and kept to where the object is applied");
    }
}

void check_node(const Spec& spec) {
    const Node* bgp = spec.get("bgp");
    if (bgp != nullptr && bgp->is_mapping() && bgp->members.empty())
        spec.refuse("bgp", "bgp must not be empty");
}

void check_affinity(const Spec& spec) {
    if (spec.text("deleted") == "true")
        spec.refuse("deleted", "deleted must not be true");
}

} // namespace

void check_rules(std::string_view kind, std::string_view name, const yaml::Node& spec,
                 const std::string& object, diag::Diagnostics& diagnostics) {
    struct Row {
        std::string_view kind;
        void (*check)(const Spec&);
    };
    static constexpr Row kRows[] = {
        {"BGPConfiguration", check_bgp_configuration},
        {"BGPFilter", check_filter},
        {"BGPPeer", check_peer},
        {"BlockAffinity", check_affinity},
        {"FelixConfiguration", check_felix},
        {"IPAMConfiguration", check_ipam},
        {"IPPool", check_pool},
        {"Installation", check_installation},
        {"Node", check_node},
    };
    for (const Row& row : kRows)
        if (row.kind == kind)
            row.check(Spec{name, spec, object, diagnostics});
}

} // namespace polecat::frontend
