#include "tests/kernel/iptables_rules.h"

#include <cstdlib>

#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"

namespace polecat::kernel_test {

iptables::FilterImage filters_of(const Node& node) {
    const decision::Identities identities(node.cluster.lowered);
    backends::NodeImages images(node.cluster.lowered, identities);
    iptables::FilterImages filters(node.cluster.lowered, images);
    diag::Diagnostics told;
    auto made = filters.of("node0", told);
    REQUIRE(made.has_value());
    return std::move(*made);
}

namespace {

template <class T> const T& must(const Result<T>& result) {
    REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error()));
    return *result;
}

iptables::Ruleset listing(Iptables variant) {
    iptables::Ruleset rules;
    rules.sets = must(iptables::parse_sets(must(runtime::ipset_save())));
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        rules.table(family) =
            must(iptables::parse_table(must(runtime::iptables_save(variant, family))));
    rules.sort();
    return rules;
}

std::uint16_t number_of(const Node& node) {
    return static_cast<std::uint16_t>(node.generation.bits() >> 16);
}

void load(Iptables variant, const Node& node) {
    const iptables::CompiledRules rules = must(iptables::compile(filters_of(node)));
    must(runtime::ipset_restore(rules.sets));
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        must(runtime::iptables_restore(
            variant, family,
            iptables::with_generation(family == net::Family::V4 ? rules.v4 : rules.v6,
                                      number_of(node))));
        if (node.generation == backends::Generation{})
            must(runtime::iptables_restore(variant, family,
                                           iptables::filter_hooks() + rules.host_hooks));
    }
    if (node.generation == backends::Generation{}) // later there are chains that nothing goes to
        CHECK(iptables_agree(variant, node));
}

} // namespace

bool may_run_iptables() {
    Result<bool> works = runtime::ipset_restore("create polecat-probe hash:net,iface family inet\n"
                                                "destroy polecat-probe\n");
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        if (works)
            works = runtime::iptables_restore(variant, net::Family::V4,
                                              "*filter\n:probe - [0:0]\n-X probe\nCOMMIT\n");
    if (works)
        return true;
    const char* ci = std::getenv("CI");
    const std::string why = "IPTABLES TESTS SKIPPED: " + works.error();
    if (ci != nullptr && std::string(ci) == "true")
        FAIL(why);
    MESSAGE(why);
    return false;
}

iptables::Plan prepare_iptables(Iptables variant, const Node& node) {
    auto plan = iptables::plan(listing(variant), filters_of(node));
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    return std::move(*plan);
}

void take_iptables(Iptables variant, Node& node, const iptables::Plan::Step& step) {
    if (step.next_number)
        node.generation = node.generation.next();
    if (step.command == "ipset restore")
        must(runtime::ipset_restore(step.text));
    else
        must(runtime::iptables_restore(
            variant, step.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4,
            iptables::with_generation(step.text, number_of(node))));
}

/// The kernel's listing keeps no texts of sets.
bool iptables_agree(Iptables variant, const Node& node) {
    iptables::FilterImage wanted = filters_of(node);
    for (auto& [name, set] : wanted.sets)
        set.what.clear();
    return must(iptables::read_back(listing(variant))) == wanted;
}

Node::Loader load_iptables(Iptables variant) {
    return [variant](const Node& node) { load(variant, node); };
}

} // namespace polecat::kernel_test
