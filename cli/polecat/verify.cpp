#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/commands.h"
#include "driver/compile/folder.h"
#include "driver/input/input.h"
#include "driver/session.h"
#include "driver/verify/verify.h"
#include "passes/lower.h"
#include "support/diag/render.h"
#include "support/json_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using State = NodeVerdict::State;

struct VerifyOptions {
    VerifyRequest request;
    std::vector<std::string> paths;
    InputOptions input;
    std::string target; ///< empty: that of the folder
    std::string format = "text";
};

constexpr std::size_t kDifferencesShown = 10; ///< differences of a node, as text

const char* name_of_state(State state) {
    switch (state) {
    case State::Whole:
        return "whole";
    case State::Equal:
        return "equal";
    case State::Same:
        return "same";
    case State::Differs:
        return "differs";
    case State::Unread:
        break;
    }
    return "unread";
}

const char* name_of_outcome(const Decided& decided) {
    switch (decided.outcome) {
    case backends::Outcome::Deny:
        return "deny";
    case backends::Outcome::Allow:
        return "allow";
    case backends::Outcome::NoMatch:
        break;
    }
    return "goes on";
}

std::string packet_text(const PacketShape& packet) {
    std::string out = net::to_string_protocol(packet.protocol);
    if (net::has_ports(packet.protocol))
        out += fmt::format(
            " {}{}", packet.value,
            packet.source_port == 0 ? "" : fmt::format(" from port {}", packet.source_port));
    else if (packet.protocol == net::kIcmp || packet.protocol == net::kIcmpV6)
        out += fmt::format(" type {} code {}", packet.value >> 8, packet.value & 255);
    return out;
}

std::string decided_text(const Decided& decided) {
    std::string out = name_of_outcome(decided);
    if (decided.logs != 0)
        out += ", logged";
    return out + ": " + decided.by;
}

std::string end_text(const std::string& name, const net::Address& address) {
    return name.empty() ? net::to_string(address)
                        : fmt::format("{} ({})", name, net::to_string(address));
}

std::string text_of(const Difference& each) {
    const std::string where = each.interface.empty() ? "" : each.interface + " ";
    if (!each.flow)
        return fmt::format("  {}{}\n", where, each.what);
    const FlowDifference& flow = *each.flow;
    const std::string hook = flow.hook == decision::Hook::Normal
                                 ? ""
                                 : fmt::format("{} ", decision::to_string(flow.hook));
    return fmt::format("  {}{}{}: {} -> {}  {}\n      rules   {}\n      policy  {}\n", where, hook,
                       decision::to_string(flow.direction), end_text(flow.source_name, flow.source),
                       end_text(flow.destination_name, flow.destination), packet_text(flow.packet),
                       decided_text(flow.rules), decided_text(flow.policy));
}

std::string proof_text(const NodeVerdict& node) {
    if (!node.proof)
        return {};
    const NodeVerdict::Proof& proof = *node.proof;
    std::string out = fmt::format("  Z3: {} proved equal to the policy's, {} different",
                                  counted(proof.proved, "program"), proof.different);
    if (proof.closed != 0)
        out += fmt::format(", {} closed", proof.closed);
    if (proof.unknown != 0)
        out += fmt::format(", {} not known: Z3 reached its limit of steps", proof.unknown);
    return out + "\n";
}

std::string text_of(const NodeVerdict& node) {
    const std::string size =
        counted(node.programs, "program") + ", " + counted(node.addresses, "local address");
    switch (node.state) {
    case State::Whole:
        return fmt::format("{}: whole: {}\n", node.node, size);
    case State::Equal:
        return fmt::format("{}: equal: {}\n", node.node, size);
    case State::Same:
        return fmt::format("{}: same for every packet, by other numbers or rules: {}\n", node.node,
                           size);
    case State::Unread:
        return fmt::format("{}: not compared: {}\n", node.node, node.why);
    case State::Differs:
        break;
    }
    if (node.differences.empty())
        return fmt::format("{}: differs: {}\n", node.node, node.why);
    std::string out =
        fmt::format("{}: differs: {}\n", node.node, counted(node.differences.size(), "difference"));
    const std::size_t shown = std::min(node.differences.size(), kDifferencesShown);
    for (std::size_t i = 0; i < shown; ++i)
        out += text_of(node.differences[i]);
    if (shown < node.differences.size())
        out += fmt::format("  and {} more\n", node.differences.size() - shown);
    return out;
}

std::string notes_text(const NodeVerdict& node) {
    std::string out;
    for (const std::string& note : node.notes)
        out += "  note: " + note + "\n";
    return out;
}

json json_of(const Decided& decided) {
    return {{"verdict", name_of_outcome(decided)}, {"logs", decided.logs}, {"by", decided.by}};
}

json json_of(const Difference& each) {
    json out{{"interface", each.interface}};
    if (!each.flow) {
        out["what"] = each.what;
        return out;
    }
    const FlowDifference& flow = *each.flow;
    out["flow"] = {{"hook", decision::to_string(flow.hook)},
                   {"direction", decision::to_string(flow.direction)},
                   {"from", end_text(flow.source_name, flow.source)},
                   {"to", end_text(flow.destination_name, flow.destination)},
                   {"traffic", packet_text(flow.packet)},
                   {"rules", json_of(flow.rules)},
                   {"policy", json_of(flow.policy)}};
    return out;
}

