#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/commands.h"
#include "driver/input/unread.h"
#include "driver/which/which.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

using decision::Hook;
using nlohmann::json;

struct WhichOptions {
    std::string what, selector, space;
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
};

constexpr std::string_view kPolicy = "policy:";

class WhichPrinter {
  public:
    WhichPrinter(bool as_json, const Sources& sources, const decision::LoweredCluster& cluster)
        : json_(as_json), sources_(sources), cluster_(cluster) {}

    void print(const std::vector<SelectedEndpoints>& all) const {
        json out = json::array();
        for (const SelectedEndpoints& each : all) {
            if (json_) {
                json entry{{"selects", each.title}, {"endpoints", each.endpoints}};
                if (each.span.known())
                    entry["at"] = sources_.describe(each.span);
                out.push_back(std::move(entry));
                continue;
            }
            fmt::print("{}: {} of {}{}\n", each.title, each.endpoints.size(),
                       counted(cluster_.endpoints.size(), "endpoint"), place(each.span));
            for (const std::string& name : each.endpoints)
                fmt::print("  {}\n", name);
        }
        if (json_)
            print(out);
    }

    void print(const Governed& governed) const {
        if (json_) {
            json out = json::array();
            for (const GoverningPolicies& part : governed.by)
                out.push_back(json_of(part));
            return print(out);
        }
        fmt::print("{}\n", name_of(cluster_, governed.endpoint));
        for (const GoverningPolicies& part : governed.by)
            print_part(part, governed.is_host_endpoint);
        if (governed.by.empty())
            print_ungoverned(governed);
    }

  private:
    static void print_ungoverned(const Governed& governed) {
        if (!governed.on_host_network)
            return fmt::print("  no policy governs it: it has no address\n");
        std::vector<std::string> hosts;
        for (const std::string& each : governed.hosts)
            hosts.push_back("hep:" + each);
        fmt::print("  it shares its node's network: {}\n",
                   hosts.empty()
                       ? "no policy governs it"
                       : fmt::format("the policies of {} govern it", fmt::join(hosts, ", ")));
    }

    json json_of(const GoverningPolicies& part) const {
        json policies = json::array();
        for (const decision::PolicyBlock& block : part.policies) {
            json entry{{"tier", block.tier},
                       {"policy", policy::to_string(block.policy)},
                       {"staged", block.staged},
                       {"unread", block.unread},
                       {"has_rules", block.count != 0}};
            if (block.order)
                entry["order"] = *block.order;
            if (block.span.known())
                entry["at"] = sources_.describe(block.span);
            policies.push_back(std::move(entry));
        }
        return json{{"direction", decision::to_string(part.direction)},
                    {"hook", decision::to_string(part.hook)},
                    {"policies", std::move(policies)}};
    }

    /// What becomes of packets that no policy of the hook is for.
    static const char* without_policy(Hook hook, bool is_host) {
        if (hook == Hook::Forward)
            return "what is forwarded passes";
        if (hook != Hook::Normal)
            return "packets go on to the other policies";
        return is_host ? "its profiles decide (without any all is denied but failsafe ports)"
                       : "profiles decide (those of a namespace allow all, and without any all is "
                         "denied)";
    }

    void print_part(const GoverningPolicies& part, bool is_host) const {
        fmt::print(
            "  {}{}\n", decision::to_string(part.direction),
            part.hook == Hook::Normal ? "" : fmt::format(" ({})", decision::to_string(part.hook)));
        std::size_t number = 0;
        for (const decision::PolicyBlock& each : part.policies)
            fmt::print("    {}. tier {}, {}: {}{}{}{}{}\n", ++number, each.tier,
                       each.order ? fmt::format("order {}", *each.order) : "no order",
                       policy::to_string(each.policy), each.staged ? " (staged: not enforced)" : "",
                       each.unread ? " (could not be read: it may govern)" : "",
                       each.count != 0 ? "" : " (no rule in this direction)", place(each.span));
        if (number == 0)
            fmt::print("    no policy: {}\n", without_policy(part.hook, is_host));
    }

    std::string place(const Span& span) const {
        return span.known() ? "   (" + sources_.describe(span) + ")" : "";
    }
    static void print(const json& out) {
        fmt::print("{}\n", out.dump(1, ' ', false, json::error_handler_t::replace));
    }

    bool json_;
    const Sources& sources_;
    const decision::LoweredCluster& cluster_;
};

int run(const WhichOptions& options) {
    if (options.what.empty() == options.selector.empty())
        throw CLI::ValidationError("name an endpoint, policy:NAME, or give a --selector");
    const Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    const passes::Lowered lowered = passes::lower(input.cluster);
    const decision::LoweredCluster& cluster = lowered.cluster;
    tell_unread(input, endpoints_in_doubt(input, cluster));
    const WhichPrinter printer(options.format == "json", input.sources, cluster);
    if (!options.selector.empty())
        printer.print(std::vector{value_or_usage(
            endpoints_of_selector(cluster, options.selector, options.space), "--selector: ")});
    else if (options.what.starts_with(kPolicy))
        printer.print(
            value_or_usage(endpoints_of_policy(lowered, options.what.substr(kPolicy.size()))));
    else
        printer.print(value_or_usage(policies_of_endpoint(cluster, options.what)));
    return kGood;
}

} // namespace

void add_which(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<WhichOptions>();
    CLI::App* command = app.add_subcommand(
        "which", "which policies govern an endpoint; which endpoints does a policy select?");
    command->add_option("WHAT", options->what,
                        "an endpoint (NAMESPACE/NAME, KIND:NAMESPACE/NAME, hep:NAME), or "
                        "policy:NAMESPACE/NAME, policy:NAME");
    command->add_option("--selector", options->selector,
                        "a selector in Calico's language: the endpoints it selects");
    command
        ->add_option("--in-namespace", options->space,
                     "with --selector: only endpoints of this namespace")
        ->needs("--selector");
    command->add_option("-f,--files", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    command->footer(
        "Examples:\n"
        "  polecat which shop/web -f manifests/\n"
        "  polecat which policy:shop/default-deny -f manifests/\n"
        "  polecat which --selector \"app == 'web'\" --in-namespace shop -f manifests/");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
