// Any bytes through the loader, and what loads through lowering: no crash, no hang.
#include <cstddef>
#include <cstdint>
#include <string>

#include "frontend/load.h"
#include "passes/lower.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace polecat;
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    const FileId file =
        sources.add("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size));
    yaml::Limits limits;
    limits.max_nodes = 100'000;
    limits.max_alias_nodes = 10'000;
    frontend::load_documents(yaml::read_documents(sources, file, diagnostics, limits), cluster,
                             diagnostics);
    frontend::check_references(cluster, diagnostics);
    if (!diagnostics.has_errors())
        passes::lower(cluster);
    return 0;
}
