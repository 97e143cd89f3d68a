#include "driver/verify/verify.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "backends/bpf/bpf.h"
#include "backends/bundle/pack.h"
#include "backends/nftables/nftables.h"
#include "driver/bundle/folder.h"
#include "driver/bundle/nodes.h"
#include "driver/compile/compilation.h"
#include "driver/compile/digests.h"
#include "driver/compile/filter_folder.h"
#include "driver/compile/folder.h"
#include "driver/compile/unfinished.h"
#include "driver/verify/beside.h"
#include "driver/verify/bpf_node.h"
#include "driver/verify/filter_node.h"
#include "driver/verify/proof.h"
#include "driver/verify/written.h"
#include "support/read_file.h"

namespace polecat::driver {

using backends::NodeImage;
using State = NodeVerdict::State;

namespace {

class Verifier {
  public:
    Verifier(const VerifyRequest& request, const PolicySide* policy, diag::Diagnostics& diagnostics)
        : request_(request), policy_(policy), diagnostics_(diagnostics) {}

    VerifyReport run() {
        VerifyReport out;
        const FolderKind wanted = is_bundle(request_.folder) ? FolderKind::Bundle : request_.target;
        if (out.why = unfit(request_.folder, wanted); !out.why.empty())
            return out;
        if (wanted == FolderKind::Bundle)
            opened_.emplace(open_bundle(request_.folder, request_.key));
        else if (!request_.key.empty())
            return {request_.folder + " is no bundle, and nothing else is signed", {}};
        auto numbers =
            opened_ ? Result<backends::Numbers>(bundle::base_of(opened_->bundle.all()).identities)
            : of_iptables() ? Result<backends::Numbers>(backends::Numbers{}) // go by digests
                            : numbers_in(request_.folder);
        if (!numbers)
            return {numbers.error(), {}};
        if (out.why = opened_                                   ? ""
                      : request_.target == FolderKind::Nftables ? generations_lack()
                                                                : hooks_lack();
            !out.why.empty())
            return out;
        if (policy_ != nullptr)
            expected_ = std::make_unique<Compilation>(policy_->cluster, policy_->sources,
                                                      std::move(*numbers));
        if (policy_ != nullptr && request_.prove)
            prover_.emplace(policy_->cluster);
        if (opened_)
            for (const std::string& node : opened_->bundle.nodes())
                in_folder_.insert(node);
        else
            in_folder_ = nodes_in(request_.folder);
        auto unfinished = unfinished_in(request_.folder);
        if (!unfinished)
            return {unfinished.error(), {}};
        unfinished_ = std::move(*unfinished);
        std::set<std::string> nodes = in_folder_;
        for (const auto& [node, why] : unfinished_)
            nodes.insert(node);
        if (expected_ && request_.node.empty())
            nodes.merge(expected_->nodes());
        if (!request_.node.empty())
            nodes = {request_.node};
        if (nodes.empty())
            return {request_.folder + " has rules of no node", {}};
        if (opened_) // together: what nodes share is read and made once
            made_ = std::make_unique<BundleNodes>(opened_->bundle, nodes);
        for (const std::string& node : nodes)
            out.nodes.push_back(judge(node));
        return out;
    }

  private:
    bool of_iptables() const { return request_.target == FolderKind::Iptables; }
    bool of_bpf() const { return request_.target == FolderKind::Bpf; }

    std::string generations_lack() {
        const std::string path =
            (std::filesystem::path(request_.folder) / kGenerationsFile).string();
        const auto text = read_file(path);
        if (!text)
            return path + ": " + text.error();
        const auto bit = flow_mark_bit_in(request_.folder);
        flow_mark_bit_ = bit.value_or(flow_mark_bit_);
        return bit ? "" : path + " is not as written";
    }

    std::string hooks_lack() const {
        const std::string path = (std::filesystem::path(request_.folder) / kHooksFile).string();
        const auto text = read_file(path);
        if (!text)
            return path + ": " + text.error();
        return *text == iptables::filter_hooks() ? "" : path + " is not as written";
    }

    NodeVerdict judge(const std::string& node) {
        NodeVerdict out;
        out.node = node;
        if (const auto found = unfinished_.find(node); found != unfinished_.end()) {
            out.why = found->second;
            return out;
        }
        if (!in_folder_.contains(node)) {
            out.why = request_.folder + " has no rules of this node";
            out.state = request_.node.empty() ? State::Differs : State::Unread;
            return out;
        }
        out.why = opened_ ? "" : digests_lack(request_.folder, node);
        // Beside manifests what files say otherwise is told as well.
        if (!out.why.empty() && (!expected_ || !request_.rules.empty()))
            return out;
        const std::string lack = std::exchange(out.why, {});
        out = of_iptables() ? judge_filters_of(std::move(out)) : judge_rules_of(std::move(out));
        return lack.empty() ? out : doubted(std::move(out), lack);
    }

