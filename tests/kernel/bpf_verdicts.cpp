#include "tests/kernel/bpf_verdicts.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include <doctest/doctest.h>

#include "backends/bpf/bpf.h"
#include "backends/iptables/iptables.h"
#include "tests/paths.h"

namespace polecat::kernel_test {

std::string classifier_object() {
    return std::string(testing::bin_dir()) + "/classifier.bpf.o";
}

bool may_run_bpf() {
    std::string why = "BPF TESTS SKIPPED: ";
    if (!std::filesystem::exists(classifier_object()))
        why += "there is no classifier.bpf.o: it takes clang and libbpf-dev to build";
    else if (const auto loaded = runtime::Classifier::load(classifier_object(), {}); !loaded)
        why += loaded.error();
    else
        return true;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true")
        FAIL(why);
    MESSAGE(why);
    return false;
}

bpf::Image tables_of(const backends::NodeImage& image) {
    diag::Diagnostics told;
    auto made = bpf::emit(image, "node0", told);
    REQUIRE(made.has_value());
    return std::move(*made);
}

runtime::Classifier classifier_of(const bpf::Image& tables) {
    auto made = runtime::Classifier::load(classifier_object(), tables);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()));
    const auto taken = made->take(tables);
    REQUIRE_MESSAGE(taken.ok(), (taken ? "" : taken.error()));
    return std::move(*made);
}

Node::Loader load_bpf(Iptables variant) {
    const auto held = std::make_shared<std::optional<runtime::Classifier>>();
    return [variant, held](const Node& node) {
        const auto must = [](const Result<bool>& done) {
            REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
        };
        const bpf::Image tables = tables_of(node.image);
        const bool first = node.generation == backends::Generation{};
        if (first)
            held->emplace(classifier_of(tables));
        else
            must((*held)->take(tables));
        if (first)
            must((*held)->pin(bpf::kPins));
        const iptables::Ruleset rules = bpf::rules_around(node.image);
        must(runtime::ipset_restore(iptables::print(rules.sets)));
        const auto generation = static_cast<std::uint16_t>(node.generation.bits() >> 16);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            must(runtime::iptables_restore(
                variant, family,
                iptables::with_generation(iptables::print(rules.table(family)), generation)));
            if (first)
                must(runtime::iptables_restore(variant, family, iptables::filter_hooks()));
        }
    };
}

bool says(const runtime::Classifier& classifier, const std::string& program,
          const std::string& packet) {
    const auto run = classifier.run(program, packet);
    REQUIRE_MESSAGE(run.ok(), (run ? "" : run.error()));
    return run->yes;
}

} // namespace polecat::kernel_test
