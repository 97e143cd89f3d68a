// Which programs a packet meets between two settled ends.
// felix/rules/static.go (filter INPUT, FORWARD, OUTPUT, raw and mangle), calico-policy 1.8.
#include "ir/path_route.h"

#include <algorithm>

namespace polecat::ir {

using decision::Direction;
using decision::End;
using decision::Hook;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::Verdict;

namespace {

class Router {
  public:
    Router(const LoweredCluster& cluster, const PathQuery& query,
           const std::optional<Translation>& translation)
        : cluster_(cluster), query_(query), translation_(translation), family_(*query.family) {
        source_ = place_of(query.source);
        destination_ = place_of(query.destination);
        path_.flow = query.packet;
        path_.flow.family = family_;
        path_.flow.source = end_at(query.source);
        path_.flow.destination = end_at(query.destination);
        if (translation_) {
            Rewrite rewrite;
            rewrite.destination = path_.flow.destination;
            rewrite.destination_port = translation_->port;
            nat_ = rewrite;
            path_.flow.destination = End{};
            if (translation_->front)
                path_.flow.destination = decision::end_of(cluster.world, *translation_->front);
        }
    }

    void run(std::vector<Path>& out) {
        if (stays_inside()) {
            path_.end_reason = "traffic inside one pod meets no policy";
            out.push_back(path_);
        } else if (query_.route == Route::Ends) {
            leave_ends();
            out.push_back(path_);
        } else {
            wire(out);
        }
    }

  private:
    enum class Kind : std::uint8_t { Workload, Host, Outside };
    struct Place {
        Kind kind = Kind::Outside;
        std::optional<ObjectId> object;
        std::string node;
    };

    Place place_of(const PathEnd& end) const {
        Place place;
        place.object = end.endpoint;
        place.node = end.node;
        if (!end.endpoint) {
            place.kind = end.node.empty() ? Kind::Outside : Kind::Host;
            return place;
        }
        const decision::Endpoint* endpoint = cluster_.endpoint_of(*end.endpoint);
        if (endpoint == nullptr)
            return place;
        place.node = endpoint->node;
        place.kind =
            endpoint->is_host_endpoint || endpoint->host_network ? Kind::Host : Kind::Workload;
        return place;
    }

    End end_at(const PathEnd& end) const {
        if (end.address) {
            End out = decision::end_of(cluster_.world, *end.address);
            if (end.endpoint && std::find(out.objects.begin(), out.objects.end(), *end.endpoint) ==
                                    out.objects.end())
                out.objects.push_back(*end.endpoint);
            return out;
        }
        if (end.endpoint) {
            const auto& held = cluster_.world.object(*end.endpoint).addresses;
            const auto of_family = [&](const net::Address& a) { return a.family == family_; };
            if (std::count_if(held.begin(), held.end(), of_family) == 1) {
                End out = decision::end_of(cluster_.world,
                                           *std::find_if(held.begin(), held.end(), of_family));
                if (std::find(out.objects.begin(), out.objects.end(), *end.endpoint) ==
                    out.objects.end())
                    out.objects.push_back(*end.endpoint);
                return out;
            }
            return End{{*end.endpoint}, std::nullopt};
        }
        return node_end(end.node);
    }

    End node_end(const std::string& name) const {
        for (const decision::NodeInfo& node : cluster_.nodes)
            if (node.name == name)
                for (const net::Address& address : node.addresses)
                    if (address.family == family_)
                        return decision::end_of(cluster_.world, address);
        return End{};
    }

    /// A template stands for many pods, so only a pod can talk to itself.
    bool stays_inside() const {
        if (!source_.object || source_.object != destination_.object || translation_)
            return false;
        const auto& kind = cluster_.world.object(*source_.object).manifest_kind;
        return kind == "Pod" || kind == "WorkloadEndpoint" || kind == "HostEndpoint";
    }

    Hop& add(ObjectId object, Direction direction, Hook hook) {
        Hop hop;
        hop.endpoint = object;
        hop.direction = direction;
        hop.hook = hook;
        path_.hops.push_back(std::move(hop));
        return path_.hops.back();
    }

    void translate_at(Hop& hop) {
        if (nat_ && !translated_)
            hop.rewrite = nat_;
        translated_ = true;
    }

    void leave_ends() {
        if (source_.object)
            translate_at(add(*source_.object, Direction::Egress, Hook::Normal));
        if (destination_.object)
            translate_at(add(*destination_.object, Direction::Ingress, Hook::Normal));
    }

    // --- the wire --------------------------------------------------------------------------------

    /// Host endpoints whose interface a packet from or to the network may cross on a node. Those
    /// that expect the host's address, where the host is the end; no entry: none.
    std::vector<ObjectId> interfaces_of(const std::string& node, const Place& end,
                                        const End& ends) const {
        std::vector<ObjectId> all, expecting;
        if (node.empty())
            return all;
        for (const auto& [name, id] : cluster_.host_endpoints_by_name) {
            const decision::Endpoint* endpoint = cluster_.endpoint_of(id);
            if (endpoint == nullptr || endpoint->node != node)
                continue;
            all.push_back(id);
            const auto& held = cluster_.world.object(id).addresses;
            if (ends.address && std::find(held.begin(), held.end(), *ends.address) != held.end())
                expecting.push_back(id);
        }
        if (end.kind == Kind::Host && end.object &&
            std::find(all.begin(), all.end(), *end.object) != all.end())
            return {*end.object};
        return expecting.empty() || end.kind != Kind::Host ? all : expecting;
    }

