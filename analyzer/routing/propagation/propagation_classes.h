/// The model of propagation for clusters of any size: propagation.h on a few nodes of each class,
/// which stand for all. Paths that differ only in which node of a class they go through are one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/node_classes.h"
#include "analyzer/routing/propagation/propagation.h"

namespace polecat::routing {

/// passes::node_routing. nullopt: refused, and then the node speaks with nobody.
using LowerNode = std::function<std::optional<NodeRouting>(const ClusterRouting&, NodeIndex)>;

class Propagation {
  public:
    Propagation(const ClusterRouting& cluster, std::vector<policy::FabricRouter> routers,
                net::Family family, LowerNode lower);

    const NodeClasses& classes() const { return classes_; }
    /// Whatever some node originates, ascending.
    std::vector<net::Cidr> prefixes() const;

    /// A kind of node, for one prefix: of a class, and with the same part in who originates it.
    struct Group {
        std::uint32_t of_class = 0;
        std::uint8_t role = 0; ///< 0: none
        auto operator<=>(const Group&) const = default;
    };
    /// A prefix among representatives. Speakers at and after `groups.size()` are routers.
    struct Run {
        Network network;
        std::vector<Group> groups; ///< by speaker
        Spread spread;
    };
    /// Equal runs are made once, and kept until the next of another kind where they are large.
    const Run& run(const net::Cidr& prefix);
    /// Who stands for the node in the run of a prefix; nullopt: nobody does.
    std::optional<SpeakerIndex> speaker(const Run& run, NodeIndex node,
                                        const net::Cidr& prefix) const;
    /// What the nodes that have part in a prefix are for it; bits that propagation_classes.cpp
    /// knows. Nodes with the same part and class are alike.
    using Roles = std::map<NodeIndex, std::uint8_t>;
    Roles roles(const net::Cidr& prefix) const;
    /// Equal for prefixes that no rule tells apart and that equally many nodes of each class
    /// originate: they share a run.
    std::string key(const net::Cidr& prefix, const Roles& roles) const;

    struct Learnt {
        /// Journeys in nodes of the cluster (then routers), without sessions' numbers.
        std::vector<Path> paths;
        bool known = true; ///< false: doesn't settle, or more than `most` paths
    };
    Learnt learnt(NodeIndex node, const net::Cidr& prefix, std::size_t most = 10'000);

  private:
    void find_origins();
    void find_rules();
    Run make(const net::Cidr& prefix, const Roles& roles) const;
    Learnt expanded(const Run& run, SpeakerIndex speaker, NodeIndex node, const Roles& roles,
                    std::size_t most) const;

    const ClusterRouting& cluster_;
    std::vector<policy::FabricRouter> routers_;
    net::Family family_;
    LowerNode lower_;
    NodeClasses classes_;
    ClusterRouting bare_;    ///< without its nodes
    std::size_t enough_ = 3; ///< nodes of a group that a run needs
    std::map<net::Cidr, Roles> origins_;
    std::map<std::uint8_t, std::map<net::Cidr, std::vector<NodeIndex>>> hiding_; ///< by length
    std::vector<net::Cidr> rules_; ///< that filters and rules ask about
    std::map<std::string, Run> runs_;
    std::size_t held_ = 0; ///< sessions in them
};

} // namespace polecat::routing
