#include "driver/load/node.h"

#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "driver/compile/digests.h"
#include "driver/compile/filter_folder.h"
#include "driver/compile/folder.h"
#include "driver/compile/folder_kind.h"
#include "driver/verify/bpf_node.h"
#include "runtime/machine_lock.h"

namespace polecat::driver {

namespace {

Result<iptables::FilterImage> filters_in(const std::string& folder, const std::string& node) {
    const std::string path = path_in(folder, node, "");
    const auto rules = filter_rules_in(path);
    if (!rules)
        return Error{rules.error()};
    auto image = iptables::read_back(*rules);
    return image ? std::move(image)
                 : Result<iptables::FilterImage>(Error{path + ": " + image.error()});
}

Result<Loaded> load_rules_in(const std::string& path, const LoadOptions& options) {
    const auto rules = rules_in(path);
    if (!rules)
        return Error{rules.error()};
    const auto image = backends::read_back(*rules);
    return image ? load_rules(*image, options) : Result<Loaded>(Error{path + ": " + image.error()});
}

Result<Loaded> load_tables_in(const std::string& folder, const std::string& node,
                              const LoadOptions& options) {
    const auto read = bpf_node_in(folder, node);
    if (!read)
        return Error{read.error()};
    diag::Diagnostics told;
    const auto tables = bpf::emit(read->image, node, told);
    return tables ? load_tables(*tables, *read, options)
                  : Result<Loaded>(Error{"the tables are not this version's"});
}

} // namespace

Result<Loaded> load_node(const std::string& folder, const std::string& node,
                         const LoadOptions& options) {
    const auto lock = runtime::MachineLock::take(options.wait); // before anything is looked at
    if (!lock)
        return Error{lock.error()};
    if (const std::string why = not_whole(folder, node); !why.empty())
        return Error{why};
    switch (folder_kind(folder)) {
    case FolderKind::Iptables: {
        const auto image = filters_in(folder, node);
        return image ? load_filters(*image, options) : Result<Loaded>(Error{image.error()});
    }
    case FolderKind::Bpf:
        return load_tables_in(folder, node, options);
    case FolderKind::Nftables:
        return load_rules_in(rules_path(folder, node), options);
    case FolderKind::Bundle:
        return Error{
            "a bundle is of all nodes and targets: `polecat bundle extract` makes what one "
            "loads"};
    case FolderKind::Nothing:
    case FolderKind::Several:
        break;
    }
    return Error{"this is no folder of rules for one target"};
}

} // namespace polecat::driver
