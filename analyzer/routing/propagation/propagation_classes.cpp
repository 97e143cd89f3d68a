#include "analyzer/routing/propagation/propagation_classes.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::routing {

namespace {

/// A node's part in a prefix; bits.
enum Role : std::uint8_t {
    kBlock = 1,       ///< originates it as a block
    kHides = 2,       ///< has it as a block that is announced
    kService = 4,     ///< originates it as a service's address
    kHidesInside = 8, ///< has a block around it
};

void apply(std::uint8_t role, const net::Cidr& prefix, FamilyRouting& form) {
    if ((role & kHidesInside) != 0)
        form.blocks.push_back(
            {net::block_of(prefix.base, static_cast<std::uint8_t>(prefix.prefix - 1)),
             false,
             true,
             {}});
    if ((role & (kBlock | kHides)) != 0)
        form.blocks.push_back({prefix, (role & kBlock) != 0, (role & kHides) != 0, {}});
    if ((role & kService) != 0)
        form.services.push_back({prefix, {}});
}

} // namespace

Propagation::Propagation(const ClusterRouting& cluster, std::vector<policy::FabricRouter> routers,
                         net::Family family, LowerNode lower)
    : cluster_(cluster), routers_(std::move(routers)), family_(family), lower_(std::move(lower)),
      classes_(node_classes(cluster)), bare_(without_nodes(cluster)) {
    // The origin, the receiver and one in between; each pass through a known AS is one more.
    std::uint32_t allowed = 0;
    for (const BgpPeer& peer : cluster.peers)
        allowed = std::max(allowed, peer.allowed_local_as);
    enough_ += std::min<std::uint32_t>(allowed, 3);
    find_origins();
    find_rules();
}

void Propagation::find_origins() {
    const FamilyShared& shared = cluster_.of(family_);
    for (const auto* lines : {&shared.announced_ranges, &shared.services})
        for (const PrefixLine& line : *lines)
            origins_.try_emplace(line.prefix); // by whoever announces services: the forms say
    for (NodeIndex i = 0; i < cluster_.nodes.size(); ++i) {
        const BgpNode& node = cluster_.nodes[i];
        for (const Block& block : node.blocks) {
            if (block.cidr.family() != family_)
                continue;
            auto& role = origins_[block.cidr][i];
            role = static_cast<std::uint8_t>(role | (block.originates ? kBlock : 0) |
                                             (block.hides ? kHides : 0));
            if (block.hides)
                hiding_[block.cidr.prefix][block.cidr].push_back(i);
        }
        for (const PrefixLine& line : node.services)
            if (line.prefix.family() == family_ && node.announces_services)
                origins_[line.prefix][i] |= kService;
    }
}

void Propagation::find_rules() {
    const FamilyShared& shared = cluster_.of(family_);
    for (const Filter& filter : shared.filters)
        for (const auto* rules : {&filter.import_rules, &filter.export_rules})
            for (const FilterRule& rule : *rules)
                if (rule.match.net)
                    rules_.push_back(rule.match.net->cidr);
    for (const Pool& pool : shared.pools)
        rules_.push_back(pool.cidr);
    for (const auto* lines : {&shared.announced_ranges, &shared.services, &shared.reflected})
        for (const PrefixLine& line : *lines)
            rules_.push_back(line.prefix);
    for (const CommunityLine& line : shared.communities)
        rules_.push_back(line.prefix);
    for (const BgpNode& node : cluster_.nodes)
        for (const CommunityLine& line : node.communities.value_or(std::vector<CommunityLine>{}))
            rules_.push_back(line.prefix);
    std::sort(rules_.begin(), rules_.end());
    rules_.erase(std::unique(rules_.begin(), rules_.end()), rules_.end());
}

std::vector<net::Cidr> Propagation::prefixes() const {
    std::vector<net::Cidr> out;
    for (const auto& [prefix, roles] : origins_)
        out.push_back(prefix);
    return out;
}

Propagation::Roles Propagation::roles(const net::Cidr& prefix) const {
    Roles out;
    if (const auto found = origins_.find(prefix); found != origins_.end())
        out = found->second;
    for (const auto& [length, blocks] : hiding_) {
        if (length >= prefix.prefix)
            break;
        if (const auto found = blocks.find(net::block_of(prefix.base, length));
            found != blocks.end())
            for (const NodeIndex node : found->second)
                out[node] |= kHidesInside;
    }
    return out;
}

