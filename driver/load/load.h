/// `polecat load`: brings the kernel of this machine to a node's policy, from whatever of ours it
/// has, step by step.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "backends/bpf/plan.h"
#include "backends/iptables/build.h"
#include "driver/load/filter_rules.h"

namespace polecat::driver {

struct LoadOptions {
    runtime::Iptables variant = runtime::Iptables::Nft;
    std::string classifier;                                    ///< `classifier.bpf.o`
    std::string pins = bpf::kPins;                             ///< in bpffs
    bool only_tell = false;                                    ///< what would be done
    std::chrono::milliseconds wait = std::chrono::seconds(10); ///< for another load's end
    /// Asked before each step; false: it ends there, as if it had been killed.
    std::function<bool(const std::string& what)> go_on = [](const std::string&) { return true; };
};

struct Loaded {
    std::vector<std::string> steps; ///< what was done, for people
    bool whole = true;              ///< false: it was ended

    /// Says the step, and whether it is to be taken.
    bool next(const std::string& what, const LoadOptions& options) {
        steps.push_back(what);
        whole = whole && options.go_on(what);
        return whole && !options.only_tell;
    }
};

/// The table of the nftables target. What the kernel has of it must be ours and whole.
Result<Loaded> load_rules(const backends::NodeImage& image, const LoadOptions& options);

/// The chains and sets of the iptables target.
Result<Loaded> load_filters(const iptables::FilterImage& image, const LoadOptions& options);

/// Tables of the classifier and the rules around it; `tables` is what emit() makes of the image of
/// the node.
/// Programs are loaded anew where none are pinned, or where tables have grown beyond their maps.
Result<Loaded> load_tables(const bpf::Image& tables, const bpf::Node& node,
                           const LoadOptions& options);

/// The classifier's tables that this machine's kernel has in use, as a file of tables. An error
/// where a load was broken off, or where it does not know what they are called by.
Result<std::string> held_tables(const LoadOptions& options);

/// `classifier.bpf.o` beside this program or where packages put it; empty: it is in neither place.
std::string installed_classifier();
/// A bpffs of this process's own, so that nothing is pinned in the machine's.
Result<bool> enter_own_bpffs();

} // namespace polecat::driver
