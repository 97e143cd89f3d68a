// A file that changes is read by itself where nothing but it says what its objects are: it holds
// pods and policies alone, before and after, and nothing in it is to be reported. All is read
// again otherwise.
#include "driver/watch/watched.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "backends/node/felix_keys.h"
#include "driver/bundle/folder.h"
#include "frontend/load.h"
#include "ir/policy/order.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

/// Names of files that say what other files are.
bool speaks_of_others(const std::string& path) {
    const std::string name = frontend::name_of(path);
    return name == "Chart.yaml" || name == "kustomization.yaml" || name == "kustomization.yml" ||
           name == "Kustomization";
}

/// Of "m/a.yaml", "./m/a.yaml" and "m/../m/a.yaml" the same.
std::string place_of(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().string();
}

bool is_link(const std::string& path) {
    std::error_code error;
    return std::filesystem::canonical(path, error) !=
           std::filesystem::canonical(".", error) / std::filesystem::path(path).lexically_normal();
}

bool has_only_pods_and_policies(policy::Cluster cluster) {
    for (const policy::Workload& each : cluster.workloads)
        if (each.kind != "Pod")
            return false;
    cluster.workloads.clear();
    cluster.policies.clear();
    cluster.kubernetes_policies.clear();
    const auto& [namespaces, accounts, nodes, workloads, hosts, services, endpoints, secrets,
                 routes, classes, tiers, policies, kubernetes, others_policies, profiles, sets,
                 pools, felix, felix_of_nodes, others, inventories, unread_kinds, foreign,
                 unread_pods, in_part, variants, elsewhere] = cluster;
    const auto empty = [](const auto&... lists) { return (lists.empty() && ...); };
    return empty(namespaces, accounts, nodes, hosts, services, endpoints, secrets, routes, classes,
                 tiers, others_policies, profiles, sets, pools, felix_of_nodes, others, inventories,
                 unread_kinds, foreign, unread_pods, in_part, variants, elsewhere) &&
           !felix.unread.known();
}

/// Services that rules name, and tiers, may not be there: that is found out with all objects.
bool names_others(const policy::Policy& policy, const policy::Cluster& cluster) {
    const auto is_of = [&](const auto& tier) { return tier.name == policy.tier.value; };
    const auto& built_in = policy::kBuiltInTiers;
    const bool has_tier = std::any_of(std::begin(built_in), std::end(built_in), is_of) ||
                          std::any_of(cluster.tiers.begin(), cluster.tiers.end(),
                                      [&](const policy::Tier& tier) { return is_of(tier.meta); });
    const auto has_service = [](const policy::Rule& rule) {
        return rule.source.services || rule.destination.services;
    };
    return !has_tier || policy.place_unread ||
           std::any_of(policy.ingress.begin(), policy.ingress.end(), has_service) ||
           std::any_of(policy.egress.begin(), policy.egress.end(), has_service);
}

} // namespace

/// What a file says by itself.
struct Watched::Alone {
    FileId file;
    policy::Cluster cluster;
};

bool Watched::is_of_input(const std::string& path) const {
    const std::string place = place_of(path);
    if (places_.contains(place) || is_named(path))
        return true;
    return frontend::is_manifest_name(path) &&
           std::any_of(paths_.begin(), paths_.end(), [&](const std::string& folder) {
               return place.starts_with((std::filesystem::path(place_of(folder)) / "").string());
           });
}

/// Not as all of the input would be read.
bool Watched::is_spelt_otherwise(const std::string& path) const {
    return !files_.contains(path) &&
           (places_.contains(place_of(path)) ||
            std::none_of(paths_.begin(), paths_.end(), [&](const std::string& folder) {
                return path == folder ||
                       path.starts_with((std::filesystem::path(folder) / "").string());
            }));
}

bool Watched::is_named(const std::string& path) const {
    return std::find(paths_.begin(), paths_.end(), path) != paths_.end();
}

/// Nothing of the input says more of an object than its own file.
bool Watched::files_stand_alone() const {
    const policy::Cluster& cluster = live_->cluster();
    if (has_doubles_ || options_.render || input_->rendered || !input_->passed_by.empty() ||
        !cluster.variants.empty() || !cluster.placed_elsewhere.empty() ||
        !cluster.spaces_in_part.empty() || !cluster.unread_kinds.empty() ||
        !cluster.foreign_policies.empty() || !cluster.unread_pods.empty())
        return false;
    return std::none_of(files_.begin(), files_.end(),
                        [](const auto& each) { return speaks_of_others(each.first); });
}

std::optional<Watched::Alone> Watched::read_alone(const std::string& path, std::string text,
                                                  Sources& sources) {
    Alone out{FileId{static_cast<std::uint32_t>(sources.size())}, {}};
    diag::Diagnostics found;
    std::vector<frontend::PassedBy> passed_by;
    std::vector<frontend::File> files;
    files.push_back({path, std::move(text), false});
    out.cluster = frontend::load_files(std::move(files), sources, found,
                                       {options_.space, options_.variants, nullptr}, &passed_by);
    if (!found.list().empty() || !passed_by.empty() || !has_only_pods_and_policies(out.cluster))
        return std::nullopt;
    return out;
}

