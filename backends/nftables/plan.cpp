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

std::string other_name(const std::string& program) {
    return "p" + digest_of(program, 12);
}

/// `to` with other names for programs that `from` has under the same name and that can't stay;
/// these go to `renamed`, with what they were.
NodeImage with_free_names(const NodeImage& from, const NodeImage& to,
                          std::map<std::string, std::string>& renamed) {
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
            other = other_name(other);
        // One that gave way to another is still there by its other name.
        if (!from.programs.contains(other))
            if (const auto found = from.programs.find(other_name(other));
                found != from.programs.end() &&
                may_stay(found->second, program, met_before, met_after))
                other = found->first;
        names[name] = other;
        if (other != name)
            renamed[other] = name;
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

/// Adds what a transaction that makes them does.
void count_in(const Map& map, std::size_t elements, Work& to) {
    (map.interval ? to.ranges_in : to.elements_in) += elements;
}
void count_in(const Ruleset& fresh, Work& to) {
    to.maps_in += fresh.maps.size();
    for (const Map& map : fresh.maps)
        count_in(map, map.elements.size(), to);
    to.chains_in += fresh.chains.size();
    for (const Chain& chain : fresh.chains)
        to.rules_in += chain.rules.size();
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

    /// Those elements of the map.
    static Map part_of(const Map& map, std::vector<nft::Element> part) {
        Map out;
        out.name = map.name;
        out.key = map.key;
        out.kind = map.kind;
        out.interval = map.interval;
        out.elements = std::move(part);
        return out;
    }
    void add(const Map& map, std::vector<nft::Element> part) {
        count_in(map, part.size(), work_);
        if (!part.empty())
            does_.elements_in.push_back(part_of(map, std::move(part)));
    }
    void remove(const Map& map, std::vector<nft::Element> part) {
        work_.elements_out += part.size();
        if (!part.empty())
            does_.elements_out.push_back(part_of(map, std::move(part)));
    }
    static std::vector<nft::Element> missing(const Map& of, const Map& in) {
        std::vector<nft::Element> out;
        std::set_difference(of.elements.begin(), of.elements.end(), in.elements.begin(),
                            in.elements.end(), std::back_inserter(out));
        return out;
    }

    void step(std::string what) {
        does_.made.table = from_.table;
        if (!does_.empty())
            out_.steps.push_back({std::move(what), std::move(does_), work_});
        does_ = {};
        work_ = {};
    }

    void fill(const Ruleset& to) {
        for (const Map& map : to.maps) {
            const Map* was = from_.find_map(map.name);
            if (was == nullptr)
                does_.made.maps.push_back(map);
            else if (!is_way_in(map))
                add(map, missing(map, *was));
        }
        for (const Chain& chain : to.chains)
            if (from_.find_chain(chain.name) == nullptr) {
                does_.made.chains.push_back(chain);
                if (!chain.hook.empty())
                    does_.made.chains.back().rules.clear();
            }
        count_in(does_.made, work_);
        step("fill what nothing refers to yet");
    }

    void change_over(const Ruleset& to) {
        does_.takes_generation = out_.judges_anew;
        for (const Map& map : to.maps)
            if (const Map* was = from_.find_map(map.name); was != nullptr && is_way_in(map)) {
                remove(map, missing(*was, map));
                add(map, missing(map, *was));
            }
        for (const std::string& name : changed_) {
            if (const Chain* was = from_.find_chain(name))
                work_.rules_out += was->rules.size();
            const Chain* chain = to.find_chain(name);
            does_.rewritten.push_back(chain != nullptr ? *chain : Chain{name, {}, 0, {}});
            work_.rules_in += does_.rewritten.back().rules.size();
        }
        step("switch");
    }

    void clear(const Ruleset& to) {
        for (const Map& map : from_.maps)
            if (const Map* kept = to.find_map(map.name); kept == nullptr) {
                does_.maps_out.push_back(part_of(map, {}));
                ++work_.maps_out;
                work_.elements_dropped += map.elements.size();
            } else if (!is_way_in(map))
                remove(map, missing(map, *kept));
        for (const Chain& chain : from_.chains)
            if (to.find_chain(chain.name) == nullptr) {
                does_.chains_out.push_back({chain.name, {}, 0, {}});
                ++work_.chains_out;
                if (!changed_.contains(chain.name)) // the switch has emptied it
                    work_.rules_out += chain.rules.size();
            }
        step("delete what is left over");
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
    nft::Transaction does_;         ///< the step that is being written
    Work work_;                     ///< of it
    Plan out_;
};

} // namespace

Result<Plan> plan(const Ruleset& from, const NodeImage& before, const NodeImage& to) {
    if (before.flow_mark_bit != to.flow_mark_bit)
        return Error{fmt::format(
            "the rules use the conntrack mark from bit {} on, not {}: marks of the one would be "
            "taken for the other's. Load the whole ruleset, and have the node forget its "
            "connections (conntrack -F) between",
            before.flow_mark_bit, to.flow_mark_bit)};
    std::map<std::string, std::string> renamed;
    const NodeImage after = with_free_names(before, to, renamed);
    Plan out = Planner(from, before, after).run();
    out.renamed = std::move(renamed);
    return out;
}

Result<Plan> plan(const Ruleset& from, const NodeImage& to) {
    const Ruleset used = without_unreachable(from);
    const auto before = read_back(used);
    if (!before)
        return Error{before.error()};
    auto planned = plan(used, *before, to);
    if (!planned)
        return planned;
    Plan out = std::move(*planned);
    nft::Transaction left = delete_unreachable(from);
    if (left.empty())
        return out;
    Work work;
    for (const Map& map : from.maps)
        if (used.find_map(map.name) == nullptr) {
            ++work.maps_out;
            work.elements_dropped += map.elements.size();
        }
    for (const Chain& chain : from.chains)
        if (used.find_chain(chain.name) == nullptr) {
            ++work.chains_out;
            work.rules_out += chain.rules.size();
        }
    out.steps.insert(out.steps.begin(),
                     {"delete what an unfinished plan left", std::move(left), work});
    return out;
}

Plan plan_from_nothing(const NodeImage& to) {
    Plan out;
    out.result = emit(to);
    out.judges_anew = true;
    Work work;
    count_in(out.result, work);
    out.steps.push_back({"replace whatever is there", nft::replacing(out.result), work});
    return out;
}

Plan hooks_last(Plan from_nothing) {
    nft::Transaction& fill = from_nothing.steps.front().does;
    nft::Transaction hooks;
    hooks.made.table = fill.made.table;
    auto& chains = fill.made.chains;
    const auto hooked = std::stable_partition(
        chains.begin(), chains.end(), [](const nft::Chain& each) { return each.hook.empty(); });
    hooks.made.chains.assign(std::make_move_iterator(hooked),
                             std::make_move_iterator(chains.end()));
    chains.erase(hooked, chains.end());
    Work work;
    count_in(hooks.made, work);
    from_nothing.steps.push_back({"lead packets there", std::move(hooks), work});
    from_nothing.steps.front().work = {};
    count_in(fill.made, from_nothing.steps.front().work);
    return from_nothing;
}

bool without_hooks(const nft::Ruleset& rules) {
    return std::all_of(rules.chains.begin(), rules.chains.end(),
                       [](const nft::Chain& each) { return each.hook.empty(); });
}

} // namespace polecat::backends
