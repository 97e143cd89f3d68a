#include "backends/iptables/cut.h"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>

namespace polecat::iptables {

namespace {

using Places = std::vector<std::uint32_t>; ///< of rules, ascending
using Branches = std::vector<CutPart::Branch>;

constexpr std::size_t kLeaf = kLongestBlock;
/// Blocks of a leaf, of which each is a chain after the one before it.
constexpr std::size_t kMostBlocks = 4;
/// Leaves of a tree, and how often its rules may stand in them on average.
constexpr std::size_t kMostLeaves = 500, kMostCopies = 4;

bool before(const FilterRule& a, const FilterRule& b) {
    return std::tie(a.slot, a.matches, a.action) < std::tie(b.slot, b.matches, b.action);
}

bool overlap(const std::vector<net::PortRange>& ports, const net::PortRange& with) {
    return std::any_of(ports.begin(), ports.end(), [&](const net::PortRange& each) {
        return each.first <= with.last && with.first <= each.last;
    });
}
bool cover(const std::vector<net::PortRange>& ports, const net::PortRange& all) {
    return std::any_of(ports.begin(), ports.end(), [&](const net::PortRange& each) {
        return each.first <= all.first && all.last <= each.last;
    });
}

/// Whether the rule may match a packet of that protocol; `protocol` 0: of one that has no part of
/// its own.
bool may_match(const FilterRule& rule, net::Protocol protocol,
               const std::vector<net::Protocol>& own) {
    for (const Match& match : rule.matches) {
        const auto* asked = std::get_if<ProtocolIs>(&match);
        if (asked == nullptr)
            continue;
        if (protocol == 0)
            return asked->negated ||
                   std::find(own.begin(), own.end(), asked->protocol) == own.end();
        return asked->negated != (asked->protocol == protocol);
    }
    return true;
}
/// Of a packet that is to one of the ports.
bool may_match(const FilterRule& rule, const net::PortRange& ports) {
    return std::all_of(rule.matches.begin(), rule.matches.end(), [&](const Match& match) {
        const auto* asked = std::get_if<PortIn>(&match);
        return asked == nullptr || asked->source ||
               (asked->negated ? !cover(asked->ports, ports) : overlap(asked->ports, ports));
    });
}

/// A part of the ports of a protocol, halved or not.
struct Stretch {
    net::Protocol protocol = 0;
    net::PortRange ports{0, 65535};
    Places rules;
    std::size_t left = 0, right = 0; ///< 0: it is whole
};

class Cutter {
  public:
    Cutter(const std::vector<FilterRule>& rules, std::size_t levels)
        : rules_(rules), levels_(levels), room_(kMostCopies * rules.size()) {}

    std::vector<CutPart> run() {
        for (const net::Protocol each : {net::kTcp, net::kUdp, net::kSctp})
            if (std::any_of(rules_.begin(), rules_.end(), [&](const FilterRule& rule) {
                    return std::find(rule.matches.begin(), rule.matches.end(),
                                     Match{ProtocolIs{false, each}}) != rule.matches.end();
                }))
                own_.push_back(each);
        if (own_.empty())
            return {};
        std::vector<std::size_t> roots;
        for (const net::Protocol each : own_)
            roots.push_back(add_whole(each));
        roots.push_back(add_whole(0));
        halve();
        measure();
        keep_levels_for_blocks();
        parts_.emplace_back();
        Branches branches;
        for (std::size_t i = 0; i < own_.size(); ++i) {
            Branches own = levels_ > 2 ? Branches{{{}, part_of(roots[i], levels_ - 1)}}
                                       : branches_of(roots[i], levels_);
            own.back().matches = {ProtocolIs{false, own_[i]}};
            branches.insert(branches.end(), own.begin(), own.end());
        }
        branches.push_back({{}, leaf_of(stretches_[roots.back()].rules)});
        parts_.front().branches = std::move(branches);
        return std::move(parts_);
    }

  private:
    std::size_t add_whole(net::Protocol protocol) {
        Stretch made;
        made.protocol = protocol;
        for (std::uint32_t i = 0; i < rules_.size(); ++i)
            if (may_match(rules_[i], protocol, own_))
                made.rules.push_back(i);
        return add(std::move(made));
    }

    std::size_t add(Stretch made) {
        room_ -= std::min(room_, made.rules.size());
        if (made.protocol != 0 && made.rules.size() > kLeaf)
            longest_.emplace(made.rules.size(), stretches_.size());
        stretches_.push_back(std::move(made));
        return stretches_.size() - 1;
    }

    /// The longest first, while there is room for what then stands twice.
    void halve() {
        for (std::size_t leaves = own_.size() + 1; !longest_.empty() && leaves < kMostLeaves;) {
            const std::size_t place = longest_.top().second;
            longest_.pop();
            const Stretch whole = stretches_[place];
            const int middle = middle_of(whole);
            if (middle < 0)
                continue;
            Stretch low = part(whole, {whole.ports.first, static_cast<std::uint16_t>(middle - 1)}),
                    high = part(whole, {static_cast<std::uint16_t>(middle), whole.ports.last});
            const std::size_t size = low.rules.size() + high.rules.size();
            if (size == 2 * whole.rules.size() || size > whole.rules.size() + room_)
                continue;
            room_ += whole.rules.size();
            const std::size_t left = add(std::move(low)), right = add(std::move(high));
            stretches_[place].left = left;
            stretches_[place].right = right;
            ++leaves;
        }
    }

