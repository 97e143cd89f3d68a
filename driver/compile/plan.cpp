#include "driver/compile/plan.h"

#include <filesystem>

#include <fmt/format.h>

#include "backends/nftables/generation.h"
#include "driver/compile/digests.h"
#include "driver/compile/folder.h"

namespace polecat::driver {

namespace fs = std::filesystem;

Result<backends::Plan> plan_from(const std::string& from, const std::string& node,
                                 const backends::NodeImage& to) {
    std::string path = from;
    if (fs::is_directory(path)) {
        if (const std::string why = not_whole(path, node); !why.empty())
            return Error{why};
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

PlanTexts texts_of(const backends::Plan& plan, const backends::NodeImage& to,
                   const std::string& node) {
    PlanTexts out;
    out.before = plan.steps.empty()
                     ? fmt::format("# node {}: nothing changes\n", node)
                     : fmt::format("# node {}: each step is a transaction of its own: load them "
                                   "one by one, in this order, with `nft -f`\n",
                                   node);
    if (plan.judges_anew)
        out.before += fmt::format(
            "# $generation is the next number, one that no connection of the node has: `nft -D "
            "generation=N -f`, N a multiple of {:#010x}, as docs/nftables.md says\n",
            backends::Generation{1}.bits(to.flow_mark_bit));
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
        out.steps.push_back(fmt::format("# node {}, step {} of {}: {}\n{}", node, i + 1,
                                        plan.steps.size(), plan.steps[i].what,
                                        plan.steps[i].text()));
    for (const auto& [name, compiled] : plan.renamed)
        out.after += fmt::format("# program {} is {} in origins.json\n", name, compiled);
    for (const net::Address& each : plan.forget)
        out.after += fmt::format("# then delete connections of {0} from conntrack: conntrack -D -s "
                                 "{0}; conntrack -D -d {0}; conntrack -D -r {0}\n",
                                 net::to_string(each));
    return out;
}

Result<std::string> write_plan(const std::string& folder, const std::string& node,
                               const PlanTexts& plan) {
    const fs::path of_node = fs::path("nodes") / node;
    const std::string whole = (fs::path(folder) / of_node).string();
    std::error_code error;
    for (std::size_t i = 1;; ++i) // one that stays would be taken for a step of this plan
        if (!fs::remove(fs::path(whole) / fmt::format("step-{}.nft", i), error))
            break;
    std::string order = plan.before;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const std::string name = fmt::format("step-{}.nft", i + 1);
        const std::string& step = plan.steps[i];
        if (const auto done = write_in_folder(folder, (of_node / name).string(), step); !done)
            return Error{whole + "/" + name + ": " + done.error()};
        order += name + step.substr(1, step.find('\n'));
    }
    const auto done = write_in_folder(folder, (of_node / "steps.txt").string(), order + plan.after);
    return done ? Result<std::string>(whole) : Error{whole + "/steps.txt: " + done.error()};
}

} // namespace polecat::driver
