#include "driver/verify/verify.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "backends/bpf/bpf.h"
#include "backends/bundle/pack.h"
#include "backends/nftables/nftables.h"
#include "backends/nftables/reachable.h"
#include "driver/bundle/folder.h"
#include "driver/bundle/nodes.h"
#include "driver/compile/compilation.h"
#include "driver/compile/filter_folder.h"
#include "driver/compile/folder.h"
#include "driver/compile/unfinished.h"
#include "driver/verify/beside.h"
#include "driver/verify/bpf_node.h"
#include "driver/verify/filter_node.h"
#include "driver/verify/proof.h"
#include "support/read_file.h"

namespace polecat::driver {

using backends::NodeImage;
using State = NodeVerdict::State;

namespace {

/// Of a node's file, or of a listing, where tables of others are looked at as well.
Result<NodeImage> image_in(const std::string& path, nft::OtherTables* others) {
    auto rules = others != nullptr ? listed_rules_in(path, *others) : rules_in(path);
    if (!rules)
        return Error{rules.error()};
    if (others != nullptr)
        rules = backends::without_unreachable(*rules);
    auto image = rules ? backends::read_back(*rules) : Result<NodeImage>(Error{rules.error()});
    if (image)
        return image;
    return Error{path + ": " + image.error() + (others != nullptr ? kListedBy : "")};
}

class Verifier {
  public:
    Verifier(const VerifyRequest& request, const PolicySide* policy, diag::Diagnostics& diagnostics)
        : request_(request), policy_(policy), diagnostics_(diagnostics) {}

    VerifyReport run() {
        VerifyReport out;
        const FolderKind wanted = is_bundle(request_.bundle) ? FolderKind::Bundle : request_.target;
        if (out.why = unfit(request_.bundle, wanted); !out.why.empty())
            return out;
        if (wanted == FolderKind::Bundle)
            opened_.emplace(open_bundle(request_.bundle, request_.key));
        else if (!request_.key.empty())
            return {request_.bundle + " is no bundle, and nothing else is signed", {}};
        auto numbers =
            opened_ ? Result<backends::Numbers>(bundle::base_of(opened_->bundle.all()).identities)
            : of_iptables() ? Result<backends::Numbers>(backends::Numbers{}) // go by digests
                            : numbers_in(request_.bundle);
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
                in_bundle_.insert(node);
        else
            in_bundle_ = nodes_in(request_.bundle);
        auto unfinished = unfinished_in(request_.bundle);
        if (!unfinished)
            return {unfinished.error(), {}};
        unfinished_ = std::move(*unfinished);
        std::set<std::string> nodes = in_bundle_;
        for (const auto& [node, why] : unfinished_)
            nodes.insert(node);
        if (expected_ && request_.node.empty())
            nodes.merge(expected_->nodes());
        if (!request_.node.empty())
            nodes = {request_.node};
        if (nodes.empty())
            return {request_.bundle + " has rules of no node", {}};
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
            (std::filesystem::path(request_.bundle) / kGenerationsFile).string();
        const auto text = read_file(path);
        if (!text)
            return path + ": " + text.error();
        const auto bit = flow_mark_bit_in(request_.bundle);
        flow_mark_bit_ = bit.value_or(flow_mark_bit_);
        return bit ? "" : path + " is not as written";
    }

    std::string hooks_lack() const {
        const std::string path = (std::filesystem::path(request_.bundle) / kHooksFile).string();
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
        if (!in_bundle_.contains(node)) {
            out.why = request_.bundle + " has no rules of this node";
            out.state = request_.node.empty() ? State::Differs : State::Unread;
            return out;
        }
        if (of_iptables())
            return judge_filters_of(std::move(out));
        const auto written = opened_ ? made_of(node) : read(node);
        if (!written) {
            out.why = written.error();
            return out;
        }
        const auto& [own, origins, host] = *written;
        if (of_bpf())
            return judge_tables_of(std::move(out), *written);
        if (request_.rules.empty())
            return compared(std::move(out), own, origins, nullptr);
        nft::OtherTables others;
        const auto held = image_in(request_.rules, &others);
        if (held)
            return with(compared(std::move(out), *held, origins, &own), beside(others, *held),
                        own.flow_mark_bit, held->flow_mark_bit);
        out.why = held.error();
        return out;
    }

    struct Written {
        NodeImage image;
        Origins origins;
        iptables::FilterImage host{}; ///< of BPF
    };

