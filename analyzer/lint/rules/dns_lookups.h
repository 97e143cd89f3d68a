/// What endpoints may ask of resolvers: of the cluster's DNS pods, of the node-local cache, of
/// others. For analyzer/lint only.
#pragma once

#include <set>
#include <vector>

#include "analyzer/ends/hypothetical.h"
#include "analyzer/flows/program_view.h"
#include "analyzer/lint/rules/dns_servers.h"

namespace polecat::lint {

/// What an endpoint's egress lets it ask of resolvers.
struct Lookups {
    struct Ways {
        bool udp = false, tcp = false;
        Ways operator|(const Ways& other) const { return {udp || other.udp, tcp || other.tcp}; }
    };
    Ways pods;      ///< of the DNS pods
    Ways local;     ///< of the node-local cache
    Ways elsewhere; ///< of resolvers that are none of the cluster's
    Ways chosen;    ///< of those, at few addresses to which not everything may be sent
    /// It may send to ends that one knows by name: pods, or more addresses than one writes down.
    bool needs_names = false;
};

class DnsLookups {
  public:
    /// Both must outlive this.
    DnsLookups(Context& context, analyzer::EndGroups& ends);

    /// For endpoints that a program sees as `own`.
    Lookups of(analyzer::ProgramView<analyzer::StoredFlows>& program,
               const decision::Identity& own);

    const DnsServers& servers() const { return servers_; }
    bool has_node_local() const { return node_local_; } ///< the cluster has a node-local cache

  private:
    /// What there is in a class of ends that a program does not tell apart.
    struct Class {
        bool has_local = false; ///< the node-local cache
        bool resolves = false;  ///< may have resolvers that are none of the cluster's
        bool is_public = false; ///< addresses of the internet
        bool is_wide = false;   ///< more addresses than somebody writes down
        bool has_pods = false;  ///< that one reaches by name

        void take(const Class& other);
    };
    void add_absent_pods();
    void find_node_local();
    Class kind_of(std::uint32_t group) const;
    bool may_resolve(const analyzer::EndGroup& group) const;
    std::vector<Class> classes_of(const analyzer::GroupClasses::Partition& partition) const;

    Context& context_;
    analyzer::EndGroups& ends_;
    const DnsServers servers_;
    analyzer::Hypothetical absent_;
    /// Packets to ports of both protocols.
    struct Asked {
        analyzer::SetStore::Id udp = 0, tcp = 0;
    };
    Asked packets_to(const DnsPorts& ports);

    analyzer::SetStore& store_;
    std::set<net::Address> service_addresses_;
    std::vector<std::uint32_t> local_; ///< groups
    std::vector<Class> kinds_;         ///< by group
    bool node_local_ = false;
};

bool is_host(const Context& context, const analyzer::EndGroup& group);

} // namespace polecat::lint
