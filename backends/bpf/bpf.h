/// The BPF backend: a node's image to tables that a fixed classifier reads, and back
/// (docs/bpf.md); and the rules of iptables that stand around that classifier, host endpoints'
/// among them.
#pragma once

#include <optional>
#include <string>

#include "artefact/bpf/image.h"
#include "artefact/iptables/ruleset.h"
#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"
#include "backends/node/node_image.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::bpf {

/// What a node enforces: by the classifier what workloads send and get, by rules the rest.
struct Node {
    backends::NodeImage image;  ///< without host endpoints
    iptables::FilterImage host; ///< of host endpoints; no pods
};
/// Of the image of a node without host endpoints, or of its workloads alone.
Node node_of(backends::NodeImage image);
/// With rules for its host endpoints by `filters`, of the same images. What those can't say is
/// reported; nullopt then.
std::optional<Node> node_of(const std::string& node, const backends::NodeImage& image,
                            iptables::FilterImages& filters, diag::Diagnostics& diagnostics);

/// What the classifier can't do is reported; nullopt then, never wider tables. Of images without
/// host endpoints.
std::optional<Image> emit(const backends::NodeImage& image, const std::string& node,
                          diag::Diagnostics& diagnostics);

/// Recovers what the tables say, as normal() has it. Tables that are not exactly as emit() writes
/// them are an error.
Result<backends::NodeImage> read_back(const Image& image);

/// An image as far as tables keep it: endpoints' addresses cut out of the ranges of all others,
/// rows of identities spelt out. Equal ones, equal tables.
backends::NodeImage normal(const backends::NodeImage& image);

/// Where the classifier's programs are found: bpffs, once they are loaded.
inline constexpr const char* kPins = "/sys/fs/bpf/polecat";

/// What sends packets to the classifier and does what it says (docs/bpf.md). `pins`: the folder
/// that its programs are in.
iptables::Ruleset rules_around(const Node& node, const std::string& pins = kPins);
/// What they say, ours or the kernel's listing. `image`: what the tables say. What is not exactly
/// as rules_around() has it is an error.
Result<Node> read_around(backends::NodeImage image, const iptables::Ruleset& rules,
                         const std::string& pins = kPins);

struct CompiledTables {
    std::string tables; ///< the file
    iptables::CompiledRules rules;
};
/// Nothing but what reads back as `node`, of which emit() made `tables`: an error is a fault of
/// ours.
Result<CompiledTables> compile(const Image& tables, const Node& node);

} // namespace polecat::bpf
