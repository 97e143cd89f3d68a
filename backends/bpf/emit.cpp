// From a node's image to the tables of the classifier.
#include <algorithm>
#include <bit>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/bpf/bpf.h"
#include "backends/bpf/program_writer.h"

namespace polecat::bpf {

using backends::NodeImage;

namespace {

/// Says what can't be told; true when something is refused.
class BpfLimits {
  public:
    BpfLimits(const NodeImage& image, const std::string& node, diag::Diagnostics& diagnostics)
        : image_(image), node_(node), diagnostics_(diagnostics) {}

    bool refuse() {
        tell_settings();
        find_shared_addresses();
        return refused_;
    }

  private:
    void report(diag::Code code, std::initializer_list<std::string_view> args) {
        diagnostics_.report(code, Span{}, args);
        refused_ = true;
    }

    void tell_settings() {
        const auto tell = [&](bool given, const char* what, const char* instead) {
            if (given)
                diagnostics_.report(diag::Code::SettingNotInBpf, Span{}, {node_, what, instead});
        };
        tell(image_.rejects, "iptablesFilterDenyAction: Reject", "what is denied is dropped");
        tell(!image_.drops_invalid, "disableConntrackInvalidCheck",
             "what conntrack calls invalid is dropped");
        tell(image_.log_rate.has_value(), "logActionRateLimit", "Log rules log every packet");
    }

    /// The classifier knows endpoints by address alone.
    void find_shared_addresses() {
        struct Held {
            net::Range range;
            std::string interface;
            std::uint32_t group;
            auto operator<=>(const Held&) const = default;
        };
        std::vector<Held> all;
        for (const backends::DispatchEntry& each : image_.dispatch)
            all.push_back({{each.address, each.address}, each.interface, each.group});
        for (const backends::SourceRange& each : image_.other_sources)
            all.push_back({each.range, each.interface, each.group});
        std::sort(all.begin(), all.end());
        // The one that reaches furthest so far of each group, by group.
        std::map<std::uint32_t, const Held*> reach;
        for (const Held& each : all) {
            for (const auto& [group, before] : reach)
                if (group != each.group && each.range.first <= before->range.last &&
                    each.range.first.family == before->range.last.family)
                    return report(diag::Code::AddressOfTwoPrograms,
                                  {node_, net::to_string(each.range.first), before->interface,
                                   each.interface});
            const Held*& furthest = reach[each.group];
            if (furthest == nullptr || furthest->range.last < each.range.last)
                furthest = &each;
            std::erase_if(reach, [&](const auto& known) {
                return known.second->range.last < each.range.first;
            });
        }
    }

    const NodeImage& image_;
    const std::string& node_;
    diag::Diagnostics& diagnostics_;
    bool refused_ = false;
};

class BpfEmitter {
  public:
    explicit BpfEmitter(const NodeImage& image) : image_(image) {}

    Image run() {
        out_.add_lines(1 + std::size_t{2} * kBpfTopLines); // the header, and first parts of IPv4
        add_identities();
        add_addresses();
        add_programs();
        add_groups();
        add_local();
        add_endpoints();
        add_settings();
        head(kBpfHeadMagic) = kBpfMagic;
        head(kBpfHeadVersion) = kBpfVersion;
        made_.tables = out_.take();
        made_.tables[kBpfHeadLines] =
            static_cast<std::uint32_t>(made_.tables.size() / kBpfLineWords);
        return std::move(made_);
    }

  private:
    std::uint32_t& head(unsigned word) { return out_.at(0, word); }

    /// Those that no address is left of are in no table.
    void add_identities() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            std::set<std::uint32_t> found;
            for (const Stretch& each : identities_of(image_, family))
                found.insert(each.leaf);
            identities(family).assign(found.begin(), found.end());
        }
    }
    Identities& identities(net::Family family) {
        return family == net::Family::V4 ? made_.identities4 : made_.identities6;
    }

