#include "bench/bundles.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/node_view.h"
#include "backends/bundle/pack.h"
#include "backends/node/build.h"
#include "bench/measure.h"
#include "driver/watch/live_bundle.h"
#include "passes/lower.h"
#include "runtime/write_files.h"
#include "support/read_file.h"

namespace polecat::bench {

namespace {

constexpr const char* kManifest = "manifest.cbor";

Result<std::string> read_in(const std::string& folder, const std::string& name) {
    return read_file(folder + "/" + name);
}

} // namespace

void bundle_of(const std::string& name, const policy::Cluster& cluster, const std::string& folder) {
    Phases phases;
    const auto lowered = passes::lower(cluster).cluster;
    phases.done("lower");
    const decision::Identities identities(lowered);
    phases.done("identities");
    Sources sources;
    sources.add("bench.yaml", ""); // what places are in
    const bundle::Contents contents = bundle::pack(lowered, identities, sources);
    phases.done("pack");
    bundle::Written written = bundle::write(contents, "bench");
    phases.done("parts");
    std::size_t bytes = written.manifest.size();
    for (const auto& [part, text] : written.parts)
        bytes += text.size();
    if (folder.empty())
        return phases.print(fmt::format("{} ({} parts, {:.1f} MB)", name, written.parts.size(),
                                        static_cast<double>(bytes) / 1e6));
    written.parts.emplace(kManifest, written.manifest);
    if (const auto done = runtime::write_files(folder, written.parts); !done) {
        fmt::print(stderr, "{}: {}\n", folder, done.error());
        std::exit(1);
    }
}

namespace {

constexpr std::size_t kTimes = 40;

/// The same change of as many objects, one after another.
void print_changes(driver::LiveBundle& live, const char* what,
                   const std::function<driver::ClusterChange(std::size_t)>& change) {
    std::vector<double> times;
    std::size_t parts = 0, bytes = 0, whole = 0;
    for (std::size_t i = 0; i < kTimes; ++i) {
        const driver::ClusterChange each = change(i);
        const double before = cpu_seconds();
        const auto step = live.apply(each);
        const std::string manifest = live.manifest();
        times.push_back((cpu_seconds() - before) * 1e3);
        whole += step.whole.empty() ? 0 : 1;
        parts += step.parts.come.size();
        for (const auto& [part, text] : step.parts.come)
            bytes += text.size();
    }
    std::sort(times.begin(), times.end());
    fmt::print("  {:<16} {:6.1f} ms in the middle, {:6.1f} at most; {} parts, {:.0f} kB; all "
               "compiled for {} of {}\n",
               what, times[kTimes / 2], times.back(), parts / kTimes,
               static_cast<double>(bytes) / 1e3 / kTimes, whole, kTimes);
}

policy::Workload pod_like(const policy::Workload& other, std::size_t number) {
    policy::Workload out = other;
    out.meta.name += "-more";
    out.addresses = {
        {net::block_of({net::Family::V4, 0, 0x0AC80000U + static_cast<std::uint32_t>(number)}, 32),
         {}}};
    return out;
}

} // namespace

void bundle_again(const std::string& name, policy::Cluster cluster) {
    Phases phases;
    Sources sources;
    sources.add("bench.yaml", ""); // what places are in
    driver::LiveBundle live(std::move(cluster), sources, "bench");
    phases.done("all");
    phases.print(name);
    const auto spread = [](const auto& list) {
        return [&list, by = list.size() / kTimes ](std::size_t i) -> const auto& {
            return list[i * by];
        };
    };
    const std::vector<policy::Workload> pods = live.cluster().workloads;
    const std::vector<policy::KubernetesNetworkPolicy> policies =
        live.cluster().kubernetes_policies;
    const auto pod = spread(pods);
    const auto policy = spread(policies);
    const auto more = [&](std::size_t i) {
        policy::KubernetesNetworkPolicy out = policy(i);
        out.meta.name += "-more";
        return out;
    };
    driver::ClusterChange none;
    const auto with = [&](auto& list, auto object) {
        list = {std::move(object)};
        driver::ClusterChange out = none;
        list.clear();
        return out;
    };
    print_changes(live, "pod comes",
                  [&](std::size_t i) { return with(none.workloads, pod_like(pod(i), i)); });
    print_changes(live, "pod relabelled", [&](std::size_t i) {
        policy::Workload out = pod_like(pod(i), i);
        out.pod_labels.set("version", "v9");
        return with(none.workloads, out);
    });
    print_changes(live, "pod goes", [&](std::size_t i) {
        return with(none.gone_workloads, driver::LiveCluster::key_of(pod_like(pod(i), i)));
    });
    print_changes(live, "policy comes",
                  [&](std::size_t i) { return with(none.kubernetes_policies, more(i)); });
    print_changes(live, "policy changes", [&](std::size_t i) {
        policy::KubernetesNetworkPolicy out = policy((i + 7) % kTimes); // other rules
        out.meta = more(i).meta;
        return with(none.kubernetes_policies, out);
    });
    print_changes(live, "policy goes",
                  [&](std::size_t i) { return with(none.gone_policies, policy_name(more(i))); });
}

void node_of_bundle(const std::string& name, const std::string& folder, const std::string& node) {
    Phases phases;
    const auto manifest = read_in(folder, kManifest);
    const bundle::Bundle opened(*manifest, [&](const std::string& part, std::uint64_t /*size*/) {
        return read_in(folder, part);
    });
    bundle::NodeView view = bundle::view_of(opened, {node});
    phases.done("open");
    diag::Diagnostics diagnostics;
    backends::NodeImages images(view.cluster, std::move(view.numbers), std::move(view.own), {});
    const auto image = images.of(node, diagnostics);
    phases.done("flatten");
    phases.print(fmt::format("{} ({} endpoints, {} tables)", name, view.cluster.endpoints.size(),
                             image ? image->programs.size() : 0));
}

} // namespace polecat::bench
