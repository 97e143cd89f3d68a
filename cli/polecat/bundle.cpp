#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "backends/bundle/pack.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "cli/polecat/bundle/refused.h"
#include "cli/polecat/commands.h"
#include "driver/bundle/changes.h"
#include "driver/bundle/folder.h"
#include "driver/bundle/nodes.h"
#include "driver/compile/compilation.h"
#include "driver/compile/folder.h"
#include "driver/compile/folder_kind.h"
#include "driver/compile/unfinished.h"
#include "driver/input/input.h"
#include "support/diag/render.h"
#include "support/json_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct BundleOptions {
    std::string bundle, other, key, node;
    std::string target = "nftables", out = "compiled", base, format = "text";
    backends::NodeOptions node_options;
    std::optional<unsigned> flow_mark_bit;
};

int told(diag::Diagnostics& diagnostics, const Sources& sources = {}) {
    diagnostics.sort();
    fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), sources, {colour_on(true)}));
    return diagnostics.has_errors() ? kFindings : kGood;
}

std::string signature_text(const OpenBundle& opened) {
    return opened.signature ? "ed25519 " + opened.signature->public_key : "none";
}

// --- show ---------------------------------------------------------------------------------------

struct Sum {
    std::size_t parts = 0;
    std::uint64_t bytes = 0;
};

std::map<bundle::PartKind, Sum> sums_of(const bundle::Manifest& manifest) {
    std::map<bundle::PartKind, Sum> out;
    for (const bundle::PartEntry& each : manifest.parts) {
        ++out[each.kind].parts;
        out[each.kind].bytes += each.size;
    }
    return out;
}

void report_no_node(const std::string& node, const std::vector<std::string>& nodes,
                    diag::Diagnostics& diagnostics) {
    diagnostics.report(diag::Code::NoSuchNode, Span{}, {node})
        .with_hint("nodes with endpoints: " + (nodes.empty() ? "none" : listed(nodes, 10)));
}

void show_node(const OpenBundle& opened, const std::string& name) {
    const bundle::NodeRecord node = opened.bundle.node(name);
    for (const bundle::EndpointRecord& each : node.endpoints) {
        std::string addresses;
        for (const net::Address& address : each.addresses)
            addresses += " " + net::to_string(address);
        fmt::print("{}  {}{}\n", each.name, each.interface_name.empty() ? "-" : each.interface_name,
                   addresses);
        for (const auto& [key, part] : node.groups[each.group].programs)
            fmt::print("  {} {} IPv{}  program {}\n", decision::to_string(key.direction),
                       decision::to_string(key.hook), key.family == net::Family::V4 ? 4 : 6,
                       bundle::hex(part.program).substr(0, 12));
    }
}

int show(const BundleOptions& options) {
    const OpenBundle opened = open_bundle(options.bundle);
    const bundle::Manifest& manifest = opened.bundle.manifest();
    const std::vector<std::string> nodes = opened.bundle.nodes();
    if (!options.node.empty()) {
        if (options.format != "text")
            throw CLI::ValidationError("--node", "what a node has is shown as text");
        diag::Diagnostics diagnostics;
        if (std::count(nodes.begin(), nodes.end(), options.node) == 0)
            report_no_node(options.node, nodes, diagnostics);
        else
            show_node(opened, options.node);
        return told(diagnostics);
    }
    if (options.format == "json") {
        nlohmann::json parts = nlohmann::json::object();
        for (const auto& [kind, sum] : sums_of(manifest))
            parts[std::string(to_string(kind))] = {{"parts", sum.parts}, {"bytes", sum.bytes}};
        fmt::print("{}", json_text(nlohmann::json{{"format", manifest.version},
                                                  {"compiler", manifest.compiler},
                                                  {"meaning", bundle::hex(manifest.meaning())},
                                                  {"signature", signature_text(opened)},
                                                  {"parts", parts},
                                                  {"nodes", nodes}}));
        return kGood;
    }
    fmt::print("format     {}\ncompiler   {}\nmeaning    {}\nsignature  {}\n", manifest.version,
               manifest.compiler, bundle::hex(manifest.meaning()), signature_text(opened));
    for (const auto& [kind, sum] : sums_of(manifest))
        fmt::print("{:<10} {}, {} bytes\n", to_string(kind), counted(sum.parts, "part"),
                   grouped_digits(sum.bytes));
    fmt::print("nodes      {}\n", nodes.empty() ? "none" : listed(nodes, 10));
    return kGood;
}

// --- extract ------------------------------------------------------------------------------------

/// Options that this target has, and a folder that is of no other.
void settle_folders(const BundleOptions& options) {
    if (options.target != "nftables" &&
        (options.node_options.report_group || options.flow_mark_bit))
        throw CLI::ValidationError("--target",
                                   "--log-denied and --flow-mark-bit are of nftables only");
    if (options.target == "iptables" && !options.base.empty())
        throw CLI::ValidationError("--base", "iptables has no numbers to keep");
    if (const std::string why = unfit(options.out, kind_of_target(options.target), true);
        !why.empty())
        throw CLI::ValidationError("--out", why);
}

