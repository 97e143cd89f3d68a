#include "artefact/nft/transaction.h"

#include <fmt/format.h>

namespace polecat::nft {

namespace {

std::string print_change(const char* what, const std::string& table, const Map& map) {
    return fmt::format("{} element inet {} {} {}\n", what, table, map.name, print_elements(map));
}

} // namespace

bool Transaction::empty() const {
    return !takes_generation && !replaces && made.maps.empty() && made.chains.empty() &&
           elements_out.empty() && elements_in.empty() && rewritten.empty() && maps_out.empty() &&
           chains_out.empty();
}

std::string print(const Transaction& transaction) {
    const std::string& table = transaction.made.table;
    std::string out;
    if (transaction.replaces)
        out += print_replacing(transaction.made);
    else if (transaction.takes_generation)
        out += take_generation(table);
    if (!transaction.replaces &&
        (!transaction.made.maps.empty() || !transaction.made.chains.empty()))
        out += print(transaction.made);
    for (const Map& map : transaction.elements_out)
        out += print_change("delete", table, map);
    for (const Map& map : transaction.elements_in)
        out += print_change("add", table, map);
    for (const Chain& chain : transaction.rewritten) {
        out += fmt::format("flush chain inet {} {}\n", table, chain.name);
        for (const Rule& rule : chain.rules)
            out += fmt::format("add rule inet {} {} {}\n", table, chain.name, print(rule));
    }
    for (const Chain& chain : transaction.chains_out)
        out += fmt::format("flush chain inet {} {}\n", table, chain.name);
    for (const Map& map : transaction.maps_out)
        out += fmt::format("delete {} inet {} {}\n", map.kind == Map::Kind::Set ? "set" : "map",
                           table, map.name);
    for (const Chain& chain : transaction.chains_out)
        out += fmt::format("delete chain inet {} {}\n", table, chain.name);
    return out;
}

Transaction replacing(Ruleset ruleset) {
    Transaction out;
    out.replaces = true;
    out.made = std::move(ruleset);
    return out;
}

} // namespace polecat::nft
