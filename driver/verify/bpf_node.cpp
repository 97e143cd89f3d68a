#include "driver/verify/bpf_node.h"

#include "backends/bpf/bpf.h"
#include "driver/compile/compilation.h"
#include "driver/compile/folder.h"
#include "support/read_file.h"

namespace polecat::driver {

Result<backends::NodeImage> tables_in(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes)
        return Error{path + ": " + bytes.error()};
    const auto tables = bpf::read(*bytes);
    if (!tables)
        return Error{path + ": " + tables.error()};
    auto image = bpf::read_back(*tables);
    return image ? std::move(image)
                 : Result<backends::NodeImage>(Error{path + ": " + image.error()});
}

Result<backends::NodeImage> bpf_node_in(const std::string& bundle, const std::string& node) {
    auto image = tables_in(path_in(bundle, node, kTablesFile));
    if (!image)
        return image;
    for (const auto& [name, wanted] : filter_files(bpf::text_around(*image))) {
        const std::string path = path_in(bundle, node, name.c_str());
        const auto text = read_file(path);
        if (!text)
            return Error{path + ": " + text.error()};
        if (*text != wanted)
            return Error{path + " is not as written"};
    }
    return image;
}

} // namespace polecat::driver