backends::NodeOptions node_options(const BundleOptions& options) {
    return {options.node_options.report_group, flow_mark_bit(options.flow_mark_bit, options.base)};
}

class Extractor {
  public:
    Extractor(const BundleOptions& options, const bundle::Bundle& bundle)
        : options_(options), bundle_(bundle),
          node_(bundle, {options.node}, base(), node_options(options)) {
        const std::vector<std::string> nodes = bundle.nodes();
        const auto& known = node_.cluster().nodes;
        if (std::count(nodes.begin(), nodes.end(), options.node) == 0 &&
            std::none_of(known.begin(), known.end(),
                         [&](const auto& each) { return each.name == options.node; }))
            report_no_node(options.node, nodes, diagnostics_);
    }

    int run() {
        if (diagnostics_.has_errors())
            return told(diagnostics_);
        Compilation& compiled = node_.compiled();
        if (options_.target == "iptables") {
            if (const auto image = compiled.filter_image(options_.node, diagnostics_))
                write(compiled.files(options_.node, *image), kHooksFile, iptables::filter_hooks());
        } else if (const auto image = compiled.image(options_.node, diagnostics_)) {
            if (options_.target == "nftables")
                write_numbered(compiled.files(options_.node, *image), kGenerationsFile,
                               backends::free_generations(node_options(options_).flow_mark_bit));
            else if (const auto files = compiled.table_files(options_.node, *image, diagnostics_))
                write_numbered(*files, kHooksFile, iptables::filter_hooks());
        }
        return told(diagnostics_, node_.sources());
    }

  private:
    backends::Numbers base() const {
        return options_.base.empty() ? backends::Numbers{}
                                     : value_or_usage(numbers_in(options_.base), "--base: ");
    }

    /// The node knows identities as far as its own programs ask. They are found before anything is
    /// written, as that reads all of the bundle.
    void write_numbered(const NodeFiles& files, const char* common, const std::string& text) {
        backends::Numbers numbers = bundle::base_of(bundle_.all()).identities;
        numbers.programs = node_.compiled().numbers().programs;
        write(files, common, text);
        write(kNumbersFile, backends::print(numbers));
    }

    void write(const NodeFiles& files, const char* common, const std::string& text) {
        const auto unfinished = UnfinishedNodes::begin(options_.out, {options_.node});
        if (!unfinished)
            return report_unwritten(kUnfinishedFile, unfinished.error());
        write(common, text);
        remove_former(options_.out, options_.node, files.texts);
        for (const auto& [name, of_node] : files.texts)
            write("nodes/" + options_.node + "/" + name, of_node);
        finish(*unfinished);
        if (!diagnostics_.has_errors())
            fmt::print("{}: {}, reads back equal -> {}/nodes/{}\n", options_.node, files.summary(),
                       options_.out, options_.node);
    }

    void finish(UnfinishedNodes unfinished) {
        if (diagnostics_.has_errors())
            return;
        unfinished.written(options_.node);
        if (const auto done = unfinished.write(); !done)
            report_unwritten(kUnfinishedFile, done.error());
    }

    void write(const std::string& path, const std::string& text) {
        if (const auto done = write_in_folder(options_.out, path, text); !done)
            report_unwritten(path, done.error());
    }
    void report_unwritten(const std::string& path, const std::string& why) {
        diagnostics_.report(diag::Code::UnreadableFile, Span{}, {options_.out + "/" + path, why});
    }

    const BundleOptions& options_;
    const bundle::Bundle& bundle_;
    BundleNodes node_;
    diag::Diagnostics diagnostics_;
};

// --- sign, verify -------------------------------------------------------------------------------

int key_refused(const std::string& file, const std::string& why) {
    diag::Diagnostics diagnostics;
    diagnostics.report(diag::Code::BundleKey, Span{}, {file, why});
    told(diagnostics);
    return kBadInput;
}

int keygen(const BundleOptions& options) {
    const auto made = make_key(options.out);
    if (!made)
        return key_refused(options.out, made.error());
    fmt::print("{} (private), {}.pub: {}\n", options.out, options.out, *made);
    return kGood;
}

/// What is not whole is not signed.
int sign(const BundleOptions& options) {
    const auto key = read_key(options.key);
    if (!key)
        return key_refused(options.key, key.error());
    const OpenBundle opened = open_bundle(options.bundle);
    opened.bundle.all();
    const auto signature = bundle::sign(opened.manifest, *key);
    if (!signature)
        return key_refused(options.key, signature.error());
    if (const auto done = write_signature(options.bundle, *signature); !done)
        throw bundle::Refused{bundle::Refused::Fault::Signature, done.error()};
    fmt::print("signed with {}\n", signature->public_key);
    return kGood;
}

