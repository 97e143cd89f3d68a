#include "driver/diff/report.h"

#include <algorithm>
#include <future>
#include <map>

#include <fmt/format.h>

#include "driver/diff/unseen.h"
#include "driver/input/unread.h"
#include "driver/lint/proofs.h"
#include "ir/policy/text.h"
#include "support/listed.h"

namespace polecat::driver {

using analyzer::ChangeKind;

namespace {

std::map<policy::PolicyName, const policy::Policy*>
by_name(const policy::OrderedPolicies& ordered) {
    std::map<policy::PolicyName, const policy::Policy*> out;
    for (const policy::OrderedTier& tier : ordered.tiers)
        for (const policy::Policy* policy : tier.policies)
            out[policy_name(*policy)] = policy;
    return out;
}

void add_list(std::string& out, const char* title, const std::vector<std::string>& names,
              std::size_t most) {
    if (names.empty())
        return;
    out += fmt::format("{}: {}\n", title, listed(names, most));
}

std::size_t number_of(const DiffReport& report, ChangeKind kind) {
    std::size_t out = 0;
    for (const DiffRow& row : report.rows)
        out += row.kind == kind ? 1 : 0;
    return out;
}

} // namespace

std::string counts_of(const DiffReport& report) {
    std::string out;
    for (std::size_t kind = 0; kind < analyzer::kChangeKinds; ++kind)
        if (const std::size_t number = number_of(report, static_cast<ChangeKind>(kind)))
            out += fmt::format("{}{} {}", out.empty() ? "" : ", ", number,
                               to_string(static_cast<ChangeKind>(kind)));
    if (!out.empty())
        return out;
    return report.unseen.empty() ? "no flow changes"
                                 : "no flow changes between what is in the input";
}

PolicyChanges policy_changes(const policy::OrderedPolicies& base,
                             const policy::OrderedPolicies& head) {
    const auto before = by_name(base), now = by_name(head);
    PolicyChanges out;
    for (const auto& [name, policy] : before) {
        const auto twin = now.find(name);
        if (twin == now.end())
            out.gone.push_back(to_string(name));
        else if (!same_text(*policy, *twin->second))
            out.changed.push_back(to_string(name));
    }
    for (const auto& [name, policy] : now)
        if (!before.contains(name))
            out.added.push_back(to_string(name));
    return out;
}

std::string lists_of(const DiffReport& report, const char* prefix) {
    const auto titled = [&](const char* title) { return std::string(prefix) + title; };
    std::string out;
    add_list(out, titled("policies added").c_str(), report.policies.added, 8);
    add_list(out, titled("policies gone").c_str(), report.policies.gone, 8);
    add_list(out, titled("policies changed").c_str(), report.policies.changed, 8);
    add_list(out,
             titled("of these named by no change below, and with pods or peers that are not all in "
                    "the input")
                 .c_str(),
             report.unseen, 8);
    add_list(out, titled("endpoints added, not compared").c_str(), report.diff.added, 8);
    add_list(out, titled("endpoints gone, not compared").c_str(), report.diff.gone, 8);
    add_list(out,
             titled("host endpoints whose untracked, preDNAT or forward policy changed").c_str(),
             report.diff.other_hooks, 8);
    return out;
}

DiffReport diff_report(Session& base, Session& head, const DiffOptions& options) {
    // A version reads its cluster and nothing else, so both are made at once.
    auto made = std::async(std::launch::async, [&] { base.lowered(); });
    const decision::LoweredCluster& now = head.cluster();
    made.get();
    const decision::LoweredCluster& before = base.cluster();
    const bool prove = options.prove || !options.smt_folder.empty();
    analyzer::Diff found = analyzer::diff(before, now, prove);
    std::vector<DiffRow> rows = diff_rows(found, now);
    DiffReport out{base,
                   head,
                   std::move(found),
                   std::move(rows),
                   policy_changes(base.lowered().policies, head.lowered().policies),
                   {},
                   unread_lines(base.input(), endpoints_in_doubt(base.input(), before)),
                   routing_report(base.input(), head.input())};
    if (&base.input() != &head.input())
        for (std::string& line : unread_lines(head.input(), endpoints_in_doubt(head.input(), now)))
            if (std::find(out.unread.begin(), out.unread.end(), line) == out.unread.end())
                out.unread.push_back(std::move(line));
    if (options.staged) // these are enforced, not gone
        std::erase_if(out.policies.gone,
                      [](const std::string& name) { return name.starts_with("Staged"); });
    out.unseen = unseen_changes(out);
    if (prove)
        out.proof = prove_diff(before, now, out.diff, options.smt_folder);
    return out;
}

} // namespace polecat::driver