    /// The node on which a packet for the destination arrives from the network.
    const std::string& entry_node() const {
        return translation_ && translation_->node ? *translation_->node : destination_.node;
    }

    void wire(std::vector<Path>& out) {
        const bool local = !source_.node.empty() && source_.node == destination_.node &&
                           source_.kind != Kind::Outside && destination_.kind != Kind::Outside;
        if (local)
            return local_route(out);
        const Path start = path_;
        const auto leaving = choices(interfaces_of(source_.node, source_, start.flow.source));
        const auto entering =
            choices(interfaces_of(entry_node(), destination_, start.flow.destination));
        for (const auto& way_out : leaving)
            for (const auto& way_in : entering)
                for (const bool masqueraded : masquerades()) {
                    path_ = start;
                    translated_ = false;
                    leave_node(way_out);
                    enter_node(way_in, masqueraded);
                    out.push_back(path_);
                }
    }

    static std::vector<std::optional<ObjectId>> choices(const std::vector<ObjectId>& list) {
        if (list.empty())
            return {std::nullopt};
        return {list.begin(), list.end()};
    }

    /// kube-proxy may put the node's address in place of the client's at a node port, and
    /// natOutgoing the node's in place of the pod's towards hosts.
    std::vector<bool> masquerades() const {
        const bool pod_to_host = source_.kind == Kind::Workload &&
                                 destination_.kind == Kind::Host && !source_.node.empty();
        if ((translation_ && translation_->node) || pod_to_host)
            return {false, true};
        return {false};
    }

    void local_route(std::vector<Path>& out) {
        if (source_.kind == Kind::Host) { // OUTPUT returns for workload interfaces
            path_.end_reason = "a host always reaches its own pods";
        } else {
            Hop& egress = add(*source_.object, Direction::Egress, Hook::Normal);
            translate_at(egress);
            if (destination_.kind == Kind::Host) {
                egress.lets_router_icmp_through = true;
                end_at_host();
            } else {
                add(*destination_.object, Direction::Ingress, Hook::Normal);
            }
        }
        out.push_back(path_);
    }

    void end_at_host() {
        const std::string action = cluster_.felix.default_endpoint_to_host_action.value_or("Drop");
        if (action == "Accept")
            return;
        if (action == "Return") {
            path_.end = Verdict::Depends;
            path_.end_reason = "defaultEndpointToHostAction is Return: the host's own rules decide";
            return;
        }
        path_.end = Verdict::Deny;
        path_.end_reason = "defaultEndpointToHostAction is " + action +
                           (cluster_.felix.default_endpoint_to_host_action ? "" : " by default") +
                           ": pods don't reach their own node";
    }

    void leave_node(const std::optional<ObjectId>& interface) {
        if (source_.kind == Kind::Workload) {
            translate_at(add(*source_.object, Direction::Egress, Hook::Normal));
            if (interface)
                add(*interface, Direction::Egress, Hook::Forward);
        } else if (source_.kind == Kind::Host && interface) {
            Hop& raw = add(*interface, Direction::Egress, Hook::Untracked);
            raw.has_failsafes = true;
            Hop& normal = add(*interface, Direction::Egress, Hook::Normal);
            translate_at(normal); // policed after DNAT, in mangle POSTROUTING
            normal.has_failsafes = true;
            normal.skipped_when_accepted = true;
        }
        note(interface, "out through ");
    }

    void enter_node(const std::optional<ObjectId>& interface, bool masqueraded) {
        if (interface) {
            for (const Hook hook : {Hook::Untracked, Hook::PreDnat})
                add(*interface, Direction::Ingress, hook).has_failsafes = true;
            const bool for_host = destination_.kind == Kind::Host && !node_port();
            Hop& own = add(*interface, Direction::Ingress, for_host ? Hook::Normal : Hook::Forward);
            translate_at(own);
            own.has_failsafes = for_host;
            own.skipped_when_accepted = true;
            note(interface, "in through ");
        }
        if (destination_.kind == Kind::Workload)
            translate_at(add(*destination_.object, Direction::Ingress, Hook::Normal));
        if (masqueraded)
            masquerade();
    }

    bool node_port() const { return translation_ && translation_->node; }

    /// The first hop that sees the node's address as source.
    void masquerade() {
        const End node = node_end(node_port() ? *translation_->node : source_.node);
        for (std::size_t i = 0; i < path_.hops.size(); ++i) {
            Hop& hop = path_.hops[i];
            const bool first = node_port() ? hop.direction == Direction::Ingress &&
                                                 hop.endpoint == destination_.object
                                           : hop.direction == Direction::Ingress;
            if (!first)
                continue;
            if (!hop.rewrite)
                hop.rewrite = Rewrite{};
            hop.rewrite->source = node;
            break;
        }
        add_assumption("with the source address of node " +
                       (node_port() ? *translation_->node : source_.node));
    }

    void note(const std::optional<ObjectId>& interface, const char* how) {
        if (interface)
            add_assumption(how + cluster_.world.object(*interface).name);
    }

    void add_assumption(const std::string& text) {
        path_.assumption += (path_.assumption.empty() ? "" : ", ") + text;
    }

    const LoweredCluster& cluster_;
    const PathQuery& query_;
    const std::optional<Translation>& translation_;
    net::Family family_;
    Place source_, destination_;
    std::optional<Rewrite> nat_;
    bool translated_ = false; ///< some hop has the rewrite already
    Path path_;
};

} // namespace

void add_routes(const LoweredCluster& cluster, const PathQuery& query,
                const std::optional<Translation>& translation, std::vector<Path>& out) {
    Router(cluster, query, translation).run(out);
}

} // namespace polecat::ir
