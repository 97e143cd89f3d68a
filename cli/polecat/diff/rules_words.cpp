#include "cli/polecat/diff/rules_words.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

/// The least and the most of a number on the nodes of a group.
struct Spread {
    std::size_t least = ~std::size_t{0}, most = 0;

    void add(std::size_t number) {
        least = std::min(least, number);
        most = std::max(most, number);
    }
    std::string text() const {
        return least >= most ? grouped_digits(most)
                             : grouped_digits(least) + " to " + grouped_digits(most);
    }
    /// "3 rules", "0 to 1 rules".
    std::string of(const char* word) const {
        return least >= most ? counted(most, word) : fmt::format("{} {}s", text(), word);
    }
};

struct SpreadTally {
    Spread come, go, anew, stay;

    void add(const Tally& tally) {
        come.add(tally.come);
        go.add(tally.go);
        anew.add(tally.anew);
        stay.add(tally.stay);
    }
};

struct SpreadCount {
    Spread parts;
    SpreadTally chains, rules, maps, elements;
    std::set<std::string> names;
    bool reordered = false;

    void add(const PartCount& count) {
        parts.add(count.parts);
        chains.add(count.chains);
        rules.add(count.rules);
        maps.add(count.maps);
        elements.add(count.elements);
    }
    /// Maps of nftables are sets of ipset.
    std::vector<std::pair<const char*, const SpreadTally*>> all(bool sets) const {
        return {{"chain", &chains},
                {"rule", &rules},
                {sets ? "set" : "map", &maps},
                {"element", &elements}};
    }
};

void add_to(std::string& out, const std::string& part, const char* between = ", ") {
    if (!part.empty())
        out += (out.empty() ? "" : between) + part;
}

/// ": 3 chains, 12 rules": of what comes whole, or goes; `chains`: they are counted before.
std::string whole_text(const SpreadCount& count, Spread SpreadTally::*which, bool sets,
                       bool chains) {
    std::string out;
    for (const auto& [word, tally] : count.all(sets))
        if ((tally->*which).most != 0 && !(chains && tally == &count.chains))
            add_to(out, (tally->*which).of(word));
    return out.empty() ? out : ": " + out;
}

std::string verb(const Spread& number, const char* one, const char* several) {
    return number.least >= number.most && number.most == 1 ? one : several;
}

/// "3 elements come, 1 goes, 20 are written anew".
std::string change_text(const char* word, const SpreadTally& tally) {
    std::string out;
    bool named = false;
    const auto add = [&](const Spread& number, const std::string& does) {
        if (number.most == 0)
            return;
        add_to(out, (named ? number.text() : number.of(word)) + " " + does);
        named = true;
    };
    add(tally.come, verb(tally.come, "comes", "come"));
    add(tally.go, verb(tally.go, "goes", "go"));
    add(tally.anew, verb(tally.anew, "is written anew", "are written anew"));
    return out;
}

std::string kind_text(PartKind kind, const SpreadCount& count) {
    const std::string names = " (" + listed({count.names.begin(), count.names.end()}, 6) + ")";
    switch (kind) {
    case PartKind::Program:
        return count.parts.of("program");
    case PartKind::Addresses:
        return "addresses of endpoints" + names;
    case PartKind::Networks:
        return "all other addresses" + names;
    case PartKind::Workloads:
        return "workloads of the node" + names;
    case PartKind::Dispatch:
        return "which programs workloads run" + names;
    case PartKind::HostPoints:
        return "interfaces of host endpoints" + names;
    case PartKind::Predicates:
        return count.parts.of("predicate") + names;
    case PartKind::Chain:
        break;
    }
    return count.parts.of("chain") + names;
}

std::string line_text(PartKind kind, PartChange change, const SpreadCount& count, bool sets) {
    const std::string what = kind_text(kind, count);
    const bool chains = kind == PartKind::Chain;
    switch (change) {
    case PartChange::Comes:
        return "+ " + what + whole_text(count, &SpreadTally::come, sets, chains);
    case PartChange::Goes:
        return "- " + what + whole_text(count, &SpreadTally::go, sets, chains);
    case PartChange::Changes:
    case PartChange::WrittenAnew:
        break;
    }
    std::string out;
    for (const auto& [word, tally] : count.all(sets))
        // Of a map or chain that is written anew, what is in it says so.
        if (tally != &count.maps && tally != &count.chains)
            add_to(out, change_text(word, *tally), "; ");
        else if (tally->come.most + tally->go.most != 0)
            add_to(out, change_text(word, {tally->come, tally->go, {}, {}}), "; ");
    if (count.maps.anew.most != 0)
        add_to(out, "under the other of its two names");
    if (change == PartChange::Changes)
        return fmt::format("~ {}: {}{}", what, out,
                           count.reordered ? ", some in another order" : "");
    return fmt::format("= {}: {}{}", what, out,
                       chains ? ", and say the same but for the number of the generation"
                              : ", as before");
}

