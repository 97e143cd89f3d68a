/// The BPF backend: a node's image to tables that a fixed classifier reads, and back
/// (docs/bpf.md); and the rules of iptables that stand around that classifier.
#pragma once

#include <optional>
#include <string>

#include "artefact/bpf/image.h"
#include "artefact/iptables/ruleset.h"
#include "backends/node/node_image.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::bpf {

/// What the classifier can't do is reported; nullopt then, never wider tables.
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
iptables::Ruleset rules_around(const backends::NodeImage& image, const std::string& pins = kPins);

} // namespace polecat::bpf
