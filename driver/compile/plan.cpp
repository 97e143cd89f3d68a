#include "driver/compile/plan.h"

#include <filesystem>

#include "driver/compile/bundle.h"

namespace polecat::driver {

namespace fs = std::filesystem;

Result<backends::Plan> plan_from(const std::string& from, const std::string& node,
                                 const backends::NodeImage& to) {
    std::string path = from;
    if (fs::is_directory(path)) {
        path = rules_path(path, node);
        if (!fs::exists(path))
            return backends::plan_from_nothing(to);
    }
    nft::OtherTables others;
    const auto rules = path == from ? listed_rules_in(path, others) : rules_in(path);
    if (!rules)
        return Error{rules.error()};
    auto made = backends::plan(*rules, to);
    if (!made)
        return Error{path + ": " + made.error()};
    return std::move(*made);
}

} // namespace polecat::driver
