#include "backends/nftables/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "backends/nftables/layout.h"
#include "backends/nftables/reachable.h"
#include "backends/node/numbers.h"

namespace polecat::backends {

using nft::Chain;
using nft::Map;
using nft::Ruleset;

namespace {

/// Whether a key that both have leads elsewhere.
template <class Key, class Value>
bool changes_values(const std::map<Key, Value>& before, const std::map<Key, Value>& after) {
    return std::any_of(after.begin(), after.end(), [&](const auto& each) {
        const auto found = before.find(each.first);
        return found != before.end() && !(found->second == each.second);
    });
}

using Others = ProgramImage::Others;

std::set<std::uint32_t> live_identities(const NodeImage& image) {
    std::set<std::uint32_t> out;
    for (const auto& [address, identity] : image.addresses)
        out.insert(identity);
    for (const auto& [range, identity] : image.outside)
        out.insert(identity);
    return out;
}

/// Whether the elements of the one may come before those of the other go: nothing that an identity
/// of either meets may change meanwhile. What an unfinished plan left is among them.
bool may_mix(const Others& before, const Others& after, const std::set<std::uint32_t>& met_before,
             const std::set<std::uint32_t>& met_after) {
    if (before.usual != after.usual || before.blocks.empty() != after.blocks.empty() ||
        changes_values(before.rows, after.rows) || changes_values(before.blocks, after.blocks))
        return false;
    Others both = before;
    both.rows.insert(after.rows.begin(), after.rows.end());
    both.blocks.insert(after.blocks.begin(), after.blocks.end());
    const auto keeps = [&](const Others& to) {
        return [&](std::uint32_t identity) { return both.row_of(identity) == to.row_of(identity); };
    };
    return std::all_of(met_before.begin(), met_before.end(), keeps(before)) &&
           std::all_of(met_after.begin(), met_after.end(), keeps(after));
}

/// Whether chains and maps of the one may stay for the other.
bool may_stay(const ProgramImage& before, const ProgramImage& after,
              const std::set<std::uint32_t>& met_before, const std::set<std::uint32_t>& met_after) {
    return before.hook == after.hook && before.direction == after.direction &&
           before.family == after.family && before.closed == after.closed &&
           before.l4 == after.l4 && before.source_ports == after.source_ports &&
           !changes_values(before.cells, after.cells) && !changes_values(before.rows, after.rows) &&
           !changes_values(before.own, after.own) &&
           std::equal(before.others.begin(), before.others.end(), after.others.begin(),
                      after.others.end(), [&](const Others& was, const Others& is) {
                          return may_mix(was, is, met_before, met_after);
                      });
}

/// `to` with other names for programs that `from` has under the same name and that can't stay.
NodeImage renamed(const NodeImage& from, const NodeImage& to) {
    const auto met_before = live_identities(from), met_after = live_identities(to);
    std::map<std::string, std::string> names;
    NodeImage out = to;
    out.programs.clear();
    for (const auto& [name, program] : to.programs) {
        std::string other = name;
        for (auto found = from.programs.find(other);
             found != from.programs.end() &&
             !may_stay(found->second, program, met_before, met_after);
             found = from.programs.find(other))
            other = "p" + digest_of(other, 12);
        names[name] = other;
        out.programs.emplace(other, program);
    }
    for (auto& [number, group] : out.groups)
        group = {names.at(group.egress), names.at(group.ingress)};
    for (AttachPoint& each : out.attached)
        each.program = names.at(each.program);
    std::sort(out.attached.begin(), out.attached.end());
    out.number_groups(from.groups);
    return out;
}

std::map<std::pair<std::string, net::Address>, std::uint32_t> pods_of(const NodeImage& image) {
    std::map<std::pair<std::string, net::Address>, std::uint32_t> out;
    for (const DispatchEntry& entry : image.dispatch)
        out[{entry.interface, entry.address}] = entry.group;
    return out;
}

class Planner {
  public:
    Planner(const Ruleset& from, const NodeImage& before, const NodeImage& after)
        : from_(from), before_(before), after_(after), generation_(generation_of(from)) {}

