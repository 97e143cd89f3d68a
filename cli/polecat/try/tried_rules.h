/// The rules that `polecat try` loads, of either target.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "driver/compile/compilation.h"
#include "support/result.h"

namespace polecat::cli {

struct TriedTarget {
    std::string name = "nftables";
    std::string variant = "nft";
    std::string classifier;
};
/// The options of commands that load rules through either variant of iptables.
void add_loading_options(CLI::App& command, std::string& variant, std::string& classifier);
void add_target_options(CLI::App& command, TriedTarget& into);

class TriedRules {
  public:
    virtual ~TriedRules() = default;
    /// Into the kernel, in the namespaces that this process is in.
    virtual Result<bool> load() = 0;
    /// Why what the kernel lists is not what was loaded; empty: it is.
    virtual std::string difference() const = 0;
    /// Programs and more that loading takes.
    virtual std::string needs() const = 0;
};

/// What the target can't do is reported; nothing then. `image` must outlive it.
std::unique_ptr<TriedRules> tried_rules(const TriedTarget& target, driver::Compilation& compiled,
                                        const std::string& node, const backends::NodeImage& image,
                                        diag::Diagnostics& diagnostics);

} // namespace polecat::cli
