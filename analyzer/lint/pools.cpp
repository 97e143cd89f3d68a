#include "analyzer/lint/pools.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace polecat::lint {

using policy::IpPool;

namespace {

constexpr std::string_view kInstallationField = "spec.calicoNetwork.";

bool of_installation(const IpPool& pool) {
    return pool.path != "spec";
}

/// Where the pool's fields stand in its settings.
std::string prefix_of(const IpPool& pool) {
    return of_installation(pool) ? pool.path.substr(kInstallationField.size()) + "." : "";
}

Encapsulation mode(const policy::Settings& spec, const char* field, Encapsulation always,
                   Encapsulation between) {
    if (spec.is(field, "Always"))
        return always;
    return spec.is(field, "CrossSubnet") ? between : Encapsulation::None;
}

Encapsulation encapsulation_of(const IpPool& pool) {
    if (!of_installation(pool)) {
        const auto ipip =
            mode(pool.spec, "ipipMode", Encapsulation::Ipip, Encapsulation::IpipCrossSubnet);
        return ipip != Encapsulation::None ? ipip
                                           : mode(pool.spec, "vxlanMode", Encapsulation::Vxlan,
                                                  Encapsulation::VxlanCrossSubnet);
    }
    const std::string field = prefix_of(pool) + "encapsulation";
    if (pool.spec.is(field, "VXLAN"))
        return Encapsulation::Vxlan;
    if (pool.spec.is(field, "VXLANCrossSubnet"))
        return Encapsulation::VxlanCrossSubnet;
    if (pool.spec.is(field, "IPIPCrossSubnet"))
        return Encapsulation::IpipCrossSubnet;
    // The operator takes IPIP where nothing is said, which IPv6 does not have.
    const bool ipip = pool.spec.is(field, "IPIP") ||
                      (!pool.spec.has(field) && pool.cidr.family() == net::Family::V4);
    return ipip ? Encapsulation::Ipip : Encapsulation::None;
}

bool uses(const IpPool& pool, const char* use) {
    return std::find(pool.allowed_uses.begin(), pool.allowed_uses.end(), use) !=
           pool.allowed_uses.end();
}

Pool view_of(const IpPool& pool) {
    const std::string at = prefix_of(pool);
    const bool operators = of_installation(pool);
    const policy::Settings& spec = pool.spec;
    Pool out;
    out.cidr = pool.cidr;
    out.span = spec.span(at + "cidr");
    out.name = operators && !spec.has(at + "name") ? "" : pool.meta.name;
    out.object = operators ? "Installation default" : "IPPool " + pool.meta.name;
    out.encapsulation = encapsulation_of(pool);
    out.nat_outgoing =
        operators ? !spec.is(at + "natOutgoing", "Disabled")
                  : spec.is_true("natOutgoing") || spec.is_true("nat-outgoing"); // its old name
    out.nat_said = spec.has(at + "natOutgoing") || spec.has(at + "nat-outgoing");
    out.disabled = pool.disabled || spec.is_true(at + "disableNewAllocations");
    out.automatic = !spec.is(at + "assignmentMode", "Manual");
    out.for_pods = pool.allowed_uses.empty() || uses(pool, "Workload");
    out.for_load_balancers = uses(pool, "LoadBalancer");
    const auto size = spec.integer(at + "blockSize");
    const unsigned usual = pool.cidr.family() == net::Family::V4 ? 26 : 122;
    out.block_size =
        size && size->value != 0 ? static_cast<unsigned>(size->value) : usual; // 0: not set
    out.node_selector = spec.selector(at + "nodeSelector");
    out.namespace_selector = spec.selector(at + "namespaceSelector");
    return out;
}

/// The texts of a flat JSON list.
class ListReader {
  public:
    explicit ListReader(std::string_view text) : text_(text) {}

    std::optional<std::vector<std::string>> read() {
        std::vector<std::string> out;
        if (!take('['))
            return std::nullopt;
        if (take(']'))
            return at_end() ? std::optional(out) : std::nullopt;
        do {
            const auto item = string();
            if (!item)
                return std::nullopt;
            out.push_back(*item);
        } while (take(','));
        return take(']') && at_end() ? std::optional(out) : std::nullopt;
    }

