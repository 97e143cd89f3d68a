#include "analyzer/expectations/connectivity.h"

#include <map>

#include <fmt/format.h>

#include "analyzer/expectations/names.h"
#include "analyzer/flows/map.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::ObjectId;
using expectation::Connectivity;
using expectation::EndName;

namespace {

ConnectionSet set_of(const expectation::ProtocolConnections& wanted) {
    if (wanted.all)
        return ConnectionSet::of(wanted.protocol);
    if (net::has_ports(wanted.protocol))
        return ConnectionSet::of(wanted.protocol,
                                 PortPairs::of(wanted.ports, net::PortSet::of(net::PortRange{})));
    std::vector<net::PortRange> types;
    for (const expectation::IcmpRange& range : wanted.icmp)
        for (unsigned type = range.type_first; type <= range.type_last; ++type)
            types.push_back({static_cast<std::uint16_t>(type * 256 + range.code_first),
                             static_cast<std::uint16_t>(type * 256 + range.code_last)});
    if (types.empty())
        return {};
    return ConnectionSet::of_icmp(wanted.protocol, net::PortSet::of(types));
}

ConnectionSet set_of(const expectation::Connections& wanted) {
    ConnectionSet out = wanted.other ? ConnectionSet::all() : ConnectionSet{};
    for (const expectation::ProtocolConnections& each : wanted.named)
        out = (out - ConnectionSet::of(each.protocol)) | set_of(each);
    return out;
}

/// An end of a row: an endpoint, or outside addresses.
struct Resolved {
    std::optional<ObjectId> object;
    net::AddressSet outside;
};

class ConnectivityJudge {
  public:
    ConnectivityJudge(const Connectivity& wanted, const LoweredCluster& cluster,
                      std::vector<CaseResult>& results)
        : wanted_(wanted), cluster_(cluster), identities_(cluster), results_(results) {}

    void run() {
        if (!collect_universe() || !collect_rows())
            return;
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (family == net::Family::V4 || !outside_.of_family(family).empty())
                compare(family);
    }

  private:
    std::optional<Resolved> resolve(const EndName& name, const Span& span) {
        if (name.kind == EndName::Kind::Addresses) {
            Resolved out;
            const auto held = decision::end_of(cluster_.world, name.range.first).objects;
            if (name.range.first == name.range.last && !held.empty())
                out.object = held.front();
            else
                out.outside = net::AddressSet::of(name.range);
            return out;
        }
        const auto object = find_object(cluster_, name);
        if (object)
            return Resolved{*object, {}};
        results_.push_back({"connectivity of " + name.text, "an end", object.error(), false, span});
        return std::nullopt;
    }

    bool collect_universe() {
        bool good = true;
        for (const EndName& name : wanted_.endpoints) {
            const auto end = resolve(name, name.span);
            good = good && end;
            if (end && end->object)
                objects_.emplace_back(*end->object, name.text);
            else if (end)
                outside_ = outside_ | end->outside;
        }
        if (!wanted_.endpoints.empty())
            return good;
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            objects_.emplace_back(endpoint.object, cluster_.world.object(endpoint.object).name);
        outside_ = net::AddressSet::all(net::Family::V4);
        return good;
    }

    bool collect_rows() {
        bool good = true;
        for (const expectation::ConnectivityRow& row : wanted_.allow) {
            const auto from = resolve(row.from, row.span), to = resolve(row.to, row.span);
            good = good && from && to;
            if (!from || !to)
                continue;
            const ConnectionSet set = set_of(row.connections);
            if (from->object && to->object) {
                auto& into = between_[{*from->object, *to->object}];
                into = into | set;
            } else if (from->object) {
                to_outside_[*from->object].emplace_back(to->outside, set);
            } else if (to->object) {
                from_outside_[*to->object].emplace_back(from->outside, set);
            }
        }
        return good;
    }

    /// Expectations of connectivity know no requests: packets count.
    void report(const std::string& question, const ConnectionSet& expected,
                const ConnectivityMap& map, const SetBounds& pair) {
        const ConnectionSet allow = map.set(pair.sure).without_requests();
        const ConnectionSet may = map.set(pair.may).without_requests();
        CaseResult out;
        out.question = question;
        out.span = wanted_.span;
        out.expected = expected.describe();
        out.found = allow.describe();
        if (allow != may)
            out.found += "; depends: " + (may - allow).describe();
        out.passed = allow == may && allow == expected;
        results_.push_back(std::move(out));
    }

    void compare(net::Family family) {
        const ConnectivityMap map(cluster_, identities_, family);
        for (const auto& [from, from_name] : objects_) {
            const auto source = map.group_of(from);
            for (const auto& [to, to_name] : objects_) {
                const auto destination = map.group_of(to);
                if (from == to || !source || !destination)
                    continue;
                const auto found = between_.find({from, to});
                const auto pair = map.between(*source, *destination);
                report(from_name + " -> " + to_name,
                       found == between_.end() ? ConnectionSet{} : found->second, map, pair);
            }
            if (source)
                compare_outside(map, from, from_name, *source, family);
        }
    }

    using Rows = std::vector<std::pair<net::AddressSet, ConnectionSet>>;

    /// The outside addresses cut by what the rows say of them.
    static Rows cut(const net::AddressSet& addresses, const Rows* rows) {
        Rows out{{addresses, {}}};
        if (rows == nullptr)
            return out;
        for (const auto& [range, set] : *rows) {
            Rows next;
            for (auto& [piece, so_far] : out) {
                const net::AddressSet inside = piece & range, rest = piece - range;
                if (!rest.empty())
                    next.emplace_back(rest, so_far);
                if (!inside.empty())
                    next.emplace_back(inside, so_far | set);
            }
            out = std::move(next);
        }
        return out;
    }

    void compare_outside(const ConnectivityMap& map, ObjectId object, const std::string& name,
                         std::uint32_t group, net::Family family) {
        const auto rows = [&](const std::map<ObjectId, Rows>& all) {
            const auto found = all.find(object);
            return found == all.end() ? nullptr : &found->second;
        };
        const auto& groups = map.groups();
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            if (!groups[i].is_outside())
                continue;
            const net::AddressSet asked = groups[i].outside & outside_.of_family(family);
            if (asked.empty())
                continue;
            for (const bool outward : {true, false}) {
                const auto pair = outward ? map.between(group, i) : map.between(i, group);
                for (const auto& [piece, expected] :
                     cut(asked, rows(outward ? to_outside_ : from_outside_))) {
                    const auto& range = piece.ranges().front();
                    const std::string where = net::to_string(range.first) + "-" +
                                              net::to_string(range.last) +
                                              (piece.ranges().size() > 1 ? ",..." : "");
                    report(outward ? name + " -> " + where : where + " -> " + name, expected, map,
                           pair);
                }
            }
        }
    }

    const Connectivity& wanted_;
    const LoweredCluster& cluster_;
    decision::Identities identities_;
    std::vector<CaseResult>& results_;
    std::vector<std::pair<ObjectId, std::string>> objects_;
    net::AddressSet outside_;
    std::map<std::pair<ObjectId, ObjectId>, ConnectionSet> between_;
    std::map<ObjectId, Rows> to_outside_, from_outside_;
};

} // namespace

void judge_connectivity(const Connectivity& wanted, const LoweredCluster& cluster,
                        std::vector<CaseResult>& results) {
    ConnectivityJudge(wanted, cluster, results).run();
}

} // namespace polecat::analyzer
