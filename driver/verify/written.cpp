#include "driver/verify/written.h"

#include <optional>

#include "backends/nftables/nftables.h"
#include "backends/nftables/reachable.h"
#include "driver/compile/folder.h"
#include "driver/verify/bpf_node.h"
#include "support/read_file.h"

namespace polecat::driver {

using backends::NodeImage;

namespace {

Result<NodeImage> image_of(const Result<nft::Ruleset>& rules, const std::string& path,
                           const char* hint) {
    if (!rules)
        return Error{rules.error()};
    auto image = backends::read_back(*rules);
    return image ? std::move(image) : Result<NodeImage>(Error{path + ": " + image.error() + hint});
}

Result<bpf::Node> node_in(const std::string& folder, const std::string& node, FolderKind target) {
    if (target == FolderKind::Bpf)
        return bpf_node_in(folder, node);
    const std::string path = rules_path(folder, node);
    auto image = image_of(rules_in(path), path, "");
    return image ? Result<bpf::Node>(bpf::Node{std::move(*image), {}}) : Error{image.error()};
}

Result<Origins> origins_in(const std::string& path) {
    const auto text = read_file(path);
    auto out = text ? parse_origins(*text) : Result<Origins>(Error{text.error()});
    return out ? std::move(out) : Result<Origins>(Error{path + ": " + out.error()});
}

Result<bpf::Node> tables_again(Compilation& compiled, const std::string& node,
                               const NodeImage& image, diag::Diagnostics& unsaid) {
    auto said = compiled.bpf_node(node, image, unsaid);
    const auto tables = said ? bpf::emit(said->image, node, unsaid) : std::nullopt;
    if (!tables)
        return Error{"the classifier can't do what the bundle has for this node"};
    const auto made = bpf::compile(*tables, *said);
    const auto read = made ? bpf::read(made->tables) : Result<bpf::Image>(Error{made.error()});
    auto again = read ? bpf::read_back(*read) : Result<NodeImage>(Error{read.error()});
    if (!again)
        return Error{again.error()};
    said->image = std::move(*again);
    return std::move(*said);
}

} // namespace

Result<NodeImage> listed_image_in(const std::string& path, nft::OtherTables& others) {
    auto rules = listed_rules_in(path, others);
    if (rules)
        rules = backends::without_unreachable(*rules);
    return image_of(rules, path, kListedBy);
}

Result<Written> written_in(const std::string& folder, const std::string& node, FolderKind target) {
    const std::string path = origins_path(folder, node);
    auto origins = origins_in(path);
    auto read = origins ? node_in(folder, node, target) : Error{origins.error()};
    if (!read)
        return Error{read.error()};
    if (const std::string why = origins_lack(*origins, node, read->image); !why.empty())
        return Error{path + ": " + why};
    return Written{std::move(*read), std::move(*origins)};
}

Result<Written> written_by(Compilation& compiled, const std::string& node, FolderKind target,
                           diag::Diagnostics& unsaid) {
    auto image = compiled.image(node, unsaid);
    if (!image)
        return Error{"rules can't say what the bundle has for this node"};
    Origins origins = compiled.origins(node, *image);
    if (target != FolderKind::Bpf) {
        Compilation::rules(node, *image); // no rules that don't read back as the image
        return Written{{std::move(*image), {}}, std::move(origins)};
    }
    auto again = tables_again(compiled, node, *image, unsaid);
    return again ? Result<Written>(Written{std::move(*again), std::move(origins)})
                 : Error{again.error()};
}

} // namespace polecat::driver