  private:
    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos)
            ++at_;
    }
    bool at_end() {
        skip_space();
        return at_ == text_.size();
    }
    bool take(char c) {
        skip_space();
        const bool found = at_ < text_.size() && text_[at_] == c;
        at_ += found ? 1 : 0;
        return found;
    }
    std::optional<std::string> string() {
        if (!take('"'))
            return std::nullopt;
        const std::size_t end = text_.find('"', at_);
        if (end == std::string_view::npos)
            return std::nullopt;
        std::string out(text_.substr(at_, end - at_));
        at_ = end + 1;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

void add_requests(const std::map<std::string, std::string>& annotations,
                  std::initializer_list<const char*> names, const std::string& object, Span span,
                  std::vector<AddressRequest>& out) {
    for (const char* name : names) {
        const auto found = annotations.find(std::string("cni.projectcalico.org/") + name);
        if (found == annotations.end() || found->second.empty())
            continue;
        AddressRequest request;
        request.annotation = name;
        request.object = object;
        request.text = found->second;
        request.understood = found->second.find('\\') == std::string::npos;
        if (request.understood)
            request.items = ListReader(found->second).read();
        request.span = span;
        out.push_back(std::move(request));
    }
}

} // namespace

std::string Pool::shown() const {
    return name.empty() ? net::to_string(cidr)
                        : fmt::format("`{}` ({})", name, net::to_string(cidr));
}

bool uses_ipip(const Pool& pool) {
    return pool.encapsulation == Encapsulation::Ipip ||
           pool.encapsulation == Encapsulation::IpipCrossSubnet;
}

bool uses_vxlan(const Pool& pool) {
    return pool.encapsulation == Encapsulation::Vxlan ||
           pool.encapsulation == Encapsulation::VxlanCrossSubnet;
}

std::vector<Pool> pools_of(const policy::Cluster& cluster) {
    std::vector<Pool> out;
    for (const IpPool& pool : cluster.pools)
        if (!of_installation(pool))
            out.push_back(view_of(pool));
    const std::size_t objects = out.size();
    for (const IpPool& pool : cluster.pools) {
        const auto made = [&](const Pool& each) { return each.cidr == pool.cidr; };
        const auto end = out.begin() + static_cast<std::ptrdiff_t>(objects);
        if (of_installation(pool) && std::none_of(out.begin(), end, made))
            out.push_back(view_of(pool));
    }
    return out;
}

std::vector<NodeView> nodes_of(const policy::Cluster& cluster) {
    std::vector<NodeView> out;
    std::map<std::string, std::size_t> by_name;
    for (const policy::Node& node : cluster.nodes) {
        const auto [place, fresh] = by_name.emplace(node.meta.name, out.size());
        if (fresh)
            out.push_back({node.meta.name, {}, {}, node.meta.span});
        NodeView& view = out[place->second];
        for (const auto& [label, value] : node.meta.labels)
            view.labels.set(label, value);
        for (const net::Address& address : node.addresses)
            if (std::find(view.addresses.begin(), view.addresses.end(), address) ==
                view.addresses.end())
                view.addresses.push_back(address);
    }
    return out;
}

bool is_windows(const NodeView& node) {
    return node.labels.find("kubernetes.io/os") == "windows";
}

bool calico_gives_addresses(const policy::Cluster& cluster) {
    for (const policy::OtherObject& each : cluster.others)
        if (each.kind == "Installation" &&
            ((each.around.has("cni.type") && !each.around.is("cni.type", "Calico")) ||
             (each.around.has("cni.ipam.type") && !each.around.is("cni.ipam.type", "Calico"))))
            return false;
    return true;
}

std::vector<AddressRequest> requests_of(const policy::Cluster& cluster) {
    std::vector<AddressRequest> out;
    for (const policy::Namespace& each : cluster.namespaces)
        add_requests(each.meta.annotations, {"ipv4pools", "ipv6pools"},
                     "Namespace " + each.meta.name, each.meta.span, out);
    for (const policy::Workload& each : cluster.workloads)
        if (!each.host_network && each.kind != "WorkloadEndpoint")
            add_requests(each.pod_annotations, {"ipv4pools", "ipv6pools", "ipAddrs", "floatingIPs"},
                         fmt::format("{} {}/{}", each.kind, each.meta.space, each.meta.name),
                         each.meta.span, out);
    return out;
}

} // namespace polecat::lint
