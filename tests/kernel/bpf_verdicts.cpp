#include "tests/kernel/bpf_verdicts.h"

#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "backends/bpf/bpf.h"
#include "tests/backends/bpf_node.h"
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

bpf::Node bpf_node_of(const Node& node) {
    if (node.image.attached.empty())
        return bpf::node_of(node.image);
    diag::Diagnostics told;
    auto made = testing::bpf_node_of(node.cluster.lowered, told);
    REQUIRE(made.has_value());
    return std::move(*made);
}

Result<driver::Loaded> load_tables_of(const Node& node, const driver::LoadOptions& options) {
    const bpf::Node made = bpf_node_of(node);
    return driver::load_tables(tables_of(made.image), made, options);
}

bpf::Image tables_of(const backends::NodeImage& image) {
    diag::Diagnostics told;
    auto made = bpf::emit(image, "node0", told);
    REQUIRE(made.has_value());
    return std::move(*made);
}

runtime::Classifier classifier_of(const bpf::Image& tables, runtime::Classifier::Form form) {
    auto made = runtime::Classifier::load(classifier_object(), tables, form);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()));
    const auto taken = made->take(tables);
    REQUIRE_MESSAGE(taken.ok(), (taken ? "" : taken.error()));
    return std::move(*made);
}

bool may_ask_bpf() {
    if (!may_run() || !may_run_iptables() || !may_run_bpf())
        return false;
    static const Result<bool> kEntered = runtime::enter_own_bpffs();
    REQUIRE_MESSAGE(kEntered.ok(), (kEntered ? "" : kEntered.error()));
    return true;
}

driver::LoadOptions bpf_options(Iptables variant) {
    static int used = 0;
    driver::LoadOptions out;
    out.variant = variant;
    out.classifier = classifier_object();
    out.pins = "/sys/fs/bpf/polecat" + std::to_string(++used);
    return out;
}

Node::Loader load_bpf(Iptables variant) {
    return [options = bpf_options(variant)](const Node& node) {
        const auto done = load_tables_of(node, options);
        REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
        CHECK(done->whole);
    };
}

bool says(const runtime::Classifier& classifier, const std::string& program,
          const std::string& packet) {
    const auto run = classifier.run(program, packet);
    REQUIRE_MESSAGE(run.ok(), (run ? "" : run.error()));
    return run->yes;
}

} // namespace polecat::kernel_test
