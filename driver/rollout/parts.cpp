#include "driver/rollout/parts.h"

#include <algorithm>
#include <map>
#include <set>

#include "backends/nftables/layout.h"
#include "backends/nftables/nftables.h"

namespace polecat::driver {

using nft::Chain;
using nft::Map;
using nft::Ruleset;

Tally& Tally::operator+=(const Tally& more) {
    come += more.come;
    go += more.go;
    anew += more.anew;
    stay += more.stay;
    return *this;
}

std::string_view to_string(PartKind kind) {
    switch (kind) {
    case PartKind::Program:
        return "program";
    case PartKind::Addresses:
        return "addresses";
    case PartKind::Networks:
        return "networks";
    case PartKind::Workloads:
        return "workloads";
    case PartKind::Dispatch:
        return "dispatch";
    case PartKind::HostPoints:
        return "host endpoints";
    case PartKind::Predicates:
        return "predicates";
    case PartKind::Chain:
        break;
    }
    return "chain";
}

std::string_view to_string(PartChange change) {
    switch (change) {
    case PartChange::Comes:
        return "comes";
    case PartChange::Goes:
        return "goes";
    case PartChange::Changes:
        return "changes";
    case PartChange::WrittenAnew:
        break;
    }
    return "written anew";
}

void PartList::add(RulesPart part) {
    chains += part.chains;
    rules += part.rules;
    maps += part.maps;
    elements += part.elements;
    Tally any = part.chains;
    for (const Tally* each : {&part.rules, &part.maps, &part.elements})
        any += *each;
    // What stays in no way is new or gone; a map that is emptied stays.
    if (part.chains.stay + part.chains.anew + part.maps.stay + part.maps.anew == 0)
        part.change = any.come != 0 ? PartChange::Comes : PartChange::Goes;
    else
        part.change = any.come + any.go != 0 || part.reordered ? PartChange::Changes
                                                               : PartChange::WrittenAnew;
    if (part.kind == PartKind::Program)
        (part.change == PartChange::Comes  ? programs.come
         : part.change == PartChange::Goes ? programs.go
                                           : programs.stay) += 1;
    if (any.changes())
        parts.push_back(std::move(part));
}

std::string program_in(const std::string& name) {
    constexpr std::size_t kLength = 13; // `p` and twelve digits
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (name.size() < kLength || name[0] != 'p' ||
        !std::all_of(name.begin() + 1, name.begin() + kLength, is_digit))
        return {};
    const std::string rest = name.substr(kLength);
    const bool of_program =
        rest.empty() || rest == "r" || rest.starts_with("_") || rest.starts_with("r_");
    return of_program ? name.substr(0, kLength) : "";
}

namespace {

/// The name of a map without which of its two it is.
std::string without_slot(const std::string& map) {
    for (const char* slot : backends::layout::kSlots)
        if (map == std::string(slot) + "_a" || map == std::string(slot) + "_b")
            return slot;
    return map;
}

PartKind kind_of_map(const Map& map) {
    if (map.name.starts_with("addr"))
        return PartKind::Addresses;
    if (map.name.starts_with("net"))
        return PartKind::Networks;
    if (map.name.starts_with("pod") || map.name.starts_with("range"))
        return PartKind::Workloads;
    const bool dispatch =
        map.name == "from" || map.name == "to" || map.name == "rfrom" || map.name == "rto";
    return dispatch ? PartKind::Dispatch : PartKind::HostPoints;
}

Tally compare_elements(const Map& before, const Map& after) {
    Tally out;
    auto was = before.elements.begin();
    auto is = after.elements.begin();
    while (was != before.elements.end() && is != after.elements.end()) {
        const auto order = *was <=> *is;
        if (order == 0)
            ++out.stay;
        else if (order < 0)
            ++out.go;
        else
            ++out.come;
        was += order <= 0 ? 1 : 0;
        is += order >= 0 ? 1 : 0;
    }
    out.go += static_cast<std::size_t>(before.elements.end() - was);
    out.come += static_cast<std::size_t>(after.elements.end() - is);
    return out;
}

/// In whatever order they are.
Tally compare_rules(const Chain& before, const Chain& after) {
    Tally out;
    std::vector<bool> taken(before.rules.size(), false);
    for (const nft::Rule& rule : after.rules) {
        std::size_t at = 0;
        while (at < taken.size() && (taken[at] || !(before.rules[at] == rule)))
            ++at;
        if (at == taken.size()) {
            ++out.come;
            continue;
        }
        taken[at] = true;
        ++out.stay;
    }
    out.go = before.rules.size() - out.stay;
    return out;
}

/// The chains with numbers in place of the generation's.
Ruleset numbered(const Ruleset& of, backends::Generation generation, unsigned flow_mark_bit) {
    Ruleset out;
    out.chains = of.chains;
    return nft::with_generation(std::move(out), generation.bits(flow_mark_bit));
}

class PartComparer {
  public:
    PartComparer(const Ruleset& before, const Ruleset& after, bool judges_anew,
                 unsigned flow_mark_bit)
        : before_(before), after_(after), judges_anew_(judges_anew), bit_(flow_mark_bit) {}

