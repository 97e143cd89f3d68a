/// What a bundle has of a node for the BPF classifier, read again.
#pragma once

#include <optional>
#include <string>

#include "backends/bpf/bpf.h"
#include "driver/verify/filter_differences.h"
#include "driver/verify/proof.h"
#include "driver/verify/verify.h"
#include "support/result.h"

namespace polecat::driver {

/// Of a file of tables. Errors of both name the file.
Result<backends::NodeImage> tables_in(const std::string& path);
/// The same, with the rules of iptables beside it.
Result<bpf::Node> bpf_node_in(const std::string& bundle, const std::string& node);

/// What a node runs: a file of its tables, or a folder with that (`tables.bpf`) and its sets and
/// rules as they are listed.
struct ListedTables {
    backends::NodeImage image;
    std::optional<iptables::Ruleset> rules; ///< sorted
};
Result<ListedTables> listed_tables_in(const std::string& path);

/// The verdict on tables, with that on the rules around them. `held`: what those of a folder say,
/// or of a listing that stands in `listing`.
NodeVerdict judge_around(NodeVerdict out, iptables::Ruleset held, const std::string& listing,
                         const bpf::Node& wanted, const NameAt& name_at);
/// The same with what Z3 says of the programs of host endpoints in `held`.
NodeVerdict prove_around(NodeVerdict out, Prover& prover, const iptables::Ruleset& held,
                         const NameAt& name_at);

} // namespace polecat::driver
