#include "runtime/netlink/batch.h"

// The C library's before the kernel's, which then leaves out what both have.
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <fmt/format.h>

#include "runtime/netlink/maps.h"
#include "runtime/netlink/rules.h"

namespace polecat::runtime::netlink {

namespace {

std::uint32_t hook_number(const std::string& name) {
    if (name == "prerouting")
        return NF_INET_PRE_ROUTING;
    if (name == "input")
        return NF_INET_LOCAL_IN;
    if (name == "forward")
        return NF_INET_FORWARD;
    if (name == "output")
        return NF_INET_LOCAL_OUT;
    if (name == "postrouting")
        return NF_INET_POST_ROUTING;
    throw Unknown{"a hook `" + name + "`"};
}

/// In an order in which each object is there before another names it, and gone after: as
/// nft::print() has it.
class BatchWriter {
  public:
    BatchWriter(const nft::Transaction& transaction, std::optional<std::uint32_t> generation)
        : does_(transaction), table_(transaction.made.table), generation_(generation) {}

    Messages run() {
        if (does_.replaces)
            replace_table();
        for (const nft::Map* map : does_.made.maps_to_make())
            about("map", map->name, [&] { write_map(out_, table_, *map, next_id_++); });
        for (const nft::Chain& chain : does_.made.chains)
            about("chain", chain.name, [&] { write_chain(chain); });
        for (const nft::Map& map : does_.elements_out)
            about("map", map.name, [&] { write_elements_out(out_, table_, map); });
        for (const nft::Map& map : does_.made.maps)
            about("map", map.name, [&] { write_elements(out_, table_, map, true); });
        for (const nft::Map& map : does_.elements_in)
            about("map", map.name, [&] { write_elements(out_, table_, map, false); });
        for (const nft::Chain& chain : does_.rewritten)
            empty_chain(chain);
        for (const nft::Chain& chain : does_.made.chains)
            fill_chain(chain);
        for (const nft::Chain& chain : does_.rewritten)
            fill_chain(chain);
        remove();
        out_.finish();
        return std::move(out_);
    }

  private:
    template <class Write>
    static void about(const char* kind, const std::string& name, const Write& write) {
        try {
            write();
        } catch (const Unknown& unknown) {
            throw Unknown{fmt::format("{} {}: {}", kind, name, unknown.message)};
        }
    }

    void replace_table() {
        const auto table = [&](int type, int flags) {
            out_.message(type, flags, {"table", table_}, [&] {
                out_.text(NFTA_TABLE_NAME, table_);
                if (type == NFT_MSG_NEWTABLE)
                    out_.number(NFTA_TABLE_FLAGS, 0);
            });
        };
        // Made where it is not there, so that deleting it never fails.
        table(NFT_MSG_NEWTABLE, NLM_F_CREATE);
        table(NFT_MSG_DELTABLE, 0);
        table(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    }

    void write_chain(const nft::Chain& chain) {
        out_.message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, {"chain", chain.name}, [&] {
            out_.text(NFTA_CHAIN_TABLE, table_);
            out_.text(NFTA_CHAIN_NAME, chain.name);
            if (chain.hook.empty())
                return;
            out_.text(NFTA_CHAIN_TYPE, "filter");
            out_.number(NFTA_CHAIN_POLICY, NF_ACCEPT);
            out_.nested(NFTA_CHAIN_HOOK, [&] {
                out_.number(NFTA_HOOK_HOOKNUM, hook_number(chain.hook));
                out_.number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
            });
        });
    }

    void empty_chain(const nft::Chain& chain) {
        out_.message(NFT_MSG_DELRULE, 0, {"chain", chain.name}, [&] {
            out_.text(NFTA_RULE_TABLE, table_);
            out_.text(NFTA_RULE_CHAIN, chain.name);
        });
    }

    void fill_chain(const nft::Chain& chain) {
        for (const nft::Rule& rule : chain.rules)
            about("chain", chain.name, [&] {
                about("rule", nft::print(rule),
                      [&] { write_rule(out_, table_, chain.name, rule, generation_, next_id_); });
            });
    }

    void remove() {
        for (const nft::Chain& chain : does_.chains_out)
            empty_chain(chain);
        for (const nft::Map& map : does_.maps_out)
            write_map_out(out_, table_, map);
        for (const nft::Chain& chain : does_.chains_out)
            out_.message(NFT_MSG_DELCHAIN, 0, {"chain", chain.name}, [&] {
                out_.text(NFTA_CHAIN_TABLE, table_);
                out_.text(NFTA_CHAIN_NAME, chain.name);
            });
    }

    const nft::Transaction& does_;
    const std::string& table_;
    std::optional<std::uint32_t> generation_;
    Messages out_;
    std::uint32_t next_id_ = 1;
};

} // namespace

Result<Messages> batch_of(const nft::Transaction& transaction,
                          std::optional<std::uint32_t> generation) {
    try {
        return BatchWriter(transaction, generation).run();
    } catch (const Unknown& unknown) {
        return Error{"no netlink form: " + unknown.message};
    }
}

} // namespace polecat::runtime::netlink
