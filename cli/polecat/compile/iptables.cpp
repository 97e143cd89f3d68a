#include "cli/polecat/compile/iptables.h"

#include <stdexcept>

#include "backends/iptables/iptables.h"

namespace polecat::cli {

using namespace driver;

namespace {

/// What someone must know who loads the files by hand.
const std::string kHowTo =
    "# ipset restore -file sets.ipset, then sed s/@G@/001/ rules.v4 | iptables-restore --noflush "
    "and\n"
    "# the same of rules.v6; with every other policy the next number (002, ... fff).\n"
    "# docs/iptables.md says why.\n";

} // namespace

std::map<std::string, std::string> iptables_files(const iptables::FilterImage& image,
                                                  const std::string& node) {
    const iptables::Ruleset rules = iptables::emit(image);
    std::map<std::string, std::string> out{{"sets.ipset", iptables::print(rules.sets)},
                                           {"rules.v4", kHowTo + iptables::print(rules.v4)},
                                           {"rules.v6", kHowTo + iptables::print(rules.v6)}};
    const auto refuse = [&](const std::string& why) {
        throw std::runtime_error("node " + node +
                                 ": what was compiled does not read back as the same policy (" +
                                 why + "); nothing was written. This is a fault of polecat");
    };
    const auto sets = iptables::parse_sets(out["sets.ipset"]);
    const auto v4 = iptables::parse_table(out["rules.v4"]);
    const auto v6 = iptables::parse_table(out["rules.v6"]);
    for (const std::string& why :
         {sets ? "" : sets.error(), v4 ? "" : v4.error(), v6 ? "" : v6.error()})
        if (!why.empty())
            refuse(why);
    const auto again = iptables::read_back({*sets, *v4, *v6});
    if (!again)
        refuse(again.error());
    if (*again != image)
        refuse("the image differs");
    return out;
}

} // namespace polecat::cli
