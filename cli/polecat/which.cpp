#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/expectations/names.h"
#include "cli/polecat/commands.h"
#include "driver/input/input.h"
#include "driver/input/unread.h"
#include "frontend/expectation_text.h"
#include "frontend/selector/parse.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::cli {

namespace {

using decision::Direction;
using decision::Hook;
using nlohmann::json;

struct WhichOptions {
    std::string what, selector, space;
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
};

constexpr std::string_view kPolicy = "policy:";

class Which {
  public:
    Which(const WhichOptions& options, const Input& input, const decision::LoweredCluster& cluster)
        : options_(options), input_(input), cluster_(cluster) {}

    int run() {
        if (!options_.selector.empty())
            print_selected(selected_by_text());
        else if (options_.what.starts_with(kPolicy))
            print_selected(selected_by_policies());
        else
            print_policies();
        return kGood;
    }

  private:
    /// A selector and what it selects.
    struct Selected {
        std::string title;
        Span span;
        std::vector<std::string> endpoints;
    };

    std::vector<std::string> endpoints_of(const selector::Selector& selector) const {
        std::vector<std::string> out;
        for (const decision::Endpoint& endpoint : cluster_.endpoints) {
            const decision::Object& object = cluster_.world.object(endpoint.object);
            if (object.selectable && selector.matches(object.labels))
                out.push_back(name_of(cluster_, endpoint.object));
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    std::vector<Selected> selected_by_text() const {
        frontend::SelectorError error;
        const auto parsed = frontend::parse_selector(options_.selector, &error);
        if (!parsed)
            throw CLI::ValidationError("--selector: " + error.message);
        if (options_.space.empty())
            return {{options_.selector, {}, endpoints_of(*parsed)}};
        const auto space =
            selector::Selector::equal(std::string(policy::kNamespaceLabel), options_.space);
        return {{options_.selector + " in namespace " + options_.space,
                 {},
                 endpoints_of(selector::Selector::all_of({*parsed, space}))}};
    }

    /// Policies of that name, of any kind.
    std::vector<Selected> selected_by_policies() const {
        const std::string name = options_.what.substr(kPolicy.size());
        const auto ordered = passes::order_policies(input_.cluster);
        std::vector<Selected> out;
        std::vector<std::string> names;
        for (const policy::OrderedTier& tier : ordered.tiers)
            for (const policy::Policy* each : tier.policies) {
                const auto& meta = each->meta;
                names.push_back(full_name(meta));
                if (names.back() == name)
                    out.push_back(
                        {fmt::format("{} {} (tier {})", each->manifest_kind, name, tier.name),
                         meta.span, endpoints_of(policy::subject_of(*each))});
            }
        if (!out.empty())
            return out;
        const std::vector<std::string_view> known(names.begin(), names.end());
        const auto near = diag::nearest(name, known);
        throw CLI::ValidationError(
            fmt::format("there is no policy `{}`{}", name,
                        near ? fmt::format("; did you mean `{}`?", *near) : ""));
    }

    void print_selected(const std::vector<Selected>& all) const {
        json out = json::array();
        for (const Selected& each : all) {
            if (options_.format == "json") {
                json entry{{"selects", each.title}, {"endpoints", each.endpoints}};
                if (each.span.known())
                    entry["at"] = input_.sources.describe(each.span);
                out.push_back(std::move(entry));
                continue;
            }
            fmt::print("{}: {} of {}{}\n", each.title, each.endpoints.size(),
                       counted(cluster_.endpoints.size(), "endpoint"), place(each.span));
            for (const std::string& name : each.endpoints)
                fmt::print("  {}\n", name);
        }
        if (options_.format == "json")
            print(out);
    }

    void print_policies() const {
        const auto name = frontend::parse_end(options_.what);
        if (!name)
            throw CLI::ValidationError(name.error());
        const auto object = analyzer::find_object(cluster_, *name);
        if (!object)
            throw CLI::ValidationError(object.error() +
                                       "; for the endpoints of a policy write policy:NAME");
        json out = json::array();
        for (const Hook hook : {Hook::Normal, Hook::Forward, Hook::PreDnat, Hook::Untracked})
            for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
                const auto* program = cluster_.find(*object, direction, hook, net::Family::V4);
                if (program == nullptr)
                    program = cluster_.find(*object, direction, hook, net::Family::V6);
                if (program != nullptr)
                    out.push_back(policies_of(*program, direction, hook));
            }
        if (options_.format == "json")
            return print(out);
        fmt::print("{}\n", name_of(cluster_, *object));
        const decision::Endpoint* endpoint = cluster_.endpoint_of(*object);
        const bool is_host = endpoint != nullptr && endpoint->is_host_endpoint;
        for (const json& part : out)
            print_part(part, is_host);
        if (out.empty())
            print_ungoverned(*object);
    }

    void print_ungoverned(decision::ObjectId object) const {
        const decision::Endpoint* endpoint = cluster_.endpoint_of(object);
        if (endpoint == nullptr || !endpoint->host_network) {
            fmt::print("  no policy governs it: it has no address\n");
            return;
        }
        std::vector<std::string> hosts;
        for (const auto& [name, id] : cluster_.host_endpoints_by_name)
            if (cluster_.endpoint_of(id)->node == endpoint->node)
                hosts.push_back("hep:" + name);
        fmt::print("  it shares its node's network: {}\n",
                   hosts.empty()
                       ? "no policy governs it"
                       : fmt::format("the policies of {} govern it", fmt::join(hosts, ", ")));
    }

    json policies_of(const decision::GroupProgram& program, Direction direction, Hook hook) const {
        json policies = json::array();
        for (const decision::PolicyBlock& block : program.slots.policies()) {
            json entry{{"tier", block.tier},
                       {"policy", policy::to_string(block.policy)},
                       {"staged", block.staged},
                       {"unread", block.unread},
                       {"has_rules", block.count != 0}};
            if (block.order)
                entry["order"] = *block.order;
            if (block.span.known())
                entry["at"] = input_.sources.describe(block.span);
            policies.push_back(std::move(entry));
        }
        return json{{"direction", decision::to_string(direction)},
                    {"hook", decision::to_string(hook)},
                    {"policies", std::move(policies)}};
    }

    /// What becomes of packets that no policy of the hook is for.
    static const char* without_policy(const std::string& hook, bool is_host) {
        if (hook == decision::to_string(Hook::Forward))
            return "what is forwarded passes";
        if (hook != decision::to_string(Hook::Normal))
            return "packets go on to the other policies";
        return is_host ? "its profiles decide (without any all is denied but failsafe ports)"
                       : "profiles decide (those of a namespace allow all, and without any all is "
                         "denied)";
    }

    static void print_part(const json& part, bool is_host) {
        const std::string hook = part["hook"];
        fmt::print("  {}{}\n", part["direction"].get<std::string>(),
                   hook == decision::to_string(Hook::Normal) ? "" : " (" + hook + ")");
        std::size_t number = 0;
        for (const json& each : part["policies"])
            fmt::print("    {}. tier {}, {}: {}{}{}{}{}\n", ++number,
                       each["tier"].get<std::string>(),
                       each.contains("order") ? fmt::format("order {}", each["order"].get<double>())
                                              : "no order",
                       each["policy"].get<std::string>(),
                       each["staged"].get<bool>() ? " (staged: not enforced)" : "",
                       each["unread"].get<bool>() ? " (could not be read: it may govern)" : "",
                       each["has_rules"].get<bool>() ? "" : " (no rule in this direction)",
                       each.contains("at") ? "   (" + each["at"].get<std::string>() + ")" : "");
        if (number == 0)
            fmt::print("    no policy: {}\n", without_policy(hook, is_host));
    }

    std::string place(const Span& span) const {
        return span.known() ? "   (" + input_.sources.describe(span) + ")" : "";
    }
    static void print(const json& out) {
        fmt::print("{}\n", out.dump(1, ' ', false, json::error_handler_t::replace));
    }

    const WhichOptions& options_;
    const Input& input_;
    const decision::LoweredCluster& cluster_;
};

int run(const WhichOptions& options) {
    if (options.what.empty() == options.selector.empty())
        throw CLI::ValidationError("name an endpoint, policy:NAME, or give a --selector");
    const Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    diag::Diagnostics diagnostics;
    const auto cluster = passes::lower(input.cluster, diagnostics);
    tell_unread(input, endpoints_in_doubt(input, cluster));
    return Which(options, input, cluster).run();
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
