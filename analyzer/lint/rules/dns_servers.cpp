#include "analyzer/lint/rules/dns_servers.h"

#include <algorithm>

#include "ir/policy/dns.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

namespace {

/// The labels by which a DNS pod is known; nullopt: it is none.
std::optional<DnsPods> dns_labels_of(const decision::Object& object) {
    for (const auto& [label, value] : policy::kDnsLabels)
        if (const auto found = object.labels.find(label); found && *found == value) {
            const auto space = object.labels.find(policy::kNamespaceLabel);
            return DnsPods{space ? std::string(*space) : "", label, value};
        }
    return std::nullopt;
}

void add(DnsPorts& ports, net::Protocol protocol, std::uint16_t port) {
    if (protocol == net::kUdp)
        ports.udp.insert(port);
    else if (protocol == net::kTcp)
        ports.tcp.insert(port);
}

class Finder {
  public:
    Finder(const Context& context, const analyzer::EndGroups& ends)
        : context_(context), ends_(ends) {}

    DnsServers run() {
        find_pods();
        for (const auto& [name, front] : context_.lowered.service_fronts)
            if (!front.headless) // whose port is the pods' own
                follow(front);
        for (auto& [group, ports] : out_.groups) {
            if (ports.udp.empty())
                add_declared(group, ports);
            take(ports);
        }
        if (out_.groups.empty())
            guess();
        return std::move(out_);
    }

  private:
    void find_pods() {
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            for (const decision::ObjectId id : ends_.list()[i].objects)
                if (const auto labels = dns_labels_of(context_.object(id))) {
                    out_.groups.try_emplace(i);
                    out_.one_kind = out_.one_kind && (!out_.pods || *out_.pods == *labels);
                    out_.pods = labels;
                }
    }

    bool leads_to(const decision::ServiceBackend& backend, std::uint32_t group) const {
        const auto& objects = ends_.list()[group].objects;
        return std::any_of(objects.begin(), objects.end(), [&](decision::ObjectId id) {
            const auto& addresses = context_.object(id).addresses;
            return backend.object == id ||
                   (backend.address && std::find(addresses.begin(), addresses.end(),
                                                 *backend.address) != addresses.end());
        });
    }

    void follow(const decision::ServiceFront& front) {
        for (const decision::ServiceFront::Port& port : front.ports)
            for (const decision::ServiceBackend& backend : port.backends)
                for (auto& [group, ports] : out_.groups)
                    if (port.port == kDnsPort && leads_to(backend, group))
                        add(ports, port.protocol, backend.port);
    }

    /// Without their service: what the pods declare, or what pods with such labels listen to.
    void add_declared(std::uint32_t group, DnsPorts& ports) const {
        const decision::Object& pod = context_.object(ends_.list()[group].objects.front());
        for (const policy::EndpointPort& port : pod.ports)
            if (port.name.starts_with("dns"))
                add(ports, port.protocol, port.port);
        if (ports.udp.empty() && pod.labels.find("dns.operator.openshift.io/daemonset-dns"))
            ports = {{kOpenShiftDnsPort}, {kOpenShiftDnsPort}};
    }

    void take(DnsPorts& ports) {
        if (ports.udp.empty())
            ports.udp.insert(kDnsPort);
        if (ports.tcp.empty()) // a server listens at one port over both
            ports.tcp = ports.udp;
        out_.ports.udp.insert(ports.udp.begin(), ports.udp.end());
        out_.ports.tcp.insert(ports.tcp.begin(), ports.tcp.end());
    }

    /// The pods are not in the input, but their service may be.
    void guess() {
        out_.ports = kUsualDnsPorts;
        for (const policy::Service& service : context_.cluster.services)
            for (const policy::ServicePort& port : service.ports)
                if (const auto* target = std::get_if<std::uint16_t>(&port.target_port);
                    target != nullptr && *target != 0 && port.port == kDnsPort)
                    add(out_.ports, port.protocol, *target);
    }

    const Context& context_;
    const analyzer::EndGroups& ends_;
    DnsServers out_;
};

} // namespace

bool DnsServers::as_usual() const {
    return ports == kUsualDnsPorts;
}

DnsServers dns_servers_of(const Context& context, const analyzer::EndGroups& ends) {
    return Finder(context, ends).run();
}

} // namespace polecat::lint
