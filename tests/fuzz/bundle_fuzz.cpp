// Any bytes as a bundle whose digests are right: refused, or the same bytes again. The first byte
// says which kind of part the rest is; of a manifest the rest is all there is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "artefact/bundle/bundle.h"
#include "support/sha2.h"

namespace {

using namespace polecat;

void read_manifest(std::string_view bytes) {
    if (bundle::print(bundle::parse_manifest(bytes)) != bytes)
        std::abort();
}

void read_part(bundle::PartKind kind, const std::string& bytes) {
    bundle::Manifest manifest;
    bundle::Contents empty;
    empty.ranges.ranges = {{net::first_address(net::Family::V4), 0},
                           {net::first_address(net::Family::V6), 1}};
    const bundle::Written base = bundle::write(empty, "");
    std::map<std::string, std::string> parts = base.parts;
    manifest = bundle::parse_manifest(base.manifest);
    std::erase_if(manifest.parts, [&](const auto& each) { return each.kind == kind; });
    const bool single = kind == bundle::PartKind::Settings || kind == bundle::PartKind::Ranges;
    const bundle::PartEntry entry{kind, single ? "" : bundle::bucket_key(0), sha256(bytes),
                                  bytes.size()};
    parts[entry.name()] = bytes;
    manifest.parts.push_back(entry);
    std::sort(manifest.parts.begin(), manifest.parts.end());
    const bundle::Bundle read(bundle::print(manifest),
                              [&](const std::string& name, std::uint64_t) -> Result<std::string> {
                                  const auto part = parts.find(name);
                                  return part == parts.end() ? Result<std::string>(Error{"none"})
                                                             : part->second;
                              });
    const bundle::Contents contents = read.all();
    const bundle::Written again = bundle::write(contents, "");
    if (kind != bundle::PartKind::Origins && !contents.nodes.contains(bundle::bucket_key(0)) &&
        !again.parts.contains(entry.name()))
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    try {
        if (data[0] >= bundle::kPartKinds)
            read_manifest(bytes);
        else
            read_part(static_cast<bundle::PartKind>(data[0]), bytes);
    } catch (const bundle::Refused&) {
    }
    return 0;
}
