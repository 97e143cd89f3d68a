/// Flows over a cluster on the kernel, told by what eval says of them: opened, answered, gone on
/// with, and judged anew under every policy that follows.
#pragma once

#include <string>
#include <vector>

#include "tests/kernel/node.h"

namespace polecat::kernel_test {

struct Flow {
    PacketSpec opens;
    net::Address sender; ///< whose host sends it: not its source where that is forged
    bool in_fragments = false;
    bool is_forged() const { return sender != opens.source; }
};

/// The interface that addresses beyond the node are behind.
inline constexpr const char* kUplink = "uplink";

struct Scenario {
    /// Documents of the first policy and of those that follow, over the same pods and services.
    std::vector<std::vector<std::string>> policies;
    std::vector<std::string> outside; ///< addresses beyond the node
    std::vector<Flow> flows;
    bool by_plans = false; ///< or each policy as a file of its own
    backends::NodeOptions options;
    /// kUplink is one: an answer does not settle flows through it.
    bool through_host_endpoint = false;
};

struct Agreement {
    struct Mismatch {
        std::size_t flow = 0;
        std::string what;
    };
    std::vector<Mismatch> mismatches;
    std::size_t flows = 0, packets = 0, passed = 0, errors = 0, revoked = 0, resumed = 0;
    void add(const Agreement& other);
};

Agreement play(const Scenario& scenario);

/// The one flow, and as few policies and pods as it still goes wrong with. Returns the file that
/// this was written to.
std::string save_shrunk(const Scenario& scenario, const Agreement::Mismatch& mismatch);

} // namespace polecat::kernel_test
