/// The BPF classifier under test: where it is, and whether this kernel takes it.
#pragma once

#include <string>

#include "backends/node/node_image.h"
#include "driver/load/load.h"
#include "runtime/bpf/classifier.h"
#include "tests/kernel/iptables_rules.h"

namespace polecat::kernel_test {

/// Whether there is a classifier and the kernel loads it. Says loudly when not; on CI that is a
/// failure.
bool may_run_bpf();
std::string classifier_object();

/// Of what the node expects: with host endpoints, numbered alone.
bpf::Node bpf_node_of(const Node& node);
/// Loads that, as `polecat load` does.
Result<driver::Loaded> load_tables_of(const Node& node, const driver::LoadOptions& options);
/// What bpf::emit makes of it; it must.
bpf::Image tables_of(const backends::NodeImage& image);
/// Loaded and filled.
runtime::Classifier
classifier_of(const bpf::Image& tables,
              runtime::Classifier::Form form = runtime::Classifier::Form::Whole);

/// Whether the classifier can be loaded and asked by iptables, in a bpffs of this process's own.
bool may_ask_bpf();
/// Pinned where no other test has anything pinned.
driver::LoadOptions bpf_options(Iptables variant);
/// Loads a node's policy into the classifier and iptables around it, as `polecat load` does.
Node::Loader load_bpf(Iptables variant);

bool says(const runtime::Classifier& classifier, const std::string& program,
          const std::string& packet);

} // namespace polecat::kernel_test
