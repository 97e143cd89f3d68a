/// What every command that reads manifests does first.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/discover.h"
#include "frontend/doubles.h"
#include "frontend/passed_by.h"
#include "ir/decision/lowered.h"
#include "ir/policy/cluster.h"
#include "passes/lower.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::driver {

/// Exit codes of every command.
inline constexpr int kGood = 0;     ///< nothing found, everything holds
inline constexpr int kFindings = 1; ///< findings, or a failed expectation
inline constexpr int kBadInput = 2; ///< bad usage or unreadable input

/// True when standard output (or error) is a terminal and NO_COLOR is not set.
bool colour_on(bool standard_error);

/// How every command reads manifests.
struct InputOptions {
    std::string space;         ///< where objects without a namespace go; empty: `default`
    bool list_skipped = false; ///< print each file that was passed by
    bool render = false;       ///< have helm and kustomize make manifests of what they are for
    std::vector<std::string> values; ///< files of values for helm
    std::string config;              ///< where `render:` stands; empty: .polecat.yaml, if any
    frontend::Variants variants = frontend::Variants::Unknown;
    std::string folder; ///< the paths of files are found below it; empty: here
};

/// Manifests read and checked.
struct Input {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    InputOptions options;
    std::vector<bool> named; ///< by file of `sources`: it was named, not found in a folder
    bool rendered = false;   ///< by helm or kustomize, in part
    std::vector<frontend::PassedBy> passed_by;
};
Input read_input(const std::vector<std::string>& paths, const InputOptions& options = {},
                 const std::function<bool(const std::string&)>& excluded = {});
/// The same for files that are in memory.
Input read_input(std::vector<frontend::File> files, const InputOptions& options);

/// Prints errors (and warnings, if asked) to standard error. True: rules can't be made of it.
bool print_errors(const Input& input, bool warnings);

/// How pods without a known address are treated: "depends" or "outside-blocks".
passes::LowerOptions lower_options(const std::string& unknown_address);

/// "shop/web", "HostEndpoint node1-eth0", "deployment:shop/cart" where a pod has the same name.
std::string name_of(const decision::LoweredCluster& cluster, decision::ObjectId object);

/// "10.0.0.0/8, 192.168.0.1" (CIDRs, the fewest), at most `limit` of them, then "and 12 more".
std::string text_of(const net::AddressSet& set, std::size_t limit);

} // namespace polecat::driver