    Plan run() {
        choose_slots();
        Ruleset to = emit(after_, slots_);
        compare_chains(to);
        const bool other_addresses = changes_values(before_.addresses, after_.addresses);
        if (!changed_.empty() && other_addresses) { // all at once: by the switch
            for (const char* digit : {"4", "6"})
                slots_.flip(std::string("addr") + digit);
            to = emit(after_, slots_);
            compare_chains(to);
        }
        out_.judges_anew =
            !changed_.empty() || other_addresses || before_.attached != after_.attached;
        if (out_.judges_anew)
            add_generation_chains(to);
        fill(to);
        change_over(to);
        clear(to);
        remember(to);
        return std::move(out_);
    }

  private:
    void choose_slots() {
        slots_ = slots_of(from_);
        const auto pods_before = pods_of(before_), pods_after = pods_of(after_);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const std::string digit = layout::family_digit(family);
            const auto of_family = [&](const auto& map, const auto& family_of) {
                auto out = map;
                std::erase_if(out, [&](const auto& each) { return family_of(each) != family; });
                return out;
            };
            const auto by_pod = [](const auto& each) { return each.first.second.family; };
            const auto by_range = [](const auto& each) { return each.first.first.family; };
            if (changes_values(of_family(pods_before, by_pod), of_family(pods_after, by_pod)))
                slots_.flip("pod" + digit);
            if (of_family(before_.outside, by_range) != of_family(after_.outside, by_range))
                slots_.flip("net" + digit);
            const auto by_source = [](const SourceRange& each) { return each.range.first.family; };
            if (of_family(before_.other_sources, by_source) !=
                of_family(after_.other_sources, by_source))
                slots_.flip("range" + digit);
        }
    }

    /// Chains that both have and that say something else, the number of the generation aside; and
    /// hooks of host endpoints that come or go: these are filled and emptied by the switch.
    void compare_chains(const Ruleset& to) {
        changed_.clear();
        const Ruleset numbered =
            generation_ ? nft::with_generation(to, generation_->bits(after_.flow_mark_bit)) : to;
        for (const Chain& chain : numbered.chains) {
            const Chain* was = from_.find_chain(chain.name);
            if (was == nullptr ? !chain.hook.empty() : *was != chain)
                changed_.insert(chain.name);
        }
        for (const Chain& chain : from_.chains)
            if (!chain.hook.empty() && to.find_chain(chain.name) == nullptr)
                changed_.insert(chain.name);
    }

    void add_generation_chains(const Ruleset& to) {
        const Ruleset other = nft::with_generation(to, Generation{}.bits(after_.flow_mark_bit));
        for (std::size_t i = 0; i < to.chains.size(); ++i)
            if (to.chains[i] != other.chains[i] && from_.find_chain(to.chains[i].name) != nullptr)
                changed_.insert(to.chains[i].name);
    }

    /// Those that packets find things by, not what is found.
    static bool is_way_in(const Map& map) {
        return map.name.starts_with("addr") || map.name.starts_with("pod") ||
               map.key == nft::KeyType::Interface;
    }

    std::string elements(const char* what, const Map& map, std::vector<nft::Element> part) const {
        if (part.empty())
            return {};
        Map shown = map;
        shown.elements = std::move(part);
        return fmt::format("{} element inet {} {} {}\n", what, from_.table, map.name,
                           nft::print_elements(shown));
    }
    static std::vector<nft::Element> missing(const Map& of, const Map& in) {
        std::vector<nft::Element> out;
        std::set_difference(of.elements.begin(), of.elements.end(), in.elements.begin(),
                            in.elements.end(), std::back_inserter(out));
        return out;
    }

    void step(std::string what, std::string text) {
        if (!text.empty())
            out_.steps.push_back({std::move(what), std::move(text)});
    }