    /// Nothing is equal to the policy by files that are not those of one compile.
    static NodeVerdict doubted(NodeVerdict out, const std::string& lack) {
        if (out.state == State::Differs || out.state == State::Unread) {
            out.notes.push_back(lack);
            return out;
        }
        out.state = State::Unread;
        out.why = lack;
        return out;
    }

    NodeVerdict judge_filters_of(NodeVerdict out) {
        const std::string folder = opened_ ? "" : path_in(request_.folder, out.node, "");
        FilterSides sides{opened_ ? filters_made_of(out.node) : filter_rules_in(folder),
                          folder,
                          request_.rules,
                          {},
                          [this](const net::Address& address) { return name_of(address); },
                          prover_ ? &*prover_ : nullptr};
        if (expected_) {
            sides.policy = expected_->filter_image(out.node, diagnostics_);
            if (!sides.policy) {
                out.why = "rules can't say what the manifests have for this node";
                return out;
            }
        }
        return judge_filters(std::move(out), sides);
    }
    Result<iptables::Ruleset> filters_made_of(const std::string& node) const {
        diag::Diagnostics unsaid;
        const auto image = made_->compiled().filter_image(node, unsaid);
        if (policy_ == nullptr) // else the manifests' own are told
            diagnostics_.append(unsaid);
        if (!image)
            return Error{"rules can't say what the bundle has for this node"};
        iptables::Ruleset out = iptables::emit(*image);
        out.sort();
        return out;
    }

    NodeVerdict judge_rules_of(NodeVerdict out) {
        const auto written = written_of(out.node);
        if (!written) {
            out.why = written.error();
            return out;
        }
        if (of_bpf())
            return judge_tables_of(std::move(out), *written);
        const auto& [own, origins] = *written;
        if (request_.rules.empty())
            return compared(std::move(out), own.image, origins, nullptr);
        nft::OtherTables others;
        const auto held = listed_image_in(request_.rules, others);
        if (held)
            return with(compared(std::move(out), *held, origins, &own.image), beside(others, *held),
                        own.image.flow_mark_bit, held->flow_mark_bit);
        out.why = held.error();
        return out;
    }
    Result<Written> written_of(const std::string& node) const {
        if (opened_) {
            diag::Diagnostics unsaid;
            auto out = written_by(made_->compiled(), node, request_.target, unsaid);
            if (policy_ == nullptr)
                diagnostics_.append(unsaid);
            return out;
        }
        auto out = written_in(request_.folder, node, request_.target);
        if (out && out->node.image.flow_mark_bit != flow_mark_bit_)
            return Error{rules_path(request_.folder, node) + ": its bits of conntrack marks are " +
                         "not those of " + kGenerationsFile};
        return out;
    }

    NodeVerdict judge_tables_of(NodeVerdict out, const Written& written) {
        const auto& [own, origins] = written;
        const auto listed = request_.rules.empty() ? Result<ListedTables>(ListedTables{})
                                                   : listed_tables_in(request_.rules);
        if (!listed) {
            out.why = listed.error();
            return out;
        }
        around_ = own;
        if (request_.rules.empty())
            out = compared(std::move(out), own.image, origins, nullptr);
        else
            out = compared(std::move(out), listed->image, origins, &own.image);
        out.programs += own.host.programs.size();
        if (out.state == State::Unread || (request_.rules.empty() && !expected_))
            return out;
        const NameAt name_at = [this](const net::Address& address) { return name_of(address); };
        if (request_.rules.empty() || listed->rules) {
            const iptables::Ruleset held = listed->rules ? *listed->rules : bpf::rules_around(own);
            out = judge_around(std::move(out), held, request_.rules, around_, name_at);
            return prover_ ? prove_around(std::move(out), *prover_, held, name_at) : out;
        }
        out.notes.push_back("tables alone: the rules of iptables around them were not looked at");
        if (around_.host.frame.attached.empty() || out.state == State::Differs)
            return out;
        out.state = State::Unread;
        out.why = "tables do not say what host endpoints enforce: name a folder that `polecat "
                  "dump --target bpf` wrote, with sets.ipset, rules.v4 and rules.v6 beside them";
        return out;
    }
    std::string name_of(const net::Address& address) const {
        return expected_ ? expected_->name_at(address) : "";
    }

