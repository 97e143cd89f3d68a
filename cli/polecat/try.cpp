#include <map>
#include <set>

#include <fmt/format.h>

#include "backends/nftables/nftables.h"
#include "cli/polecat/commands.h"
#include "driver/compile/compilation.h"
#include "driver/input/input.h"
#include "driver/session.h"
#include "frontend/expectation_text.h"
#include "ir/path/path.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/packets.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct TryOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string node;
    std::vector<std::string> ports{"80/TCP", "443/TCP", "53/UDP"};
    bool verbose = false;
};

/// One packet that is to be sent, and what must become of it.
struct Trial {
    runtime::PacketSpec packet;
    std::string question;
    bool allowed = false;
};

const char* const kOutside[] = {"203.0.113.7", "2001:db8::7"};

class Experiment {
  public:
    Experiment(const TryOptions& options, const decision::LoweredCluster& cluster,
               const backends::NodeImage& image, const std::string& node)
        : options_(options), cluster_(cluster), image_(image),
          rules_(Compilation::rules(node, image).rules) {}

    int run() {
        if (const auto entered = runtime::Lab::enter(); !entered)
            return lacking(entered.error());
        runtime::Lab lab;
        if (const auto loaded = runtime::nft_apply(
                nft::replacing(rules_), backends::Generation{}.bits(image_.flow_mark_bit));
            !loaded)
            return lacking(loaded.error());
        if (const auto built = build(lab); !built)
            return lacking(built.error());
        if (!listing_is_equal())
            return kFindings;
        plan();
        for (Trial& trial : trials_)
            if (!lab.send(host_of_.at(trial.packet.source), runtime::make_packet(trial.packet),
                          trial.packet.destination))
                return lacking("a packet could not be sent");
        lab.collect(300);
        return report(lab);
    }

  private:
    static int lacking(const std::string& why) {
        fmt::print(stderr,
                   "polecat: the rules could not be tried on this kernel: {}\n  needed: root or "
                   "user namespaces, nft(8), ip(8), veth links\n",
                   why);
        return kBadInput;
    }

    Result<bool> build(runtime::Lab& lab) {
        std::map<std::string, std::vector<net::Address>> by_interface;
        for (const backends::DispatchEntry& entry : image_.dispatch)
            by_interface[entry.interface].push_back(entry.address);
        for (const char* text : kOutside)
            by_interface["uplink"].push_back(*net::parse_address(text));
        for (const auto& [interface, addresses] : by_interface) {
            const auto host = lab.add_host(interface, addresses);
            if (!host)
                return Error{host.error()};
            for (const net::Address& address : addresses)
                host_of_[address] = *host;
        }
        return true;
    }

    bool listing_is_equal() const {
        const auto listed = runtime::nft_list("polecat");
        const auto parsed =
            listed ? nft::parse(*listed) : Result<nft::Ruleset>(Error{listed.error()});
        const auto read = parsed ? backends::read_back(*parsed)
                                 : Result<backends::NodeImage>(Error{parsed.error()});
        const bool equal = read && *read == image_;
        fmt::print("the kernel's own listing of the rules {}\n",
                   equal ? "reads back as the policy"
                         : "does not read back as the policy: " + (read ? "" : read.error()));
        return equal;
    }

    std::string name_at(const net::Address& address) const {
        const auto& objects = decision::end_of(cluster_.world, address).objects;
        return objects.empty() ? net::to_string(address) : name_of(cluster_, objects.front());
    }

    void plan() {
        std::uint64_t nonce = 1;
        for (const auto& [from, from_host] : host_of_)
            for (const auto& [to, to_host] : host_of_)
                for (const std::string& port : options_.ports) {
                    if (from.family != to.family || from_host == to_host)
                        continue;
                    const auto traffic = frontend::parse_port(port);
                    Trial trial;
                    trial.packet.source = from;
                    trial.packet.destination = to;
                    trial.packet.protocol = traffic->protocol;
                    trial.packet.destination_port = *traffic->port;
                    trial.packet.source_port = static_cast<std::uint16_t>(40000 + nonce % 20000);
                    trial.packet.nonce = nonce++;
                    trial.question = fmt::format("{} -> {} {}", name_at(from), name_at(to), port);
                    trial.allowed = predicted(trial.packet);
                    trials_.push_back(std::move(trial));
                }
    }