    Stretch part(const Stretch& of, net::PortRange ports) const {
        Stretch out;
        out.protocol = of.protocol;
        out.ports = ports;
        for (const std::uint32_t each : of.rules)
            if (may_match(rules_[each], ports))
                out.rules.push_back(each);
        return out;
    }

    /// Where the upper half begins; -1: its rules don't tell its ports apart.
    int middle_of(const Stretch& whole) const {
        std::vector<int> borders;
        for (const std::uint32_t each : whole.rules)
            for (const Match& match : rules_[each].matches) {
                const auto* asked = std::get_if<PortIn>(&match);
                if (asked == nullptr || asked->source)
                    continue;
                for (const net::PortRange& range : asked->ports)
                    for (const int border : {int{range.first}, range.last + 1})
                        if (border > whole.ports.first && border <= whole.ports.last)
                            borders.push_back(border);
            }
        if (borders.empty())
            return -1;
        const auto middle = borders.begin() + static_cast<std::ptrdiff_t>(borders.size() / 2);
        std::nth_element(borders.begin(), middle, borders.end());
        return *middle;
    }

    /// How often each stretch is halved at most. Halves come after what they are of.
    void measure() {
        heights_.assign(stretches_.size(), 0);
        for (std::size_t i = stretches_.size(); i-- > 0;)
            if (stretches_[i].left != 0)
                heights_[i] =
                    1 + std::max(heights_[stretches_[i].left], heights_[stretches_[i].right]);
    }

    /// What leaves need of the levels after their first chain: the tree is as well with few.
    void keep_levels_for_blocks() {
        const std::size_t most = std::min(kMostBlocks, levels_ / 2);
        for (const Stretch& each : stretches_)
            if (each.left == 0)
                if (const auto made = blocks(rules_, each.rules, most); made.size() > 1)
                    block_levels_ = std::max(block_levels_, made.size());
        levels_ -= block_levels_;
    }

    /// Of at most so many chains one after the other.
    std::size_t part_of(std::size_t place, std::size_t levels) {
        if (stretches_[place].left == 0)
            return leaf_of(stretches_[place].rules);
        Branches branches = branches_of(place, levels);
        if (branches.size() == 1)
            return branches.front().to;
        branches.back().matches.clear();
        parts_.push_back({std::move(branches), {}});
        return parts_.size() - 1;
    }

    /// The fewer levels are left, the more halvings are done by one chain.
    Branches branches_of(std::size_t place, std::size_t levels) {
        Branches out;
        const std::size_t below = levels - 1;
        add_branches(place, (heights_[place] + below - 1) / below, below, out);
        return out;
    }

    void add_branches(std::size_t place, std::size_t halvings, std::size_t levels, Branches& to) {
        const Stretch& stretch = stretches_[place];
        if (stretch.left != 0 && halvings > 0) {
            add_branches(stretch.left, halvings - 1, levels, to);
            add_branches(stretch.right, halvings - 1, levels, to);
            return;
        }
        net::PortRange ports = stretch.ports;
        const std::size_t part = part_of(place, levels);
        if (!to.empty() && to.back().to == part) {
            ports.first = std::get<PortIn>(to.back().matches.back()).ports.front().first;
            to.pop_back();
        }
        to.push_back({{ProtocolIs{false, stretch.protocol}, PortIn{false, false, {ports}}}, part});
    }

    std::size_t leaf_of(const Places& rules) {
        const auto [known, added] = leaves_.try_emplace(rules, parts_.size());
        if (added)
            add_leaf(blocks(rules_, rules, block_levels_));
        return known->second;
    }

    /// Whoever comes to a block goes on to those behind it, so that rules are met in their order.
    void add_leaf(std::vector<Block> made) {
        const std::size_t first = parts_.size() + (made.size() > 1 ? 1 : 0);
        Branches on;
        std::vector<CutPart> chains;
        for (std::size_t i = made.size(); i-- > 0;) {
            chains.push_back({on, std::move(made[i].rules)});
            if (made[i].of.sets.empty())
                on.clear();
            on.insert(on.begin(), {{}, first + i, std::move(made[i].of)});
        }
        if (chains.size() > 1)
            parts_.push_back({std::move(on), {}});
        parts_.insert(parts_.end(), std::make_move_iterator(chains.rbegin()),
                      std::make_move_iterator(chains.rend()));
    }

    const std::vector<FilterRule>& rules_;
    std::size_t levels_;
    std::size_t block_levels_ = 0;
    std::size_t room_; ///< for copies of rules
    std::vector<net::Protocol> own_;
    std::vector<Stretch> stretches_;
    std::vector<std::size_t> heights_;
    std::priority_queue<std::pair<std::size_t, std::size_t>> longest_;
    std::map<Places, std::size_t> leaves_;
    std::vector<CutPart> parts_;
};

} // namespace

std::vector<CutPart> cut(const std::vector<FilterRule>& rules, std::size_t levels) {
    const auto not_before = [](const FilterRule& a, const FilterRule& b) { return !before(a, b); };
    if (levels < 2 || rules.size() < kShortestCut ||
        std::adjacent_find(rules.begin(), rules.end(), not_before) != rules.end())
        return {};
    return Cutter(rules, levels).run();
}

std::vector<FilterRule> in_order(std::vector<FilterRule> rules) {
    std::sort(rules.begin(), rules.end(), before);
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    return rules;
}

void settle_order(std::vector<FilterRule>& rules) {
    const auto by_slot = [](const FilterRule& a, const FilterRule& b) { return a.slot < b.slot; };
    if (rules.size() >= kShortestCut && std::is_sorted(rules.begin(), rules.end(), by_slot))
        rules = in_order(std::move(rules));
}

} // namespace polecat::iptables
