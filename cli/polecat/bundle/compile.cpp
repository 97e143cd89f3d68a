#include "cli/polecat/bundle/compile.h"

#include <fmt/format.h>

#include "artefact/bundle/bundle.h"
#include "backends/node/felix_keys.h"
#include "driver/bundle/folder.h"
#include "driver/compile/compilation.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

int compile_bundle(const Input& input, const decision::LoweredCluster& cluster,
                   const std::string& folder, const bundle::Base& base) {
    diag::Diagnostics diagnostics;
    report_unplaced(cluster, diagnostics);
    backends::report_felix_keys(input.cluster, diagnostics);
    diagnostics.sort();
    fmt::print(stderr, "{}",
               diag::render_text(diagnostics.list(), input.sources, {colour_on(true)}));
    if (diagnostics.has_errors())
        return kFindings;
    const decision::Identities identities(cluster);
    const bundle::Contents contents = bundle::pack(cluster, identities, input.sources, base);
    const auto written = write_bundle(folder, bundle::write(contents, "polecat " POLECAT_VERSION));
    if (!written) {
        fmt::print(stderr, "polecat: cannot write {}\n", written.error());
        return kBadInput;
    }
    fmt::print("{}, {}, {}, {}: {}, {} bytes -> {}\n", counted(contents.nodes.size(), "node"),
               counted(contents.programs.size(), "program"),
               counted(contents.predicates.size(), "predicate"),
               counted(contents.addresses.size(), "address"), counted(written->parts, "part"),
               grouped_digits(written->bytes), folder);
    fmt::print("new: {}, {} bytes\n", counted(written->new_parts, "part"),
               grouped_digits(written->new_bytes));
    if (written->signature_gone)
        fmt::print("no longer signed: sign it again with `polecat bundle sign`\n");
    return kGood;
}

} // namespace polecat::cli