const NodeRollout& node_of(const Rollout& rollout, const RolloutGroup& group, std::size_t i = 0) {
    return rollout.nodes[group.nodes[i]];
}

std::string totals_text(const char* word, const Tally& tally) {
    SpreadTally spread;
    spread.add(tally);
    const std::string out = change_text(word, spread);
    return out.empty() ? fmt::format("no {} comes or goes", word) : out;
}

/// "426 more: 420 of NetworkPolicy, 6 of Pod": those behind the first `shown`.
std::string others_text(const Rollout& rollout, const RolloutGroup& group, std::size_t shown) {
    std::map<std::string, std::size_t> kinds;
    for (std::size_t i = shown; i < group.reasons.size(); ++i) {
        const std::string& object = rollout.reasons[group.reasons[i].first].object;
        const std::size_t end = object.find(' ');
        ++kinds[end == std::string::npos ? "addresses" : object.substr(0, end)];
    }
    std::string out;
    for (const auto& [kind, number] : kinds)
        add_to(out, fmt::format("{} of {}", grouped_digits(number), kind));
    return fmt::format("{} more: {}", grouped_digits(group.reasons.size() - shown), out);
}

} // namespace

std::string bytes_text(std::size_t bytes) {
    if (bytes < 1000)
        return counted(bytes, "byte");
    const auto size = static_cast<double>(bytes);
    return bytes < 1'000'000 ? fmt::format("{:.1f} KB", size / 1e3)
                             : fmt::format("{:.1f} MB", size / 1e6);
}

std::string time_text(double seconds) {
    if (seconds < 0.9995)
        return fmt::format("{:.0f} ms", std::max(1.0, seconds * 1e3));
    return fmt::format("{:.1f} s", seconds);
}

std::vector<PartLine> part_lines(const Rollout& rollout, const RolloutGroup& group) {
    std::map<std::pair<PartKind, PartChange>, SpreadCount> all;
    for (const std::size_t index : group.nodes) {
        const NodeRollout& node = rollout.nodes[index];
        for (const auto& [key, count] : counts_of(node))
            all[key].add(count);
        for (const RulesPart& part : node.parts.parts) {
            SpreadCount& count = all[{part.kind, part.change}];
            count.names.insert(part.name);
            count.reordered = count.reordered || part.reordered;
        }
    }
    std::vector<PartLine> out;
    for (const auto& [key, count] : all)
        out.push_back({key.first, key.second,
                       line_text(key.first, key.second, count, rollout.target != "nftables")});
    return out;
}

std::string stays_text(const Rollout& rollout, const RolloutGroup& group) {
    Spread programs, chains, rules, maps, elements;
    for (const std::size_t index : group.nodes) {
        const PartList& parts = rollout.nodes[index].parts;
        programs.add(parts.programs.stay);
        chains.add(parts.chains.stay);
        rules.add(parts.rules.stay);
        maps.add(parts.maps.stay);
        elements.add(parts.elements.stay);
    }
    return fmt::format("{}, {}, {}, {}, {}", programs.of("program"), chains.of("chain"),
                       rules.of("rule"),
                       maps.of(rollout.target == "iptables" ? "set"
                               : rollout.target == "bpf"    ? "set or table"
                                                            : "map"),
                       elements.of("element"));
}

std::vector<std::string> step_lines(const Rollout& rollout, const RolloutGroup& group) {
    std::vector<std::string> out;
    const auto& first = node_of(rollout, group).steps; // equal in all but their size
    for (std::size_t i = 0; i < first.size(); ++i) {
        std::size_t least = ~std::size_t{0}, most = 0;
        double slowest = 0;
        for (const std::size_t index : group.nodes) {
            const RolloutStep& step = rollout.nodes[index].steps[i];
            least = std::min(least, step.bytes);
            most = std::max(most, step.bytes);
            slowest = std::max(slowest, step.seconds);
        }
        const std::string bytes = bytes_text(most);
        const std::string at_least = bytes_text(least);
        out.push_back(fmt::format("{}. {}: {}, {}{}", i + 1, first[i].what,
                                  at_least == bytes ? bytes : at_least + " to " + bytes,
                                  group.nodes.size() > 1 ? "at most " : "", time_text(slowest)));
    }
    return out;
}

