#include "bench/bundles.h"

#include <cstdlib>

#include <fmt/format.h>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/node_view.h"
#include "backends/bundle/pack.h"
#include "backends/node/build.h"
#include "bench/measure.h"
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
    const Sources sources;
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
