/// Ports that are translated before a pod's policy sees them: those of services, node ports and
/// host ports, and what they lead to. For analyzer/lint only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/lint/context.h"

namespace polecat::lint {

struct FrontPort {
    enum class Kind : std::uint8_t { Service, NodePort, HostPort };
    Kind kind = Kind::Service;
    std::string owner; ///< "shop/web": the service, or the pod of a host port
    std::string name;  ///< of the service's port; may be empty
    net::Protocol protocol = net::kTcp;
    std::uint16_t port = 0, target = 0;
    std::optional<decision::ObjectId> object; ///< what listens there: an endpoint of the world,
    std::optional<net::Address> address;      ///< or an address that none holds

    bool is_of_service(const std::string& service) const {
        return kind != Kind::HostPort && owner == service;
    }
    std::string shown() const; ///< "node port 30080 of service shop/web"
};

/// Endpoints with that address that policy knows.
std::vector<decision::ObjectId> holders_of(const Context& context, const net::Address& address);

class FrontPorts {
  public:
    explicit FrontPorts(const Context& context);
    FrontPorts(const FrontPorts&) = delete; // what it gives out points into it
    FrontPorts& operator=(const FrontPorts&) = delete;

    const std::vector<FrontPort>& list() const { return list_; }
    /// Those that lead to an endpoint, or to an address.
    const std::vector<const FrontPort*>& of(decision::ObjectId object) const {
        return by_object_[object.value];
    }
    std::vector<const FrontPort*> of(const net::Address& address) const;

  private:
    void add(const Context& context, const policy::Service& service);
    void add(const Context& context, FrontPort front, const decision::ServiceBackend& backend);

    std::vector<FrontPort> list_;
    std::vector<std::vector<const FrontPort*>> by_object_;
    std::multimap<net::Address, std::size_t> by_address_;
};

/// Some rule of the policy with the same action lets the same peers to where the port leads: what
/// the port was named for works all the same.
bool is_named_too(const Context& context, const RuleView& view, const FrontPort& front);

/// An ingress rule's destination has ports, all by names, and nothing that its policy governs
/// declares one of them.
bool names_no_port(Context& context, const RuleView& view);

} // namespace polecat::lint