std::string Propagation::key(const net::Cidr& prefix, const Roles& roles) const {
    std::string out = fmt::format("{} ", prefix.prefix);
    for (const net::Cidr& rule : rules_)
        out += rule.family() != prefix.family()                            ? ' '
               : rule == prefix                                            ? '='
               : rule.prefix < prefix.prefix && rule.contains(prefix.base) ? '<'
                                                                           : '-';
    std::map<Group, std::size_t> counts;
    std::map<std::uint32_t, std::size_t> special;
    for (const auto& [node, role] : roles) {
        ++counts[{classes_.of[node], role}];
        ++special[classes_.of[node]];
    }
    for (const auto& [of_class, count] : special)
        counts[{of_class, 0}] = classes_.members[of_class].size() - count;
    for (const auto& [group, count] : counts)
        out += fmt::format(" {}/{}x{}", group.of_class, group.role, std::min(count, enough_));
    return out;
}

const Propagation::Run& Propagation::run(const net::Cidr& prefix) {
    const Roles here = roles(prefix);
    constexpr std::size_t kMostHeld = 1'000'000;
    const std::string of = key(prefix, here);
    if (const auto found = runs_.find(of); found != runs_.end())
        return found->second;
    if (held_ > kMostHeld) {
        runs_.clear();
        held_ = 0;
    }
    const Run& out = runs_.emplace(of, make(prefix, here)).first->second;
    held_ += out.network.links.size();
    return out;
}

Propagation::Run Propagation::make(const net::Cidr& prefix, const Roles& roles) const {
    const auto role_of = [&](NodeIndex node) {
        const auto found = roles.find(node);
        return found == roles.end() ? std::uint8_t{0} : found->second;
    };
    std::map<Group, std::size_t> taken;
    std::vector<NodeIndex> kept;
    const auto take = [&](NodeIndex node) {
        if (taken[{classes_.of[node], role_of(node)}]++ < enough_)
            kept.push_back(node);
    };
    for (const auto& [node, role] : roles)
        take(node);
    for (const auto& members : classes_.members) {
        std::size_t plain = 0;
        for (auto node = members.begin(); node != members.end() && plain < enough_; ++node)
            if (role_of(*node) == 0) {
                take(*node);
                ++plain;
            }
    }
    std::sort(kept.begin(), kept.end());
    const ClusterRouting few = only_nodes(cluster_, bare_, kept);
    Run out;
    std::vector<Speaker> speakers;
    for (NodeIndex i = 0; i < kept.size(); ++i) {
        const std::uint8_t role = role_of(kept[i]);
        out.groups.push_back({classes_.of[kept[i]], role});
        auto form = lower_(few, i);
        if (form)
            apply(role, prefix, form->of(family_));
        speakers.push_back({form ? std::move(*form) : NodeRouting{}, false});
    }
    std::vector<Speaker> fabric;
    for (const policy::FabricRouter& router : routers_)
        if (router.address.value.family == family_)
            fabric.push_back(fabric_speaker(router, speakers, family_));
    speakers.insert(speakers.end(), fabric.begin(), fabric.end());
    out.network = connect(std::move(speakers), family_);
    out.spread = spread(out.network, prefix);
    return out;
}

std::optional<SpeakerIndex> Propagation::speaker(const Run& run, NodeIndex node,
                                                 const net::Cidr& prefix) const {
    const Roles here = roles(prefix);
    const auto mine = here.find(node);
    const Group group{classes_.of[node], mine == here.end() ? std::uint8_t{0} : mine->second};
    const auto place = std::find(run.groups.begin(), run.groups.end(), group);
    if (place == run.groups.end())
        return std::nullopt;
    return static_cast<SpeakerIndex>(place - run.groups.begin());
}

Propagation::Learnt Propagation::learnt(NodeIndex node, const net::Cidr& prefix, std::size_t most) {
    const Run& of = run(prefix);
    const auto by = speaker(of, node, prefix);
    Learnt out;
    out.known = of.spread.settled;
    if (!by || !out.known)
        return out;
    out = expanded(of, *by, node, roles(prefix), most);
    for (Path& each : out.paths)
        each.route.prefix = prefix;
    return out;
}

} // namespace polecat::routing
