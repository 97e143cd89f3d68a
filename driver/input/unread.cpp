#include "driver/input/unread.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

constexpr std::size_t kMostPlaces = 3; // places of one line

/// "a.yaml:5 (NetworkPolicy shop/web)", an object once.
std::vector<std::string> places_of(const Input& input) {
    std::vector<std::string> out, objects;
    for (const diag::Diagnostic& each : input.diagnostics.list()) {
        if (each.severity != diag::Severity::Error)
            continue;
        const std::string place = each.span.known() ? input.sources.describe(each.span) : "";
        const std::string key = each.object.empty() ? place : each.object;
        if (std::find(objects.begin(), objects.end(), key) != objects.end())
            continue;
        objects.push_back(key);
        out.push_back(each.object.empty() ? place : place + " (" + each.object + ")");
    }
    return out;
}

} // namespace

bool leaves_nothing(const diag::Diagnostics& diagnostics) {
    return std::any_of(diagnostics.list().begin(), diagnostics.list().end(), [](const auto& each) {
        return each.code == diag::Code::UnreadableFile || each.code == diag::Code::NoManifests;
    });
}

namespace {

/// What can't be read stands for any.
template <class... Lists> bool says_nothing(const Lists&... lists) {
    const auto all_unread = [](const auto& list) {
        return std::all_of(list.begin(), list.end(),
                           [](const auto& each) { return each.meta.unread.known(); });
    };
    return (all_unread(lists) && ...);
}

/// Whether nothing was read, not even of kinds that nothing is read of.
bool is_empty(const policy::Cluster& cluster) {
    const auto& [namespaces, service_accounts, nodes, workloads, host_endpoints, services,
                 service_endpoints, secrets, request_routes, ingress_classes, tiers, policies,
                 kubernetes_policies, cluster_policies, profiles, network_sets, pools, felix,
                 felix_of_nodes, others, inventories, unread_kinds, foreign_policies, unread_pods,
                 spaces_in_part, variants, placed_elsewhere] = cluster;
    const auto nothing_in = [](const auto&... lists) { return (lists.empty() && ...); };
    return nothing_in(namespaces, service_accounts, workloads, host_endpoints, services,
                      service_endpoints, secrets, request_routes, ingress_classes, tiers,
                      network_sets, felix_of_nodes, inventories, unread_kinds, foreign_policies,
                      unread_pods) &&
           says_nothing(policies, kubernetes_policies, cluster_policies, nodes, profiles, pools,
                        others);
}

} // namespace

bool is_unusable(const Input& input, bool needs_objects) {
    const bool nothing_read =
        needs_objects && input.diagnostics.has_errors() && is_empty(input.cluster);
    if (!leaves_nothing(input.diagnostics) && !nothing_read)
        return false;
    print_errors(input, false);
    return true;
}

namespace {

bool differs(const diag::Diagnostic& each) {
    if (each.code == diag::Code::SeveralVariants)
        return std::any_of(each.facts.begin(), each.facts.end(), [](const auto& fact) {
            return fact.first == "differ" && fact.second == "true";
        });
    return each.code == diag::Code::DuplicateObject && each.severity == diag::Severity::Warning;
}

/// Objects of which the input holds more than one, in different places, and not the same.
std::vector<const diag::Diagnostic*> variants_of(const Input& input) {
    std::vector<const diag::Diagnostic*> out;
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (differs(each))
            out.push_back(&each);
    return out;
}

} // namespace

bool is_partly_unread(const Input& input) {
    return input.diagnostics.has_errors() || !variants_of(input).empty();
}