    /// `written`: what the node's file says, where a listing is looked at.
    NodeVerdict compared(NodeVerdict out, const NodeImage& rules, const Origins& origins,
                         const NodeImage* written) {
        out.programs = rules.programs.size();
        out.addresses = rules.dispatch.size();
        out.state = State::Whole;
        if (!expected_)
            return written == nullptr ? out
                                      : settled(std::move(out), rules, *written, origins, origins);
        auto policy = expected_->image(out.node, diagnostics_);
        if (policy && of_bpf()) {
            auto apart = expected_->bpf_node(out.node, *policy, diagnostics_);
            policy = apart ? std::optional(apart->image) : std::nullopt;
            if (apart)
                around_ = std::move(*apart);
        }
        if (policy) {
            const Origins from = expected_->origins(out.node, *policy);
            out = settled(std::move(out), rules, *policy, origins, from);
            return prover_ ? proved(std::move(out), rules, origins) : out;
        }
        out.state = State::Unread;
        out.why = "rules can't say what the manifests have for this node";
        return out;
    }

    NodeVerdict settled(NodeVerdict out, const NodeImage& rules, NodeImage policy,
                        const Origins& rules_from, const Origins& policy_from) const {
        // Who is told of denied packets, and where marks are, is no policy.
        policy.report_group = rules.report_group;
        policy.flow_mark_bit = rules.flow_mark_bit;
        if (of_bpf())
            policy = bpf::normal(policy);
        out.state = State::Equal;
        if (rules == policy)
            return out;
        out.differences = differences(rules, policy);
        out.state = out.differences.empty() ? State::Same : State::Differs;
        for (Difference& each : out.differences)
            if (each.flow) {
                name(each, rules_from);
                each.flow->policy.by = rule_of(policy_from, each.interface, each.flow->policy);
            }
        return out;
    }

    void name(Difference& of, const Origins& rules_from) const {
        of.flow->rules.by = rule_of(rules_from, of.interface, of.flow->rules);
        if (expected_)
            name_ends(of);
    }
    void name_ends(Difference& of) const {
        of.flow->source_name = expected_->name_at(of.flow->source);
        of.flow->destination_name = expected_->name_at(of.flow->destination);
    }

    /// What Z3 finds where the comparison of tables found nothing is a difference like any other.
    NodeVerdict proved(NodeVerdict out, const NodeImage& rules, const Origins& rules_from) {
        NodeProof proof =
            prover_->prove(out.node, rules, of_bpf() ? Prover::Of::Workloads : Prover::Of::All);
        out.proof = proof.counts();
        if (out.state == State::Differs || proof.differences.empty())
            return out;
        out.state = State::Differs;
        out.differences = std::move(proof.differences);
        for (Difference& each : out.differences)
            if (each.flow)
                name(each, rules_from);
        return out;
    }

    static NodeVerdict with(NodeVerdict out, const Beside& beside, unsigned written,
                            unsigned held) {
        out.notes = beside.notes;
        if (written != held) {
            out.notes.push_back(
                fmt::format("the node's rules use conntrack marks from bit {} on, the compiled "
                            "ones from bit {} "
                            "on: no plan leads there, load the whole ruleset after conntrack -F",
                            held, written));
            out.state = out.state == State::Equal ? State::Same : out.state;
        }
        if (beside.breaks.empty() || out.state == State::Unread)
            return out;
        out.state = State::Differs;
        for (const std::string& each : beside.breaks)
            out.differences.push_back({"", each, {}});
        return out;
    }

    static std::string rule_of(const Origins& origins, const std::string& interface,
                               const Decided& decided) {
        if (!decided.slot)
            return "no rule: the program does not know the address or the packet";
        const std::string known = origins.rule(interface, decided.program, *decided.slot);
        return known.empty() ? "slot " + std::to_string(*decided.slot) + " of program " +
                                   decided.program + ", which origins.json does not have"
                             : known;
    }

    const VerifyRequest& request_;
    const PolicySide* policy_;
    diag::Diagnostics& diagnostics_;
    std::unique_ptr<Compilation> expected_;
    bpf::Node around_; ///< what the rules around the tables are to say, of the node at hand
    unsigned flow_mark_bit_ = backends::kFlowMarkBit; ///< of the folder
    std::set<std::string> in_folder_;
    std::map<std::string, std::string> unfinished_; ///< why, by node
    std::unique_ptr<BundleNodes> made_;             ///< of a bundle
    std::optional<Prover> prover_;
    std::optional<OpenBundle> opened_; ///< what nodes make rules of; otherwise there are rules
};

} // namespace

VerifyReport verify(const VerifyRequest& request, const PolicySide* policy,
                    diag::Diagnostics& diagnostics) {
    try {
        return Verifier(request, policy, diagnostics).run();
    } catch (const bundle::Refused& refused) {
        report(request.folder, refused, diagnostics);
        return {request.folder + " was not looked at", {}};
    }
}

} // namespace polecat::driver