int verify_bundle(const BundleOptions& options) {
    const OpenBundle opened = open_bundle(options.bundle, options.key);
    opened.bundle.all();
    fmt::print("whole: {}, {}{}\n", counted(opened.bundle.manifest().parts.size(), "part"),
               opened.signature ? "signed with " + opened.signature->public_key : "not signed",
               opened.signature && options.key.empty()
                   ? " (no --key says whether that is whom you trust)"
                   : "");
    return kGood;
}

// --- diff ---------------------------------------------------------------------------------------

void print_changes(const char* what, const ComeAndGone& of) {
    constexpr std::size_t kShown = 5;
    const auto print = [&](const char* how, const std::vector<std::string>& names) {
        if (!names.empty())
            fmt::print("{} {}: {} ({})\n", what, how, names.size(), listed(names, kShown));
    };
    print("come", of.come);
    print("gone", of.gone);
    print("changed", of.changed);
}

int diff(const BundleOptions& options) {
    const bundle::Contents before = open_bundle(options.bundle, options.key).bundle.all();
    return of_bundle(options.other, [&] {
        const BundleChanges found =
            changes(before, open_bundle(options.other, options.key).bundle.all());
        print_changes("nodes", found.nodes);
        print_changes("endpoints", found.endpoints);
        print_changes("programs", found.programs);
        print_changes("predicates", found.predicates);
        print_changes("addresses", found.addresses);
        for (const auto& [changed, what] :
             {std::pair(found.settings, "settings"), std::pair(found.ranges, "ranges of addresses"),
              std::pair(found.places, "places in the manifests")})
            if (changed)
                fmt::print("{} changed\n", what);
        if (found.empty())
            fmt::print("nothing differs\n");
        return kGood;
    });
}

} // namespace

void add_bundle(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<BundleOptions>();
    CLI::App* command = app.add_subcommand("bundle", "look at, sign and take apart bundles");
    command->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, const auto& run) {
        CLI::App* each = command->add_subcommand(name, what);
        each->add_option("BUNDLE", options->bundle, "folder of `polecat compile --target bundle`")
            ->required();
        each->callback([options, &exit_code, run] {
            exit_code = of_bundle(options->bundle, [&] { return run(*options); });
        });
        return each;
    };
    CLI::App* shown = add("show", "what a bundle has", show);
    shown->add_option("--node", options->node, "the endpoints of a node instead");
    shown->add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    CLI::App* extract =
        add("extract", "what a node loads, from the bundle alone", [](const BundleOptions& of) {
            settle_folders(of);
            const OpenBundle opened = open_bundle(of.bundle, of.key);
            return Extractor(of, opened.bundle).run();
        });
    extract->add_option("--node", options->node, "the node")->required();
    extract->add_option("--target", options->target, "nftables, iptables or bpf")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf"}));
    extract->add_option("-o,--out", options->out,
                        "folder that is written to; `compiled` when absent");
    extract->add_option("--base", options->base,
                        "folder of an earlier extract: what is still there keeps its numbers");
    const auto names_file = [](const std::string& file) {
        return std::string(file.empty() ? "names no file" : "");
    };
    extract->add_option("--key", options->key, "file of the public key that must have signed it")
        ->check(names_file);
    extract->add_option("--log-denied", options->node_options.report_group,
                        "a group of nfnetlink_log that is told what is denied and by which rule");
    extract->add_option("--flow-mark-bit", options->flow_mark_bit, "as `polecat compile` has it")
        ->check(CLI::Range(0u, backends::kLastFlowMarkBit));
    CLI::App* signs = add("sign", "sign a bundle, if it is whole", sign);
    signs->add_option("--key", options->key, "file of the private key")->required();
    CLI::App* verified = add("verify", "is a bundle whole, and signed by whom?", verify_bundle);
    verified->add_option("--key", options->key, "file of the public key that must have signed it")
        ->check(names_file);
    CLI::App* differs = add("diff", "what differs between two bundles", diff);
    differs->add_option("OTHER", options->other, "the later bundle")->required();
    differs->add_option("--key", options->key, "file of the public key that must have signed both")
        ->check(names_file);
    CLI::App* key = command->add_subcommand("keygen", "make a key to sign with");
    key->add_option("-o,--out", options->out, "file of the private key; FILE.pub is the public one")
        ->required();
    key->callback([options, &exit_code] { exit_code = keygen(*options); });
    command->footer("Examples:\n"
                    "  polecat compile manifests/ --target bundle -o bundle\n"
                    "  polecat bundle keygen -o signing.key\n"
                    "  polecat bundle sign bundle --key signing.key\n"
                    "  polecat bundle extract bundle --node node1 --key signing.key.pub -o node1\n"
                    "  polecat bundle diff before after");
}

} // namespace polecat::cli