/// Why it can't be told from the files alone; empty: it can.
std::string Watched::find_change(const std::set<std::string>& files, ClusterChange& change) {
    std::set<std::string> workloads;
    std::set<policy::PolicyName> policies;
    std::map<std::string, FileId> read;
    for (const std::string& path : files) {
        if (speaks_of_others(path))
            return path + " changed";
        if (is_spelt_otherwise(path))
            return path + " has another path";
        Sources unused;
        std::optional<Alone> before;
        if (const auto known = files_.find(path); known != files_.end()) {
            before = read_alone(path, input_->sources.text(known->second), unused);
            if (!before)
                return path + " held other objects";
        }
        if (before) {
            for (const policy::Workload& each : before->cluster.workloads)
                change.gone_workloads.insert(LiveCluster::key_of(each));
            for (const policy::Policy& each : before->cluster.policies)
                change.gone_policies.insert(policy_name(each));
            for (const auto& each : before->cluster.kubernetes_policies)
                change.gone_policies.insert(policy_name(each));
        }
        auto text = read_file(path);
        if (!text && is_named(path))
            return path + " is gone";
        if (!text)
            continue; // it is gone
        std::optional<Alone> now = read_alone(path, std::move(*text), input_->sources);
        if (!now)
            return path + " has other objects";
        read[path] = now->file;
        const auto take = [](auto& list, auto& into) {
            std::move(list.begin(), list.end(), std::back_inserter(into));
        };
        take(now->cluster.workloads, change.workloads);
        take(now->cluster.policies, change.policies);
        take(now->cluster.kubernetes_policies, change.kubernetes_policies);
    }
    // What another file holds under the name is not replaced.
    for (const policy::Workload& each : change.workloads)
        if (const std::string key = LiveCluster::key_of(each);
            !workloads.insert(key).second ||
            (live_->has(key) && change.gone_workloads.erase(key) == 0))
            return key + " stands twice";
    const auto is_double = [&](const policy::PolicyName& name) {
        return !policies.insert(name).second ||
               (live_->has(name) && change.gone_policies.erase(name) == 0);
    };
    for (const policy::Policy& each : change.policies)
        if (names_others(each, live_->cluster()) || is_double(policy_name(each)))
            return to_string(policy_name(each)) + " goes with other objects";
    for (const auto& each : change.kubernetes_policies)
        if (is_double(policy_name(each)))
            return to_string(policy_name(each)) + " stands twice";
    for (const std::string& path : files) {
        files_.erase(path);
        places_.erase(place_of(path));
    }
    for (const auto& [path, file] : read) {
        places_.insert(place_of(path));
        has_doubles_ = has_doubles_ || is_link(path);
    }
    files_.merge(read);
    return "";
}

Result<Watched::Update> Watched::read_all(std::string why) {
    auto next = std::make_unique<Input>(read_input(paths_, options_));
    backends::report_felix_keys(next->cluster, next->diagnostics);
    refused_ = next->diagnostics.has_errors();
    if (refused_) {
        refused_input_ = std::move(next);
        return Update{};
    }
    LiveBundle::Step step;
    const bool first = !live_;
    if (first) {
        live_ =
            std::make_unique<LiveBundle>(std::move(next->cluster), next->sources, compiler_, base_);
        step.parts = live_->first();
    } else
        step = live_->replace(std::move(next->cluster), next->sources);
    input_ = std::move(next);
    refused_input_.reset();
    step.whole = std::move(why);
    remember_files();
    return write(std::move(step), first);
}

void Watched::remember_files() {
    const auto& found = input_->diagnostics.list();
    has_doubles_ = std::any_of(found.begin(), found.end(), [](const diag::Diagnostic& each) {
        return each.code == diag::Code::DuplicateObject;
    });
    files_.clear();
    places_.clear();
    for (std::uint32_t i = 0; i < input_->sources.size(); ++i) {
        const std::string& path = input_->sources.path(FileId{i});
        files_[path] = FileId{i};
        has_doubles_ = has_doubles_ || !places_.insert(place_of(path)).second || is_link(path);
    }
}

Result<Watched::Update> Watched::update(const std::set<std::string>& files) {
    std::set<std::string> wanted;
    for (const std::string& path : files)
        if (is_of_input(path))
            wanted.insert(path);
    if (wanted.empty())
        return Update{};
    if (refused_ || !live_)
        return read_all("manifests had errors");
    if (!files_stand_alone())
        return read_all("files speak of others");
    ClusterChange change;
    if (std::string why = find_change(wanted, change); !why.empty())
        return read_all(std::move(why));
    return write(live_->apply(change), false);
}

Result<Watched::Update> Watched::write(LiveBundle::Step step, bool first) {
    const std::string manifest = live_->manifest();
    const auto written = first ? write_bundle(folder_, {manifest, std::move(step.parts.come)})
                               : write_changed(folder_, step.parts, manifest);
    if (!written)
        return Error{written.error()};
    return Update{std::move(step.whole), *written};
}

} // namespace polecat::driver
