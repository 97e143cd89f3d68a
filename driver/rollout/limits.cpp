#include "driver/rollout/limits.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "support/listed.h"

namespace polecat::driver {

Result<RolloutLimits> parse_limits(const std::string& text) {
    RolloutLimits out;
    if (text == "none")
        return out;
    if (text == "any") {
        out.nodes = 0;
        return out;
    }
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        const std::size_t equals = part.find('=');
        const std::string name = part.substr(0, equals);
        std::optional<std::size_t>* const to = name == "elements" ? &out.elements
                                               : name == "rules"  ? &out.rules
                                               : name == "nodes"  ? &out.nodes
                                                                  : nullptr;
        std::size_t number = 0;
        const char* const end = part.data() + part.size();
        const char* const begin = equals == std::string::npos ? end : part.data() + equals + 1;
        const auto [stop, failure] = std::from_chars(begin, end, number);
        if (to == nullptr || failure != std::errc{} || stop != end)
            return Error{"`" + part +
                         "` is no limit of rules: any, none, or some of elements=N, rules=N, "
                         "nodes=N with commas between"};
        if (to->has_value())
            return Error{"it says " + name + " twice"};
        *to = number;
    }
    return out;
}

std::vector<std::string> over_limits(const Rollout& rollout, const RolloutLimits& limits) {
    std::vector<std::string> out;
    std::size_t touched = 0;
    for (const NodeRollout& node : rollout.nodes)
        touched += node.is_touched() ? 1 : 0;
    if (limits.nodes && touched > *limits.nodes)
        out.push_back(fmt::format("nodes that load something: {}, and the limit is {}",
                                  grouped_digits(touched), grouped_digits(*limits.nodes)));
    const auto look = [&](const char* what, const std::optional<std::size_t>& limit,
                          Tally PartList::*tally) {
        if (!limit)
            return;
        const NodeRollout* most = nullptr;
        std::size_t number = 0;
        for (const NodeRollout& node : rollout.nodes) {
            const Tally& of = node.parts.*tally;
            if (const std::size_t all = of.come + of.go + of.anew; all > number) {
                number = all;
                most = &node;
            }
        }
        if (most != nullptr && number > *limit)
            out.push_back(fmt::format("{} that come, go or are written anew on {}: {}, and the "
                                      "limit is {}",
                                      what, most->node, grouped_digits(number),
                                      grouped_digits(*limit)));
    };
    look("elements", limits.elements, &PartList::elements);
    look("rules", limits.rules, &PartList::rules);
    return out;
}

} // namespace polecat::driver
