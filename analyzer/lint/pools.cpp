#include "analyzer/lint/pools.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace polecat::lint {

namespace {

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
                  std::initializer_list<const char*> names, const AddressRequest& of,
                  std::vector<AddressRequest>& out) {
    for (const char* name : names) {
        const auto found = annotations.find(std::string("cni.projectcalico.org/") + name);
        if (found == annotations.end() || found->second.empty())
            continue;
        AddressRequest request = of;
        request.annotation = name;
        request.text = found->second;
        request.understood = found->second.find('\\') == std::string::npos;
        if (request.understood)
            request.items = ListReader(found->second).read();
        out.push_back(std::move(request));
    }
}

} // namespace

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

const Pool* pool_asked_for(const std::vector<Pool>& pools, const std::string& asked) {
    const auto cidr = net::parse_cidr(asked, net::CidrForm::Masked);
    const auto found = std::find_if(pools.begin(), pools.end(), [&](const Pool& pool) {
        return cidr ? pool.cidr == *cidr : pool.name == asked;
    });
    return found == pools.end() ? nullptr : &*found;
}

std::vector<AddressRequest> requests_of(const policy::Cluster& cluster) {
    std::vector<AddressRequest> out;
    for (const policy::Namespace& each : cluster.namespaces) {
        AddressRequest of;
        of.object = "Namespace " + each.meta.name;
        of.space = each.meta.name;
        of.span = each.meta.span;
        add_requests(each.meta.annotations, {"ipv4pools", "ipv6pools"}, of, out);
    }
    for (const policy::Workload& each : cluster.workloads) {
        if (each.host_network || each.kind == "WorkloadEndpoint")
            continue;
        AddressRequest of;
        of.object = fmt::format("{} {}/{}", each.kind, each.meta.space, each.meta.name);
        of.space = each.meta.space;
        of.pod = &each;
        of.span = each.meta.span;
        add_requests(each.pod_annotations, {"ipv4pools", "ipv6pools", "ipAddrs", "floatingIPs"}, of,
                     out);
    }
    return out;
}

} // namespace polecat::lint
