#include "cli/polecat/compile/plan.h"

#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/compile/bundle.h"

namespace polecat::cli {

using namespace driver;

namespace fs = std::filesystem;

backends::Plan plan_from(const std::string& from, const std::string& node,
                         const backends::NodeImage& to) {
    std::string path = from;
    if (fs::is_directory(path)) {
        path = rules_path(path, node);
        if (!fs::exists(path))
            return backends::plan_from_nothing(to);
    }
    const auto rules = rules_in(path);
    if (!rules)
        throw CLI::ValidationError("--plan-from", rules.error());
    auto made = backends::plan(*rules, to);
    if (!made)
        throw CLI::ValidationError("--plan-from", path + ": " + made.error());
    return std::move(*made);
}

void print_plan(const backends::Plan& plan, const std::string& node) {
    if (plan.steps.empty())
        fmt::print("# node {}: nothing changes\n", node);
    else
        fmt::print(
            "# node {}: each step is a transaction of its own: load them one by one, in this "
            "order, with `nft -f`\n",
            node);
    if (plan.judges_anew)
        fmt::print("# $generation is a number that no connection of the node has: `nft -D "
                   "generation=0x00010000 -f`, as docs/nftables.md says\n");
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
        fmt::print("# node {}, step {} of {}: {}\n{}", node, i + 1, plan.steps.size(),
                   plan.steps[i].what, plan.steps[i].text);
    for (const net::Address& each : plan.forget)
        fmt::print("# then: connections of {} out of conntrack\n", net::to_string(each));
}

} // namespace polecat::cli