    NodeVerdict judge_tables_of(NodeVerdict out, const Written& own) {
        const auto listed = request_.rules.empty() ? Result<ListedTables>(ListedTables{})
                                                   : listed_tables_in(request_.rules);
        if (!listed) {
            out.why = listed.error();
            return out;
        }
        around_ = bpf::Node{own.image, own.host};
        if (request_.rules.empty())
            out = compared(std::move(out), own.image, own.origins, nullptr);
        else
            out = compared(std::move(out), listed->image, own.origins, &own.image);
        out.programs += own.host.programs.size();
        if (out.state == State::Unread || (request_.rules.empty() && !expected_))
            return out;
        const NameAt name_at = [this](const net::Address& address) { return name_of(address); };
        if (request_.rules.empty() || listed->rules) {
            const iptables::Ruleset held =
                listed->rules ? *listed->rules : bpf::rules_around({own.image, own.host});
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

    NodeVerdict judge_filters_of(NodeVerdict out) {
        const std::string folder =
            opened_ ? "" : (std::filesystem::path(request_.bundle) / "nodes" / out.node).string();
        FilterSides sides{opened_ ? filters_made_of(out.node) : filter_rules_in(folder),
                          folder,
                          request_.rules,
                          {},
                          [this](const net::Address& address) { return name_of(address); }};
        if (expected_)
            sides.policy = expected_->filter_image(out.node, diagnostics_);
        if (!expected_)
            return judge_filters(std::move(out), sides);
        if (sides.policy)
            return proved_filters(judge_filters(std::move(out), sides), sides);
        out.why = "rules can't say what the manifests have for this node";
        return out;
    }
    /// Chains that differ are told by their rules; what that does to packets comes before.
    NodeVerdict proved_filters(NodeVerdict out, const FilterSides& sides) {
        const auto held = held_filters(sides);
        if (!prover_ || !held || out.state == State::Unread)
            return out;
        NodeProof proof = prover_->prove(out.node, *held);
        count(proof, out);
        if (proof.differences.empty())
            return out;
        out.state = State::Differs;
        for (Difference& each : proof.differences)
            if (each.flow)
                name_ends(each);
        out.differences.insert(out.differences.begin(),
                               std::make_move_iterator(proof.differences.begin()),
                               std::make_move_iterator(proof.differences.end()));
        return out;
    }
    Result<iptables::Ruleset> filters_made_of(const std::string& node) const {
        diag::Diagnostics unsaid;
        const auto image = made_->compiled().filter_image(node, unsaid);
        if (policy_ == nullptr)
            diagnostics_.append(unsaid);
        if (!image)
            return Error{"rules can't say what the bundle has for this node"};
        iptables::Ruleset out = iptables::emit(*image);
        out.sort();
        return out;
    }

    /// What a compile wrote of a node.
    Result<Written> read(const std::string& node) const {
        auto origins = origins_of(node);
        auto held = of_bpf() ? bpf_node_in(request_.bundle, node)
                             : alone(image_in(rules_path(request_.bundle, node), nullptr));
        if (!origins || !held)
            return Error{origins ? held.error() : origins.error()};
        if (const std::string why = lack(*origins, node, held->image); !why.empty())
            return Error{why};
        return Written{std::move(held->image), std::move(*origins), std::move(held->host)};
    }
    /// What the node makes of a bundle.
    Result<Written> made_of(const std::string& node) const {
        diag::Diagnostics unsaid;
        auto image = made_->compiled().image(node, unsaid);
        if (policy_ == nullptr) // else the manifests' own are told
            diagnostics_.append(unsaid);
        if (!image)
            return Error{"rules can't say what the bundle has for this node"};
        Origins origins = made_->compiled().origins(node, *image);
        if (!of_bpf()) {
            Compilation::rules(node, *image); // no rules that don't read back as the image
            return Written{std::move(*image), std::move(origins), {}};
        }
        auto again = tables_again(made_->compiled(), node, *image);
        return again ? Result<Written>(Written{std::move(again->image), std::move(origins),
                                               std::move(again->host)})
                     : Error{again.error()};
    }
    static Result<bpf::Node> alone(Result<NodeImage> image) {
        return image ? Result<bpf::Node>(bpf::Node{std::move(*image), {}}) : Error{image.error()};
    }
    Result<bpf::Node> tables_again(Compilation& compiled, const std::string& node,
                                   const NodeImage& image) const {
        auto said = compiled.bpf_node(node, image, diagnostics_);
        const auto tables = said ? bpf::emit(said->image, node, diagnostics_) : std::nullopt;
        if (!tables)
            return Error{"the classifier can't do what the bundle has for this node"};
        const auto made = bpf::compile(*tables, *said);
        const auto read = made ? bpf::read(made->tables) : Result<bpf::Image>(Error{made.error()});
        auto again = read ? bpf::read_back(*read) : Result<NodeImage>(Error{read.error()});
        if (!again)
            return Error{again.error()};
        said->image = std::move(*again);
        return std::move(*said);
    }

    Result<Origins> origins_of(const std::string& node) const {
        const std::string path = origins_path(request_.bundle, node);
        const auto text = read_file(path);
        if (!text)
            return Error{path + ": " + text.error()};
        auto out = parse_origins(*text);
        return out ? std::move(out) : Result<Origins>(Error{path + ": " + out.error()});
    }

    std::string lack(const Origins& origins, const std::string& node,
                     const NodeImage& image) const {
        if (image.flow_mark_bit != flow_mark_bit_)
            return rules_path(request_.bundle, node) + ": its bits of conntrack marks are not " +
                   "those of " + kGenerationsFile;
        const std::string what = origins_lack(origins, node, image);
        return what.empty() ? what : origins_path(request_.bundle, node) + ": " + what;
    }

    /// `written`: what the node's file says, where a listing is looked at.
    NodeVerdict compared(NodeVerdict out, const NodeImage& rules, const Origins& origins,
                         const NodeImage* written) {
        out.programs = rules.programs.size();
        out.addresses = rules.addresses.size();
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

    static void count(const NodeProof& proof, NodeVerdict& out) {
        out.proof = {proof.proved, proof.differences.size(), proof.closed, proof.unknown};
    }

    /// What Z3 finds where the comparison of tables found nothing is a difference like any other.
    NodeVerdict proved(NodeVerdict out, const NodeImage& rules, const Origins& rules_from) {
        NodeProof proof =
            prover_->prove(out.node, rules, of_bpf() ? Prover::Of::Workloads : Prover::Of::All);
        count(proof, out);
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
    unsigned flow_mark_bit_ = backends::kFlowMarkBit; ///< of the bundle
    std::set<std::string> in_bundle_;
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
        report(request.bundle, refused, diagnostics);
        return {request.bundle + " was not looked at", {}};
    }
}

} // namespace polecat::driver