std::string report_json(const VerifyReport& report) {
    json out{{"nodes", json::array()}};
    for (const NodeVerdict& node : report.nodes) {
        json differences = json::array();
        for (const Difference& each : node.differences)
            differences.push_back(json_of(each));
        json& made = out["nodes"].emplace_back();
        made = json{{"node", node.node},
                    {"state", name_of_state(node.state)},
                    {"why", node.why},
                    {"programs", node.programs},
                    {"addresses", node.addresses},
                    {"differences", std::move(differences)},
                    {"notes", node.notes}};
        if (node.proof)
            made["proof"] = {{"proved", node.proof->proved},
                             {"different", node.proof->different},
                             {"closed", node.proof->closed},
                             {"unknown", node.proof->unknown}};
    }
    return json_text(std::move(out));
}

int exit_code_of(const VerifyReport& report, const diag::Diagnostics& diagnostics) {
    const auto any = [&](State state) {
        return std::any_of(report.nodes.begin(), report.nodes.end(),
                           [&](const NodeVerdict& each) { return each.state == state; });
    };
    const bool unproved =
        std::any_of(report.nodes.begin(), report.nodes.end(),
                    [](const NodeVerdict& each) { return each.proof && each.proof->unknown != 0; });
    if (any(State::Unread) || (unproved && !any(State::Differs)))
        return kBadInput;
    return any(State::Differs) || diagnostics.has_errors() ? kFindings : kGood;
}

int finish(const VerifyOptions& options, const PolicySide* policy, diag::Diagnostics& diagnostics,
           const Sources& sources) {
    const VerifyReport report = verify(options.request, policy, diagnostics);
    diagnostics.sort();
    fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), sources, {colour_on(true)}));
    if (!report.why.empty()) {
        fmt::print(stderr, "polecat: {}\n", report.why);
        return kBadInput;
    }
    if (options.format == "json")
        fmt::print("{}", report_json(report));
    else
        for (const NodeVerdict& node : report.nodes)
            fmt::print("{}{}{}", text_of(node), proof_text(node), notes_text(node));
    return exit_code_of(report, diagnostics);
}

int run(VerifyOptions& options) {
    if (!options.request.rules.empty() && options.request.node.empty())
        throw CLI::ValidationError("--rules", "the listing is of one node: name it with --node");
    if (options.request.prove && options.paths.empty())
        throw CLI::ValidationError("--prove", "it proves that rules are what manifests say: name "
                                              "the manifests");
    const std::string& folder = options.request.bundle;
    const FolderKind kind = folder_kind(folder);
    if (!options.target.empty())
        options.request.target = kind_of_target(options.target);
    else if (kind == FolderKind::Iptables || kind == FolderKind::Bpf)
        options.request.target = kind;
    if (kind == FolderKind::Nothing && nodes_in(folder).empty()) {
        fmt::print(stderr, "polecat: {}\n", unfit(folder, options.request.target));
        return kBadInput;
    }
    diag::Diagnostics diagnostics;
    if (options.paths.empty())
        return finish(options, nullptr, diagnostics, {});
    options.input.variants = frontend::Variants::Refused;
    Input input = read_input(options.paths, options.input);
    if (print_errors(input, true))
        return kBadInput;
    Session session(input);
    const PolicySide policy{session.cluster(), input.sources};
    return finish(options, &policy, diagnostics, input.sources);
}

} // namespace

void add_verify(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<VerifyOptions>();
    CLI::App* command =
        app.add_subcommand("verify", "is what was compiled, or what a node runs, the policy?");
    command->add_option("FOLDER", options->request.bundle, "what `polecat compile` wrote")
        ->required();
    command->add_option("MANIFESTS", options->paths,
                        "files or folders with the policy that nodes are held to; without them, "
                        "whether it is whole");
    add_input_options(*command, options->input);
    command->add_option("--node", options->request.node, "one node; all when absent");
    command
        ->add_option("--target", options->target,
                     "nftables, iptables or bpf: what it was compiled for; of a bundle what nodes "
                     "make of it, nftables when absent")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf"}));
    command->add_option(
        "--rules", options->request.rules,
        "what the node of --node runs (`nft -nn list ruleset`), in place of the file that "
        "was written for it; tables of others are looked at as well; "
        "iptables: a folder with rules.v4, rules.v6 and sets.ipset as iptables-save, "
        "ip6tables-save and `ipset save` list them; bpf: such a folder with tables.bpf, or that "
        "file where there are no host endpoints");
    command->add_option("--key", options->request.key,
                        "a file with the public key that a bundle must be signed with");
    command->add_flag("--prove", options->request.prove,
                      "have Z3 prove each program of each node equal to the policy's");
    command->add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    command->footer(
        "Exit codes: 0 every node has the policy, 1 some differ or endpoints are closed "
        "(PC5004), 2 something could not be read, said by rules or compared.\n"
        "Examples:\n"
        "  polecat verify compiled manifests/\n"
        "  polecat verify compiled\n"
        "  nft -nn list ruleset > held.nft\n"
        "  polecat verify compiled manifests/ --node node1 --rules held.nft\n"
        "  polecat verify bundle manifests/ --target iptables\n"
        "  polecat verify bundle manifests/ --prove --key signing.key.pub");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
