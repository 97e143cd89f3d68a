// Rules that several chains have.
#include "backends/nftables/emit_program.h"
#include "backends/nftables/layout.h"
#include "backends/nftables/nftables.h"

namespace polecat::backends {

using namespace layout;

nft::Rule plain(std::vector<nft::Match> matches, std::vector<nft::Statement> statements) {
    return {std::move(matches), std::move(statements), {}};
}

nft::Rule counted_drop(std::vector<nft::Match> matches, std::string comment) {
    return {std::move(matches),
            {nft::Counter{}, nft::Verdict{nft::Verdict::Kind::Drop, {}}},
            std::move(comment)};
}

nft::Statement jump(std::string chain) {
    return nft::Verdict{nft::Verdict::Kind::Jump, std::move(chain)};
}

nft::Statement go_to(std::string chain) {
    return nft::Verdict{nft::Verdict::Kind::Goto, std::move(chain)};
}

nft::Statement verdict(nft::Verdict::Kind kind) {
    return nft::Verdict{kind, {}};
}

nft::Map& add_map(nft::Ruleset& to, std::string name, nft::KeyType key, nft::Map::Kind kind,
                  bool interval) {
    nft::Map made;
    made.name = std::move(name);
    made.key = key;
    made.kind = kind;
    made.interval = interval;
    to.maps.push_back(std::move(made));
    return to.maps.back();
}

void add_chain(nft::Ruleset& to, std::string name, std::vector<nft::Rule> rules, std::string hook,
               int priority) {
    nft::Chain made;
    made.name = std::move(name);
    made.hook = std::move(hook);
    made.priority = priority;
    made.rules = std::move(rules);
    to.chains.push_back(std::move(made));
}

std::uint32_t flow_mark_bits(const NodeImage& image) {
    return kFlowBits >> kFlowMarkBit << image.flow_mark_bit;
}

nft::Match flow_is(std::uint32_t state) {
    return nft::FlowMarkIs{kVerdict, state, true, false};
}

nft::Rule remember(std::uint32_t state) {
    return plain({}, {nft::SetFlowMark{~kVerdict, state, true}});
}

nft::Match state_is(unsigned bit) {
    return nft::StateIn{{bit}};
}

void add_judging(std::vector<nft::Rule>& to, const char* chain) {
    to.push_back(plain({}, {jump(chain)}));
    to.push_back(plain({}, {jump("put_back")}));
}

void add_not_workload(std::vector<nft::Match>& to, const NodeImage& image, bool incoming) {
    for (const std::string& prefix : image.interface_prefixes)
        to.emplace_back(nft::InterfaceIs{incoming, true, prefix + "*"});
}

} // namespace polecat::backends
