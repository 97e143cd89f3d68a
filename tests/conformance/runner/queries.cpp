#include "tests/conformance/runner/queries.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "tests/conformance/runner/query_parts.h"

namespace polecat::conformance {

using analyzer::FlowsOf;
using policy::Direction;

std::string to_string(const PolicyRef& policy, const RuleRef& rule) {
    return to_string(policy.name) +
           (rule.direction == Direction::Ingress ? " ingress[" : " egress[") +
           std::to_string(rule.index) + "]";
}

analyzer::TwoWorlds compare(const Configuration& first, FlowsOf of_first,
                            const Configuration& second, FlowsOf of_second) {
    const auto out =
        analyzer::compare_worlds({first.lowered, of_first}, {second.lowered, of_second});
    if (out.depends)
        throw Undecided();
    return out;
}

bool same_flows(const Configuration& first, const Configuration& second) {
    return compare(first, FlowsOf::Everything, second, FlowsOf::Everything).same();
}

namespace {

bool has_policies(const Configuration& configuration) {
    return !policies_of(configuration.cluster).empty();
}

std::set<std::string> endpoints(const Configuration& configuration) {
    std::set<std::string> out;
    for (const auto& [name, id] : configuration.lowered.workloads_by_name)
        out.insert(name);
    for (const auto& [name, id] : configuration.lowered.host_endpoints_by_name)
        out.insert("hep:" + name);
    return out;
}

// --- one configuration ---------------------------------------------------------------------------

void count_vacuity(const Configuration& configuration, Tally& tally) {
    if (is_vacuous(configuration))
        tally.add(configuration.name + " is vacuous");
}

void count_disjointness(const Configuration& configuration, Tally& tally) {
    const Selections selections(configuration);
    const auto policies = policies_of(configuration.cluster);
    for (std::size_t i = 0; i < policies.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const auto& theirs = selections.subject(policies[j]);
            const auto& mine = selections.subject(policies[i]);
            if (std::any_of(mine.begin(), mine.end(),
                            [&](decision::ObjectId id) { return theirs.contains(id); }))
                tally.add(to_string(policies[j].name) + " and " + to_string(policies[i].name));
        }
}

// --- two configurations --------------------------------------------------------------------------

bool interferes(const Configuration& with, const Configuration& base) {
    return endpoints(with) == endpoints(base) &&
           compare(with, FlowsOf::Policies, base, FlowsOf::Policies).first_has_more;
}

bool allows_forbidden(const Configuration& specification, const Configuration& base) {
    return has_policies(specification) &&
           compare(policies_in(specification, base), FlowsOf::Policies, base, FlowsOf::Everything)
               .meet;
}

bool denies_permitted(const Configuration& specification, const Configuration& base) {
    return has_policies(specification) &&
           compare(policies_in(specification, base), FlowsOf::Policies, base, FlowsOf::Everything)
               .first_has_more;
}

bool differ_strongly(const Configuration& first, const Configuration& second) {
    if (endpoints(first) != endpoints(second))
        return true;
    const auto mine = policies_of(first.cluster), theirs = policies_of(second.cluster);
    if (mine.size() != theirs.size())
        return true;
    return std::any_of(mine.begin(), mine.end(), [&](const PolicyRef& policy) {
        const auto twin = std::find_if(theirs.begin(), theirs.end(), [&](const PolicyRef& each) {
            return each.name == policy.name;
        });
        return twin == theirs.end() ||
               !same_flows(with_only(first, policy), with_only(second, *twin));
    });
}

bool are_different(const Configuration& first, const Configuration& second) {
    return endpoints(first) != endpoints(second) || !same_flows(first, second);
}

bool is_contained(const Configuration& inner, const Configuration& outer) {
    const auto mine = endpoints(inner), theirs = endpoints(outer);
    return std::includes(theirs.begin(), theirs.end(), mine.begin(), mine.end()) &&
           !compare(inner, FlowsOf::Everything, outer, FlowsOf::Everything).first_has_more;
}

using Single = std::function<void(const Configuration&, Tally&)>;
using Pair = std::function<bool(const Configuration&, const Configuration&)>;

const std::map<std::string, Single>& single_queries() {
    static const std::map<std::string, Single> kQueries{
        {"emptiness", count_emptiness},  {"redundancy", count_redundancy},
        {"sanity", count_sanity},        {"vacuity", count_vacuity},
        {"allCaptured", count_captured}, {"disjointness", count_disjointness}};
    return kQueries;
}

/// Each configuration after the first against the first.
const std::map<std::string, Pair>& base_queries() {
    static const std::map<std::string, Pair> kQueries{{"interferes", interferes},
                                                      {"forbids", allows_forbidden},
                                                      {"permits", denies_permitted},
                                                      {"containment", is_contained}};
    return kQueries;
}

/// Each configuration against each after it.
const std::map<std::string, Pair>& pair_queries() {
    static const std::map<std::string, Pair> kQueries{{"equivalence", are_different},
                                                      {"strongEquivalence", differ_strongly}};
    return kQueries;
}

void ask(const Pair& holds, const Configuration& first, const Configuration& second, Tally& tally) {
    if (holds(first, second))
        tally.add(first.name + " and " + second.name);
}

/// False: no such query.
bool count(const std::string& query, const std::vector<Configuration>& all, Tally& tally) {
    if (const auto single = single_queries().find(query); single != single_queries().end()) {
        for (const Configuration& each : all)
            single->second(each, tally);
        return true;
    }
    if (const auto base = base_queries().find(query); base != base_queries().end()) {
        for (std::size_t i = 1; i < all.size(); ++i)
            ask(base->second, all[i], all.front(), tally);
        return true;
    }
    const auto pair = pair_queries().find(query);
    const bool both_ways = query == "pairwiseInterferes";
    if (pair == pair_queries().end() && !both_ways)
        return false;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = both_ways ? 0 : i + 1; j < all.size(); ++j)
            if (i != j)
                ask(both_ways ? interferes : pair->second, all[i], all[j], tally);
    return true;
}

} // namespace

std::optional<QueryAnswer> answer_query(const std::string& query,
                                        const std::vector<Configuration>& configurations) {
    Tally tally;
    try {
        if (!count(query, configurations, tally))
            return std::nullopt;
    } catch (const Undecided&) {
        return std::nullopt;
    }
    return tally.take();
}

} // namespace polecat::conformance
