#include "backends/nftables/reachable.h"

#include <set>

#include "backends/nftables/nftables.h"

namespace polecat::backends {

namespace {

class Walk {
  public:
    explicit Walk(const nft::Ruleset& ruleset) : ruleset_(ruleset) {
        for (const nft::Chain& chain : emit(NodeImage{}).chains) // those that are always there
            go(chain.name);
        // Hooks of host endpoints come and go: they begin and end empty.
        for (const nft::Chain& chain : ruleset.chains)
            if (!chain.hook.empty() && !chain.rules.empty())
                go(chain.name);
        while (!open_.empty()) {
            const std::string name = open_.back();
            open_.pop_back();
            if (const nft::Chain* chain = ruleset_.find_chain(name))
                read(*chain);
        }
    }

    std::set<std::string> chains, maps;

  private:
    void go(const std::string& chain) {
        if (!chain.empty() && chains.insert(chain).second)
            open_.push_back(chain);
    }

    void use(const std::string& map) {
        if (!maps.insert(map).second)
            return;
        if (const nft::Map* found = ruleset_.find_map(map))
            for (const nft::Element& each : found->elements)
                if (const auto* to = std::get_if<nft::Goto>(&each.value))
                    go(to->chain);
    }

    void read(const nft::Chain& chain) {
        for (const nft::Rule& rule : chain.rules) {
            for (const nft::Match& match : rule.matches)
                std::visit(
                    [&](const auto& each) {
                        if constexpr (requires { each.set; })
                            use(each.set);
                    },
                    match);
            for (const nft::Statement& statement : rule.statements)
                std::visit(
                    [&](const auto& each) {
                        if constexpr (requires { each.map; })
                            use(each.map);
                        else if constexpr (requires { each.chain; })
                            go(each.chain);
                    },
                    statement);
        }
    }

    const nft::Ruleset& ruleset_;
    std::vector<std::string> open_;
};

} // namespace

nft::Ruleset without_unreachable(const nft::Ruleset& ruleset) {
    const Walk walk(ruleset);
    nft::Ruleset out = ruleset;
    std::erase_if(out.chains, [&](const auto& each) { return !walk.chains.contains(each.name); });
    std::erase_if(out.maps, [&](const auto& each) { return !walk.maps.contains(each.name); });
    return out;
}

nft::Transaction delete_unreachable(const nft::Ruleset& ruleset) {
    const Walk walk(ruleset);
    nft::Transaction out;
    out.made.table = ruleset.table;
    for (const nft::Chain& chain : ruleset.chains)
        if (!walk.chains.contains(chain.name))
            out.chains_out.push_back(chain);
    for (const nft::Map& map : ruleset.maps)
        if (!walk.maps.contains(map.name))
            out.maps_out.push_back(map);
    return out;
}

} // namespace polecat::backends