std::vector<std::string> flow_lines(const Rollout& rollout, const RolloutGroup& group) {
    const NodeRollout& first = node_of(rollout, group);
    if (first.state == NodeRollout::State::Fresh && rollout.target != "nftables")
        return {"all flows are judged, once hooks.iptables leads packets there"};
    if (first.state == NodeRollout::State::Fresh)
        return {"all flows are judged; where rules were there all the same, packets are lost in "
                "the moment of the load"};
    std::vector<std::string> out{
        first.judges_anew
            ? "established flows are judged again by their next packet, under the next generation"
            : "established flows go on as they were judged"};
    Spread count;
    bool same = true;
    for (const std::size_t index : group.nodes) {
        count.add(rollout.nodes[index].forget.size());
        same = same && rollout.nodes[index].forget == first.forget;
    }
    std::vector<std::string> addresses;
    for (const net::Address& each : first.forget)
        addresses.push_back(net::to_string(each));
    if (count.most != 0)
        out.push_back("connections of " +
                      (same ? listed(addresses) : count.text() + " addresses that come or go") +
                      " are for whoever loads it to delete from conntrack");
    return out;
}

std::vector<std::string> reason_lines(const Rollout& rollout, const RolloutGroup& group,
                                      std::size_t most) {
    std::vector<std::string> out;
    for (const auto& [index, nodes] : group.reasons) {
        if (out.size() == most)
            break;
        const Reason& reason = rollout.reasons[index];
        const bool says_label = reason.what.starts_with("is ") || reason.what.starts_with("may ");
        out.push_back(fmt::format("{}{} {}{}{}", reason.object, says_label ? "" : ":", reason.what,
                                  reason.at.empty() ? "" : " (" + reason.at + ")",
                                  nodes == group.nodes.size()
                                      ? ""
                                      : fmt::format(", on {} of these", counted(nodes, "node"))));
    }
    if (group.reasons.size() > most)
        out.push_back("and " + others_text(rollout, group, most));
    if (node_of(rollout, group).unexplained)
        out.push_back(out.empty() ? "not known: what was compared does not show it"
                                  : "and something else that what was compared does not show");
    return out;
}

std::string group_title(const Rollout& rollout, const RolloutGroup& group, std::size_t most) {
    std::vector<std::string> names;
    for (const std::size_t index : group.nodes)
        names.push_back(rollout.nodes[index].node);
    return fmt::format("{}: {}", counted(names.size(), "node"), listed(names, most));
}

std::vector<std::string> total_lines(const Rollout& rollout) {
    PartList sum;
    std::size_t touched = 0, bytes = 0, transactions = 0;
    const NodeRollout* longest = nullptr;
    for (const NodeRollout& node : rollout.nodes) {
        if (!node.is_touched())
            continue;
        ++touched;
        sum.rules += node.parts.rules;
        sum.elements += node.parts.elements;
        bytes += node.bytes();
        transactions += node.steps.size();
        if (longest == nullptr || node.seconds() > longest->seconds())
            longest = &node;
    }
    std::vector<std::string> out;
    const std::size_t told = rollout.nodes.size() - rollout.count(NodeRollout::State::NotTold);
    if (touched == 0)
        out.push_back(fmt::format("nothing is loaded on any of {}", counted(told, "node")));
    else {
        out.push_back(fmt::format("something is loaded on {} of {}: {}; {}",
                                  grouped_digits(touched), counted(told, "node"),
                                  totals_text("element", sum.elements),
                                  totals_text("rule", sum.rules)));
        out.push_back(fmt::format("{}, {}; the longest on {}: about {}",
                                  counted(transactions, "transaction"), bytes_text(bytes),
                                  longest->node, time_text(longest->seconds())));
    }
    if (const std::size_t missing = rollout.nodes.size() - told)
        out.push_back(fmt::format("not told of {}: see below", counted(missing, "node")));
    return out;
}

} // namespace polecat::cli