namespace {

std::string hanging_on(const Hanging& hanging, bool one) {
    return fmt::format("{} of {} answer{} on {}", hanging.some, hanging.all,
                       hanging.all == 1 ? " hangs" : "s hang", one ? "it" : "them");
}

/// Which one counts: a policy that differs is not known, as answers say that hang on it.
std::string variants_line(const Input& input, const std::vector<const diag::Diagnostic*>& found) {
    std::vector<std::string> places;
    for (const diag::Diagnostic* each : found)
        places.push_back(input.sources.describe(each->span) + " (" + each->object + ")");
    const bool one = places.size() == 1;
    return fmt::format("several variants: {} in more than one place and {}, {}: the last counts, "
                       "and of policies none (pass the files of one cluster only)",
                       one ? "1 object stands" : fmt::format("{} objects stand", places.size()),
                       one ? "differs" : "differ", listed(places, kMostPlaces));
}

/// Charts, kustomizations and templates that make policies, which are not what is read.
std::vector<std::string> unrendered_of(const Input& input) {
    std::vector<std::string> out;
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.fact("policies") == "true" || (each.code == diag::Code::UnprocessedTemplate &&
                                                each.severity == diag::Severity::Warning))
            out.push_back(input.sources.path(each.span.file));
    return out;
}

} // namespace

std::vector<std::string> unread_lines(const Input& input, const Hanging& hanging) {
    std::vector<std::string> out;
    if (input.diagnostics.has_errors()) {
        const auto places = places_of(input);
        const bool one = places.size() == 1;
        out.push_back(fmt::format("not read: {} with errors, {}: {} (polecat lint says what is "
                                  "wrong)",
                                  counted(places.size(), "object"), listed(places, kMostPlaces),
                                  hanging_on(hanging, one)));
    }
    if (const auto found = variants_of(input); !found.empty())
        out.push_back(variants_line(input, found) + ": " + hanging_on(hanging, found.size() == 1));
    if (!input.cluster.foreign_policies.empty()) {
        std::vector<std::string> kinds;
        for (const auto& [kind, noted] : input.cluster.foreign_policies)
            kinds.push_back(fmt::format("{} {}", noted.count, kind));
        out.push_back(fmt::format("not read: policies of other systems, which may say more: {}",
                                  listed(kinds, kMostPlaces)));
    }
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.code == diag::Code::EncryptedObject)
            out.push_back(each.message);
    if (const auto folders = unrendered_of(input); !folders.empty())
        out.push_back(fmt::format("not rendered, and with policies: {} (--render)",
                                  listed(folders, kMostPlaces)));
    return out;
}

void tell_unread(const Input& input, const Hanging& hanging) {
    for (const std::string& line : unread_lines(input, hanging))
        fmt::print(stderr, "polecat: {}\n", line);
}

bool hangs_on_unread(const std::string& reason) {
    // A packet with several ways says behind it which one is meant.
    return reason.find("could not be read") != std::string::npos;
}

Hanging endpoints_in_doubt(const Input& input, const decision::LoweredCluster& cluster,
                           const std::vector<decision::ObjectId>& endpoints,
                           std::optional<decision::Direction> direction) {
    Hanging out;
    if (!is_partly_unread(input))
        return out;
    std::map<decision::ProgramId, bool> known;
    const auto in_doubt = [&](const auto& keyed) {
        if (direction && keyed.first.direction != *direction)
            return false;
        const decision::ProgramId id = keyed.second.program;
        const auto [place, added] = known.try_emplace(id, false);
        if (added)
            place->second = cluster.is_in_doubt(id);
        return place->second;
    };
    for (const decision::ObjectId each : endpoints)
        if (const decision::Endpoint* endpoint = cluster.endpoint_of(each)) {
            const auto& programs = cluster.groups[endpoint->group.value].programs;
            out.add(std::any_of(programs.begin(), programs.end(), in_doubt));
        }
    return out;
}

Hanging endpoints_in_doubt(const Input& input, const decision::LoweredCluster& cluster) {
    std::vector<decision::ObjectId> all;
    for (const decision::Endpoint& endpoint : cluster.endpoints)
        all.push_back(endpoint.object);
    return endpoints_in_doubt(input, cluster, all);
}

} // namespace polecat::driver