    void add_addresses() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            Stretches all = identities_of(image_, family);
            for (Stretch& each : all)
                each.leaf =
                    (each.exact ? kBpfIsEnd : 0) | (*place_of(identities(family), each.leaf) + 1);
            if (family == net::Family::V4)
                out_.paint4(kBpfAddresses4, all);
            else
                add6(all, kBpfHeadAddresses6, kBpfHeadAddresses6Count);
        }
    }

    /// Behind groups, whose lines its leaves are.
    void add_local() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            std::vector<Stretch> held, sources;
            for (const auto& each : image_.dispatch)
                if (each.address.family == family)
                    held.push_back({{each.address, each.address}, group_line(each.group)});
            for (const auto& each : image_.other_sources)
                if (each.range.first.family == family)
                    sources.push_back({each.range, group_line(each.group)});
            const Stretches local = lay_over(united(std::move(sources)), united(std::move(held)));
            if (family == net::Family::V4)
                out_.paint4(kBpfLocal4, local);
            else
                add6(local, kBpfHeadLocal6, kBpfHeadLocal6Count);
        }
    }

    /// Of one group where they overlap: each address once.
    static std::vector<Stretch> united(std::vector<Stretch> all) {
        std::sort(all.begin(), all.end());
        std::vector<Stretch> out;
        for (const Stretch& each : all)
            if (!out.empty() && each.range.first <= out.back().range.last)
                out.back().range.last = std::max(out.back().range.last, each.range.last);
            else
                out.push_back(each);
        return out;
    }

    void add6(const Stretches& stretches, unsigned place, unsigned size) {
        std::uint32_t count = 0;
        const std::uint32_t line = out_.addresses6(stretches, count);
        head(place) = line;
        head(size) = count;
    }

    std::uint32_t group_place(std::uint32_t number) const {
        return static_cast<std::uint32_t>(
            std::distance(image_.groups.begin(), image_.groups.find(number)));
    }
    std::uint32_t group_line(std::uint32_t number) {
        return head(kBpfHeadGroups) + group_place(number);
    }

    void add_programs() {
        std::uint32_t counter = 0;
        for (const auto& [name, program] : image_.programs) {
            ProgramWriter writer(*program, identities(program->family), out_);
            made_.programs.push_back({name, writer.write(counter)});
            counter += writer.counters();
        }
        head(kBpfHeadCounters) = counter;
    }

    std::uint32_t program_place(const std::string& name) const {
        const auto found = image_.programs.find(name);
        if (found == image_.programs.end())
            throw std::logic_error("a group without its program: " + name);
        return static_cast<std::uint32_t>(std::distance(image_.programs.begin(), found));
    }

    void add_groups() {
        const std::uint32_t first = out_.add_lines(image_.groups.size());
        head(kBpfHeadGroups) = first;
        head(kBpfHeadGroupCount) = static_cast<std::uint32_t>(image_.groups.size());
        for (const auto& [number, group] : image_.groups) {
            const auto line = first + static_cast<std::uint32_t>(made_.groups.size());
            made_.groups.push_back(
                {number, program_place(group.egress), program_place(group.ingress)});
            copy_program(made_.groups.back().egress, line, kBpfGroupEgress);
            copy_program(made_.groups.back().ingress, line, kBpfGroupIngress);
        }
    }
    void copy_program(std::uint32_t program, std::uint32_t line, std::size_t to) {
        for (std::size_t i = 0; i < kBpfVerdictWords; ++i)
            out_.at(line, to + i) = out_.at(made_.programs[program].line, i);
    }

    void add_endpoints() {
        for (const backends::DispatchEntry& each : image_.dispatch)
            made_.endpoints.push_back(
                {each.interface, {each.address, each.address}, group_place(each.group)});
        for (const backends::SourceRange& each : image_.other_sources)
            made_.other_sources.push_back({each.interface, each.range, group_place(each.group)});
    }

    void add_settings() {
        made_.interface_prefixes = image_.interface_prefixes;
        made_.to_host = image_.to_host;
        made_.dropped_vxlan_port = image_.dropped_vxlan_port;
        made_.drops_ipip = image_.drops_ipip;
        made_.drops_invalid = image_.drops_invalid;
        made_.rejects = image_.rejects;
        if (const auto& rate = image_.log_rate)
            made_.log_rate = {rate->packets, rate->unit, rate->burst};
    }

    const NodeImage& image_;
    TableWriter out_;
    Image made_;
};

} // namespace

std::optional<Image> emit(const NodeImage& image, const std::string& node,
                          diag::Diagnostics& diagnostics) {
    if (!image.attached.empty())
        throw std::logic_error("tables have no programs of host endpoints");
    if (BpfLimits(image, node, diagnostics).refuse())
        return std::nullopt;
    try {
        return BpfEmitter(image).run();
    } catch (const TooManyLines&) {
        diagnostics.report(diag::Code::TablesTooLarge, Span{},
                           {node, fmt::format("more than {} lines", int{kBpfMostLines})});
        return std::nullopt;
    }
}

} // namespace polecat::bpf
