// What daemons of BGP print of their routes.
#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tests/expressions.h"
#include "tests/kernel/bgp_lab.h"

namespace polecat::kernel_test {

namespace {

using nlohmann::json;

/// "BGP.as_path: 65001 64512" and its like, of one route.
using BirdAttributes = std::map<std::string, std::string>;

std::string attributes_of(BirdAttributes& bird) {
    std::string out =
        fmt::format("[{}] via {} pref {}", bird["as_path"], bird["next_hop"], bird["local_pref"]);
    if (!bird["originator_id"].empty())
        out += " by " + bird["originator_id"];
    if (!bird["cluster_list"].empty())
        out += " cluster " + bird["cluster_list"];
    if (!bird["community"].empty())
        out += " community " + bird["community"];
    return out;
}

std::string trimmed(std::string text) {
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(" \r") + 1);
    return text;
}

} // namespace

std::vector<HeardRoute> heard_by_bird(const std::string& printed) {
    // A route starts with its prefix, or blanks where it has that of the one before.
    const std::string start = R"(^([0-9./]*)\s+\S+ \[(?:\S*?(\d+\.\d+\.\d+\.\d+)\S* )?.*\].*$)";
    std::vector<HeardRoute> out;
    std::string prefix, from;
    BirdAttributes attributes;
    const auto done = [&] {
        if (!from.empty() && attributes.contains("next_hop"))
            out.push_back({prefix, from, attributes_of(attributes)});
        from.clear();
        attributes.clear();
    };
    std::istringstream lines(printed);
    for (std::string line; std::getline(lines, line);)
        if (const auto found = testing::matches(line, start); !found.empty()) {
            done();
            if (!found[0][1].empty())
                prefix = found[0][1];
            from = found[0][2];
        } else if (line.starts_with("\tBGP.")) {
            const std::size_t colon = line.find(':');
            attributes[line.substr(5, colon - 5)] = trimmed(line.substr(colon + 1));
        }
    done();
    return out;
}

std::vector<HeardRoute> heard_by_gobgp(const std::string& printed) {
    std::vector<HeardRoute> out;
    const json rib = json::parse(printed, nullptr, false);
    if (!rib.is_object())
        return out;
    for (const auto& [prefix, paths] : rib.items()) {
        if (!paths.is_array())
            continue; // {"error": "..."}, before there is a table
        for (const json& path : paths) {
            HeardRoute route{prefix, path.value("neighbor-ip", ""), ""};
            std::vector<std::uint32_t> numbers;
            std::string next_hop, communities;
            for (const json& each : path["attrs"]) {
                if (each["type"] == 2)
                    for (const json& segment : each["as_paths"])
                        for (const json& number : segment["asns"])
                            numbers.push_back(number);
                if (each["type"] == 3)
                    next_hop = each["nexthop"];
                if (each["type"] == 8)
                    for (const std::uint32_t number : each["communities"])
                        communities += fmt::format("{}({},{})", communities.empty() ? "" : " ",
                                                   number >> 16, number & 0xffff);
            }
            route.attributes = fmt::format("[{}] via {}", fmt::join(numbers, " "), next_hop);
            if (!communities.empty())
                route.attributes += " community " + communities;
            out.push_back(std::move(route));
        }
    }
    return out;
}

std::vector<HeardRoute> heard_by_frr(const std::string& printed) {
    std::vector<HeardRoute> out;
    const json table = json::parse(printed, nullptr, false);
    if (!table.is_object() || !table.contains("routes"))
        return out;
    for (const auto& [prefix, paths] : table["routes"].items()) {
        // FRR takes additional paths where it is offered some: the model speaks of the best one.
        std::map<std::string, const json*> best;
        const auto hops = [](const json& path) {
            const std::string numbers = path.value("path", "");
            return std::count(numbers.begin(), numbers.end(), ' ');
        };
        for (const json& path : paths) {
            const auto [place, fresh] = best.try_emplace(path.value("peerId", ""), &path);
            if (!fresh && hops(path) < hops(*place->second))
                place->second = &path;
        }
        for (const auto& [peer, path] : best)
            out.push_back({prefix, peer,
                           fmt::format("[{}] via {}", path->value("path", ""),
                                       (*path)["nexthops"][0].value("ip", ""))});
    }
    return out;
}

} // namespace polecat::kernel_test
