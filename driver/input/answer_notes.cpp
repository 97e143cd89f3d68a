#include "driver/input/answer_notes.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/explain/trail.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

/// Empty: there is no such policy.
std::string hooks_note(const decision::LoweredCluster& cluster) {
    const bool has_hooks =
        std::any_of(cluster.groups.begin(), cluster.groups.end(), [](const auto& group) {
            return std::any_of(group.programs.begin(), group.programs.end(), [](const auto& each) {
                return each.first.hook != decision::Hook::Normal;
            });
        });
    if (!has_hooks)
        return "";
    return "by the policies of both ends; preDNAT, untracked and forward policy of host endpoints "
           "on the way to others is followed by polecat reach with both ends and --port";
}

} // namespace

std::string http_note(const decision::LoweredCluster& cluster) {
    constexpr std::size_t kMost = 3;
    std::vector<std::string> rules;
    for (const auto& group : cluster.groups)
        for (const auto& [key, of] : group.programs)
            for (const decision::Stage& stage : cluster.program(of.program).stages)
                for (const decision::Entry& entry : stage.entries) {
                    if (!entry.match->http)
                        continue;
                    std::string rule =
                        analyzer::describe(of.slots[entry.slot.value], key.direction);
                    if (std::find(rules.begin(), rules.end(), rule) == rules.end())
                        rules.push_back(std::move(rule));
                }
    if (rules.empty())
        return "";
    return fmt::format("{} {} for HTTP requests alone; without Calico's application layer policy "
                       "(policySyncPathPrefix) {} the whole port",
                       listed(rules, kMost), rules.size() == 1 ? "is" : "are",
                       rules.size() == 1 ? "it takes" : "they take");
}

std::vector<std::string> answer_notes(const decision::LoweredCluster& cluster) {
    std::vector<std::string> out{hooks_note(cluster), http_note(cluster)};
    std::erase(out, "");
    return out;
}

void tell_notes(const decision::LoweredCluster& cluster) {
    if (cluster.endpoints.empty())
        fmt::print(stderr, "note: {}\n", kNobody);
    for (const std::string& note : answer_notes(cluster))
        fmt::print(stderr, "note: {}\n", note);
}

} // namespace polecat::driver