    bool predicted(const runtime::PacketSpec& packet) const {
        ir::PathQuery query;
        query.source.address = packet.source;
        query.destination.address = packet.destination;
        query.route = ir::Route::Wire;
        query.packet.protocol = packet.protocol;
        query.packet.source_port = packet.source_port;
        query.packet.destination_port = packet.destination_port;
        return ir::judge_flow(cluster_, query).verdict == decision::Verdict::Allow;
    }

    int report(const runtime::Lab& lab) const {
        std::size_t wrong = 0, allowed = 0;
        for (const Trial& trial : trials_) {
            const bool arrived =
                lab.has_seen(host_of_.at(trial.packet.destination), trial.packet.nonce);
            allowed += arrived ? 1 : 0;
            wrong += arrived == trial.allowed ? 0 : 1;
            if (arrived != trial.allowed || options_.verbose)
                fmt::print("{} {}: predicted {}, the packet {}\n",
                           arrived == trial.allowed ? "  " : "! ", trial.question,
                           trial.allowed ? "allow" : "deny", arrived ? "arrived" : "was dropped");
        }
        fmt::print("{} sent, {} arrived, {} dropped: {}\n", counted(trials_.size(), "packet"),
                   allowed, trials_.size() - allowed,
                   wrong == 0 ? "every verdict as predicted"
                              : fmt::format("{} not as predicted", wrong));
        return wrong == 0 ? kGood : kFindings;
    }

    const TryOptions& options_;
    const decision::LoweredCluster& cluster_;
    const backends::NodeImage& image_;
    nft::Ruleset rules_;
    std::map<net::Address, std::size_t> host_of_;
    std::vector<Trial> trials_;
};

int run(const TryOptions& options) {
    for (const std::string& port : options.ports)
        if (const auto parsed = frontend::parse_port(port); !parsed)
            throw CLI::ValidationError(parsed.error());
    Input input = read_input(options.paths, options.input);
    if (print_errors(input, false))
        return kBadInput;
    diag::Diagnostics diagnostics;
    Session session(input);
    const decision::LoweredCluster& cluster = session.cluster();
    std::string node = options.node;
    for (const decision::Endpoint& endpoint : cluster.endpoints)
        if (node.empty())
            node = endpoint.node;
    const auto image = Compilation(cluster, input.sources).image(node, diagnostics);
    fmt::print(stderr, "{}",
               diag::render_text(diagnostics.list(), input.sources, {colour_on(true)}));
    if (!image)
        return kFindings;
    if (image->dispatch.empty()) {
        fmt::print(stderr, "polecat: no pod with an address is on a node, so there is nothing to "
                           "try\n");
        return kBadInput;
    }
    fmt::print("node {}: {} in network namespaces of their own\n", node,
               counted(image->dispatch.size(), "endpoint"));
    return Experiment(options, cluster, *image, node).run();
}

} // namespace

void add_try(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<TryOptions>();
    CLI::App* command = app.add_subcommand(
        "try", "load the compiled rules in network namespaces and send real packets");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("--node", options->node, "the node whose pods are tried; the first");
    command->add_option("-p,--port", options->ports, "what is sent from each end to each");
    command->add_flag("-v,--verbose", options->verbose, "show every packet");
    command->footer("Nothing outside of new namespaces is touched: not this host's network, not "
                    "its rules.\nExamples:\n  polecat try manifests/\n"
                    "  polecat try manifests/ -p 5432/TCP -p 53/UDP -v");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
