/// Pieces of sentences about a rollout that its text and its Markdown share.
#pragma once

#include <string>
#include <vector>

#include "driver/rollout/groups.h"

namespace polecat::cli {

/// "1.2 KB".
std::string bytes_text(std::size_t bytes);
/// "3 ms"; of estimates.
std::string time_text(double seconds);

/// What changes on nodes of a group, a line for each kind of part: "+ 2 to 4 programs: 24 to 60
/// chains, ...".
struct PartLine {
    driver::PartKind kind;
    driver::PartChange change;
    std::string text;
};
std::vector<PartLine> part_lines(const driver::Rollout& rollout, const driver::RolloutGroup& group);

/// "60 programs, 1,506 chains, ..."
std::string stays_text(const driver::Rollout& rollout, const driver::RolloutGroup& group);
/// "1. fill what nothing refers to yet: 12.3 KB, 5 ms".
std::vector<std::string> step_lines(const driver::Rollout& rollout,
                                    const driver::RolloutGroup& group);
/// What happens to flows that are there, a sentence each.
std::vector<std::string> flow_lines(const driver::Rollout& rollout,
                                    const driver::RolloutGroup& group);
/// "NetworkPolicy shop/web is new (policy.yaml:3:4)", at most `most`, then how many more.
std::vector<std::string> reason_lines(const driver::Rollout& rollout,
                                      const driver::RolloutGroup& group, std::size_t most);
/// "3 nodes: a, b, c".
std::string group_title(const driver::Rollout& rollout, const driver::RolloutGroup& group,
                        std::size_t most);
/// What all nodes together load, a line each.
std::vector<std::string> total_lines(const driver::Rollout& rollout);

} // namespace polecat::cli