    void fill(const Ruleset& to) {
        Ruleset fresh;
        fresh.table = from_.table;
        std::string added;
        for (const Map& map : to.maps) {
            const Map* was = from_.find_map(map.name);
            if (was == nullptr)
                fresh.maps.push_back(map);
            else if (!is_way_in(map))
                added += elements("add", map, missing(map, *was));
        }
        for (const Chain& chain : to.chains)
            if (from_.find_chain(chain.name) == nullptr) {
                fresh.chains.push_back(chain);
                if (!chain.hook.empty())
                    fresh.chains.back().rules.clear();
            }
        const bool any = !fresh.maps.empty() || !fresh.chains.empty();
        step("fill what nothing refers to yet", (any ? nft::print(fresh) : "") + added);
    }

    void change_over(const Ruleset& to) {
        std::string text;
        if (out_.judges_anew)
            text += nft::take_generation(from_.table);
        for (const Map& map : to.maps)
            if (const Map* was = from_.find_map(map.name); was != nullptr && is_way_in(map))
                text += elements("delete", map, missing(*was, map)) +
                        elements("add", map, missing(map, *was));
        for (const std::string& name : changed_) {
            text += fmt::format("flush chain inet {} {}\n", from_.table, name);
            if (const Chain* chain = to.find_chain(name))
                for (const nft::Rule& rule : chain->rules)
                    text += fmt::format("add rule inet {} {} {}\n", from_.table, name,
                                        nft::print(rule));
        }
        step("switch", text);
    }

    void clear(const Ruleset& to) {
        std::string gone, flushed, deleted;
        for (const Map& map : from_.maps)
            if (const Map* kept = to.find_map(map.name); kept == nullptr)
                deleted +=
                    fmt::format("delete {} inet {} {}\n",
                                map.kind == Map::Kind::Set ? "set" : "map", from_.table, map.name);
            else if (!is_way_in(map))
                gone += elements("delete", map, missing(map, *kept));
        for (const Chain& chain : from_.chains)
            if (to.find_chain(chain.name) == nullptr)
                flushed += fmt::format("flush chain inet {} {}\n", from_.table, chain.name);
        for (const Chain& chain : from_.chains)
            if (to.find_chain(chain.name) == nullptr)
                deleted += fmt::format("delete chain inet {} {}\n", from_.table, chain.name);
        step("delete what is left over", gone + flushed + deleted);
    }

    void remember(const Ruleset& to) {
        out_.result = to;
        std::set<net::Address> forget;
        const auto add = [&](const auto& these, const auto& those, const auto& address_of) {
            for (const auto& each : these)
                if (!those.contains(each.first))
                    forget.insert(address_of(each));
        };
        const auto own = [](const auto& each) { return each.first; };
        add(before_.addresses, after_.addresses, own);
        add(after_.addresses, before_.addresses, own);
        const auto of_pod = [](const auto& each) { return each.first.second; };
        const auto pods_before = pods_of(before_), pods_after = pods_of(after_);
        add(pods_before, pods_after, of_pod);
        add(pods_after, pods_before, of_pod);
        out_.forget.assign(forget.begin(), forget.end());
    }

    const Ruleset& from_;
    const NodeImage& before_;
    const NodeImage& after_;
    std::optional<Generation> generation_;
    Slots slots_;
    std::set<std::string> changed_; ///< chains
    Plan out_;
};

} // namespace

Result<Plan> plan(const Ruleset& from, const NodeImage& to) {
    const Ruleset used = without_unreachable(from);
    const auto before = read_back(used);
    if (!before)
        return Error{before.error()};
    if (before->flow_mark_bit != to.flow_mark_bit)
        return Error{fmt::format(
            "the rules use the conntrack mark from bit {} on, not {}: marks of the one would be "
            "taken for the other's. Load the whole ruleset, and have the node forget its "
            "connections (conntrack -F) between",
            before->flow_mark_bit, to.flow_mark_bit)};
    Plan out = Planner(used, *before, renamed(*before, to)).run();
    const std::string left = delete_unreachable(from);
    if (!left.empty())
        out.steps.insert(out.steps.begin(), {"delete what an unfinished plan left", left});
    return out;
}

Plan plan_from_nothing(const NodeImage& to) {
    Plan out;
    out.result = emit(to);
    out.judges_anew = true;
    out.steps.push_back({"replace whatever is there", nft::print_replacing(out.result)});
    return out;
}

} // namespace polecat::backends
