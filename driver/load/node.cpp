#include "driver/load/node.h"

#include <fmt/format.h>

#include "backends/iptables/iptables.h"
#include "driver/compile/bundle.h"
#include "driver/compile/folder_kind.h"
#include "driver/verify/bpf_node.h"
#include "runtime/machine_lock.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

Result<std::string> text_in(const std::string& folder, const std::string& node, const char* file) {
    const std::string path = path_in(folder, node, file);
    auto text = read_file(path);
    return text ? std::move(text) : Result<std::string>(Error{path + ": " + text.error()});
}

Result<iptables::FilterImage> filters_in(const std::string& folder, const std::string& node) {
    const auto sets = text_in(folder, node, "sets.ipset"), v4 = text_in(folder, node, "rules.v4"),
               v6 = text_in(folder, node, "rules.v6");
    for (const auto* text : {&sets, &v4, &v6})
        if (!*text)
            return Error{text->error()};
    auto read_sets = iptables::parse_sets(*sets);
    auto read_v4 = iptables::parse_table(*v4), read_v6 = iptables::parse_table(*v6);
    if (!read_sets)
        return Error{"sets.ipset: " + read_sets.error()};
    for (const auto* table : {&read_v4, &read_v6})
        if (!*table)
            return Error{"rules: " + table->error()};
    return iptables::read_back({*read_sets, *read_v4, *read_v6});
}

Result<Loaded> load_tables_in(const std::string& folder, const std::string& node,
                              const LoadOptions& options) {
    const auto image = bpf_node_in(folder, node);
    if (!image)
        return Error{image.error()};
    diag::Diagnostics told;
    const auto tables = bpf::emit(*image, node, told);
    return tables ? load_tables(*tables, *image, options)
                  : Result<Loaded>(Error{"the tables are not this version's"});
}

} // namespace

Result<Loaded> load_node(const std::string& folder, const std::string& node,
                         const LoadOptions& options) {
    const auto lock = runtime::MachineLock::take(options.wait); // before anything is looked at
    if (!lock)
        return Error{lock.error()};
    switch (folder_kind(folder)) {
    case FolderKind::Iptables: {
        const auto image = filters_in(folder, node);
        return image ? load_filters(*image, options) : Result<Loaded>(Error{image.error()});
    }
    case FolderKind::Bpf:
        return load_tables_in(folder, node, options);
    case FolderKind::Nftables:
        return Error{fmt::format("rules of nftables are loaded by nft(8): {} says how",
                                 rules_path(folder, node))};
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
