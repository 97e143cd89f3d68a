/// What the neighbours of a node are told of a prefix, and what the node takes of what they tell:
/// `polecat bgp announce` and `accept`. One session at a time, with the reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/exchange.h"
#include "analyzer/routing/propagation/propagation_classes.h"

namespace polecat::routing {

/// One session of a node, and one prefix.
struct Announcement {
    NodeIndex node = 0;
    Session session;
    std::string neighbor;    ///< "node b (10.0.0.2)", "10.0.0.9"
    bool establishes = true; ///< the other end, if it is a node, agrees
    bool own = true;         ///< the node originates it; otherwise it is passed on
    Withheld withheld = Withheld::No;
    RouteVerdict verdict; ///< of the filters; not asked where it is withheld
    Route sent;           ///< as it leaves, where it is announced

    bool announced() const { return withheld == Withheld::No && verdict.accepted(); }
};

class Announcements {
  public:
    /// `lower` makes a node's form with the mesh's sessions.
    Announcements(const ClusterRouting& cluster, std::vector<policy::FabricRouter> routers,
                  net::Family family, LowerNode lower);

    /// Who originates exactly this prefix.
    std::vector<NodeIndex> origins(const net::Cidr& prefix) const;
    /// The prefixes that some node originates and that hold `address`, the longest first.
    std::vector<net::Cidr> holding(const net::Address& address) const;
    /// Those inside `range`.
    std::vector<net::Cidr> inside(const net::Cidr& range) const;
    /// What the node tells each neighbour; empty: it has no route to the prefix.
    std::vector<Announcement> of(NodeIndex node, const net::Cidr& prefix, Trail trail);
    /// One of each class of nodes with equal routing, and how many it stands for.
    struct Alike {
        NodeIndex node = 0;
        std::size_t count = 0;
        bool own = false; ///< they originate the prefix
    };
    /// Those that originate the prefix first. `except` stands for nobody.
    std::vector<Alike> alike(const net::Cidr& prefix, std::optional<NodeIndex> except) const;
    /// The other end, as far as the input knows it, agrees. `session` is one of `node`.
    bool establishes(NodeIndex node, const NodeRouting& form, const Session& session) const;

  private:
    std::vector<Path> paths(NodeIndex node, const net::Cidr& prefix, const NodeRouting& form);

    const ClusterRouting& cluster_;
    net::Family family_;
    LowerNode lower_;
    Propagation model_;
    std::vector<net::Cidr> prefixes_;
    std::vector<policy::FabricRouter> routers_;
    std::map<net::Address, NodeIndex> by_address_;
};

} // namespace polecat::routing