    PartList run() {
        compare_maps();
        compare_chains();
        return parts_.take();
    }

  private:
    RulesPart& part_of(const Map& map) {
        const std::string program = program_in(map.name);
        return program.empty() ? parts_.at(kind_of_map(map), without_slot(map.name))
                               : parts_.at(PartKind::Program, program);
    }
    RulesPart& part_of(const Chain& chain) {
        const std::string program = program_in(chain.name);
        return program.empty() ? parts_.at(PartKind::Chain, chain.name)
                               : parts_.at(PartKind::Program, program);
    }

    void compare_maps() {
        std::map<std::string, const Map*> left; // by name without slot
        for (const Map& map : before_.maps)
            left[without_slot(map.name)] = &map;
        for (const Map& map : after_.maps) {
            RulesPart& part = part_of(map);
            const auto was = left.find(without_slot(map.name));
            Tally maps, elements;
            if (was == left.end()) {
                maps.come = 1;
                elements.come = map.elements.size();
            } else {
                elements = compare_elements(*was->second, map);
                maps.stay = 1;
                if (was->second->name != map.name) { // filled beside the one in use
                    std::swap(elements.stay, elements.anew);
                    std::swap(maps.stay, maps.anew);
                }
                left.erase(was);
            }
            PartTable::count(part, map.name, maps, elements, part.maps, part.elements);
        }
        for (const auto& [name, map] : left) {
            Tally maps, elements;
            maps.go = 1;
            elements.go = map->elements.size();
            RulesPart& part = part_of(*map);
            PartTable::count(part, map->name, maps, elements, part.maps, part.elements);
        }
    }

    void compare_chains() {
        const auto generation =
            before_.chains.empty() ? std::nullopt : backends::generation_of(before_);
        const Ruleset one = numbered(after_, {1}, bit_), other = numbered(after_, {2}, bit_);
        const Ruleset now = generation ? numbered(after_, *generation, bit_) : after_;
        for (std::size_t i = 0; i < after_.chains.size(); ++i) {
            const Chain& chain = now.chains[i];
            RulesPart& part = part_of(chain);
            Tally chains, rules;
            const Chain* was = before_.find_chain(chain.name);
            if (was == nullptr) {
                chains.come = 1;
                rules.come = chain.rules.size();
            } else {
                const bool says_number = one.chains[i] != other.chains[i];
                rules = compare_rules(*was, chain);
                chains.stay = 1;
                if (*was != chain || (judges_anew_ && says_number)) { // emptied and filled again
                    std::swap(rules.stay, rules.anew);
                    std::swap(chains.stay, chains.anew);
                    part.reordered = part.reordered || (*was != chain && !rules.come && !rules.go);
                }
            }
            PartTable::count(part, chain.name, chains, rules, part.chains, part.rules);
        }
        for (const Chain& chain : before_.chains)
            if (after_.find_chain(chain.name) == nullptr) {
                Tally chains, rules;
                chains.go = 1;
                rules.go = chain.rules.size();
                RulesPart& part = part_of(chain);
                PartTable::count(part, chain.name, chains, rules, part.chains, part.rules);
            }
    }

    const Ruleset& before_;
    const Ruleset& after_;
    bool judges_anew_;
    unsigned bit_; ///< the lowest of conntrack marks that is ours
    PartTable parts_;
};

} // namespace

RulesPart& PartTable::at(PartKind kind, const std::string& name) {
    RulesPart& out = parts_[{kind, name}];
    out.kind = kind;
    out.name = name;
    return out;
}

void PartTable::count(RulesPart& part, const std::string& name, const Tally& whole,
                      const Tally& inside, Tally& to_whole, Tally& to_inside) {
    to_whole += whole;
    to_inside += inside;
    if (whole.changes() || inside.changes())
        part.objects.push_back(name);
}

PartList PartTable::take() {
    PartList out;
    for (auto& [key, part] : parts_)
        out.add(std::move(part));
    return out;
}

PartList compare_parts(const Ruleset& before, const Ruleset& after, bool judges_anew,
                       unsigned flow_mark_bit) {
    return PartComparer(before, after, judges_anew, flow_mark_bit).run();
}

} // namespace polecat::driver
