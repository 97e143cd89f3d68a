#include "driver/diff/rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "driver/input/input.h"
#include "driver/input/outside.h"
#include "support/listed.h"

namespace polecat::driver {

using analyzer::ChangeKind;
using analyzer::DiffEnd;
using analyzer::FamilyDiff;
using decision::LoweredCluster;

std::string_view to_string(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::Opened:
        return "opened";
    case ChangeKind::PerhapsOpen:
        return "perhaps opened";
    case ChangeKind::Closed:
        return "closed";
    case ChangeKind::PerhapsShut:
        return "perhaps closed";
    }
    return "";
}

namespace {

class Names {
  public:
    Names(const LoweredCluster& head, const FamilyDiff& family) : head_(head), family_(family) {
        std::vector<net::Range> ranges;
        for (const DiffEnd& end : family.ends)
            ranges.insert(ranges.end(), end.outside.ranges().begin(), end.outside.ranges().end());
        outside_ = net::AddressSet::of(std::move(ranges));
    }

    std::vector<std::string> all(const std::vector<std::uint32_t>& ends) const {
        std::vector<std::string> out;
        for (const std::uint32_t each : ends)
            for (const decision::ObjectId id : family_.ends[each].head)
                out.push_back(name_of(head_, id));
        std::sort(out.begin(), out.end());
        for (const net::Cidr& cidr : outside_of(ends).cidrs())
            out.push_back(net::to_string(cidr));
        return out;
    }

    /// Of many names the first three; outside addresses by the fewest CIDRs.
    std::string shown(const std::vector<std::uint32_t>& ends) const {
        constexpr std::size_t kMost = 3;
        std::vector<std::string> names;
        for (const std::uint32_t each : ends)
            for (const decision::ObjectId id : family_.ends[each].head)
                names.push_back(name_of(head_, id));
        std::sort(names.begin(), names.end());
        std::string out = listed(names, kMost);
        const net::AddressSet nets = outside_of(ends);
        if (nets.empty())
            return out;
        return out + (out.empty() ? "" : ", ") + outside_label(nets, outside_);
    }

    std::string example(std::uint32_t end, std::size_t member) const {
        const DiffEnd& found = family_.ends[end];
        return found.is_outside() ? net::to_string(analyzer::example_address(found.outside))
                                  : name_of(head_, found.head[member]);
    }

  private:
    net::AddressSet outside_of(const std::vector<std::uint32_t>& ends) const {
        std::vector<net::Range> ranges;
        for (const std::uint32_t each : ends) {
            const auto& more = family_.ends[each].outside.ranges();
            ranges.insert(ranges.end(), more.begin(), more.end());
        }
        return net::AddressSet::of(std::move(ranges));
    }

    const LoweredCluster& head_;
    const FamilyDiff& family_;
    net::AddressSet outside_;
};

std::string traffic_text(const decision::Flow& flow) {
    std::string out;
    if (flow.icmp_type)
        out = fmt::format("{} {}/{}", net::to_string_protocol(flow.protocol), *flow.icmp_type,
                          flow.icmp_code.value_or(0));
    else if (flow.destination_port)
        out = fmt::format("{}/{}", *flow.destination_port, net::to_string_protocol(flow.protocol));
    else
        out = net::to_string_protocol(flow.protocol);
    return flow.http ? fmt::format("{} {} {}", out, flow.http->method, flow.http->path) : out;
}

bool same_but_family(const DiffRow& a, const DiffRow& b) {
    const auto texts = [](const DiffRow& row) {
        std::vector<std::string> out;
        for (const analyzer::Cause& cause : row.causes)
            out.push_back(cause.before.text + " / " + cause.now.text);
        return out;
    };
    return a.kind == b.kind && a.from == b.from && a.to == b.to && a.connections == b.connections &&
           texts(a) == texts(b);
}

} // namespace

std::string shown_ends(const FamilyDiff& family, const std::vector<std::uint32_t>& ends,
                       const LoweredCluster& head) {
    return Names(head, family).shown(ends);
}

std::vector<DiffRow> diff_rows(const analyzer::Diff& diff, const LoweredCluster& head) {
    std::vector<DiffRow> out;
    for (const FamilyDiff& family : diff.families) {
        const Names names(head, family);
        for (const analyzer::FlowChange& change : family.changes) {
            DiffRow row;
            row.kind = change.kind;
            row.family = net::to_string(family.family);
            row.from = names.shown(change.sources);
            row.to = names.shown(change.destinations);
            row.sources = names.all(change.sources);
            row.destinations = names.all(change.destinations);
            row.connections = change.connections.describe(diff.atoms);
            const std::uint32_t from = change.sources.front(), to = change.destinations.front();
            row.example =
                names.example(from, 0) + " -> " +
                names.example(to, analyzer::example_member(family.ends[from], family.ends[to])) +
                " " + traffic_text(change.example);
            row.causes = change.causes;
            const auto twin = std::find_if(out.begin(), out.end(), [&](const DiffRow& other) {
                return other.family != row.family && same_but_family(other, row);
            });
            if (twin != out.end())
                twin->family.clear();
            else
                out.push_back(std::move(row));
        }
    }
    // Where endpoints have addresses of one family only, there is nothing to tell apart.
    const auto families =
        std::count_if(diff.families.begin(), diff.families.end(), [](const FamilyDiff& family) {
            return std::any_of(family.ends.begin(), family.ends.end(),
                               [](const DiffEnd& end) { return !end.is_outside(); });
        });
    if (families < 2)
        for (DiffRow& row : out)
            row.family.clear();
    std::stable_sort(out.begin(), out.end(),
                     [](const DiffRow& a, const DiffRow& b) { return a.kind < b.kind; });
    return out;
}

} // namespace polecat::driver
