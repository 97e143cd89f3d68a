#include <fmt/format.h>

#include "analyzer/expectations/names.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/reach/ask_print.h"
#include "cli/polecat/reach/print.h"
#include "driver/input/unread.h"
#include "driver/reach/questions.h"
#include "driver/session.h"
#include "frontend/expectation_text.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct ReachOptions {
    std::string from, to;
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::vector<std::string> ports;
    std::string protocol, icmp, http;
    int source_port = -1;
    std::string format = "text";
    std::string unknown_address = "depends";
    bool all_rules = false, suggest = false;
};

/// What is asked about; without any option, every protocol and port.
std::vector<expectation::Traffic> traffic_of(const ReachOptions& options) {
    std::vector<expectation::Traffic> out;
    for (const std::string& port : options.ports)
        out.push_back(value_or_usage(frontend::parse_port(port)));
    if (!options.protocol.empty()) {
        const auto protocol = value_or_usage(frontend::parse_protocol(options.protocol));
        if (options.icmp.empty())
            out.push_back(expectation::Traffic{protocol, {}, {}, {}});
        else
            out.push_back(value_or_usage(frontend::parse_icmp(options.icmp, protocol)));
    } else if (!options.icmp.empty()) {
        out.push_back(value_or_usage(frontend::parse_icmp(options.icmp, net::kIcmp)));
    }
    return out;
}

decision::Flow packet_of(const ReachOptions& options, const expectation::Traffic& traffic) {
    decision::Flow flow;
    flow.protocol = traffic.protocol;
    flow.destination_port = traffic.port;
    flow.icmp_type = traffic.icmp_type;
    flow.icmp_code = traffic.icmp_code;
    if (options.source_port >= 0)
        flow.source_port = static_cast<std::uint16_t>(options.source_port);
    if (!options.http.empty()) {
        const std::size_t space = options.http.find(' ');
        if (space == std::string::npos)
            wrong_usage("--http takes METHOD and path: --http 'GET /cart'");
        flow.http =
            decision::Flow::Http{options.http.substr(0, space), options.http.substr(space + 1)};
    }
    return flow;
}

/// `any`, or a range of addresses.
bool is_open(const std::string& end) {
    if (end == "any")
        return true;
    const auto name = value_or_usage(frontend::parse_end(end));
    return name.kind == expectation::EndName::Kind::Addresses &&
           name.range.first != name.range.last;
}

int ask(const ReachOptions& options, const std::vector<expectation::Traffic>& traffic,
        Session& session) {
    if (!options.http.empty())
        wrong_usage("--http takes both ends and a port");
    if (options.source_port >= 0 && traffic.empty())
        wrong_usage("--source-port takes a --port or --protocol");
    if (options.from.starts_with("service:"))
        wrong_usage("a service sends nothing: name the pods behind it as FROM");
    Asked asked{options.from, options.to, traffic, {}, options.all_rules};
    if (options.source_port >= 0)
        asked.source_port = static_cast<std::uint16_t>(options.source_port);
    const auto questions = value_or_usage(questions_of(session.cluster(), asked));
    Hanging hanging;
    const std::string text = options.format == "json" ? answer_json(session, questions, hanging)
                                                      : answer_text(session, questions, hanging);
    tell_unread(session.input(), hanging);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return kGood;
}

int run(const ReachOptions& options) {
    const auto traffic = traffic_of(options);
    const bool open = is_open(options.from) || is_open(options.to);
    Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    Session session(input, lower_options(options.unknown_address));
    const decision::LoweredCluster& cluster = session.cluster();
    if (options.suggest && (open || traffic.empty()))
        wrong_usage("--suggest takes both ends and a --port or --protocol");
    if (open || (traffic.empty() && options.all_rules))
        return ask(options, traffic, session);
    const auto from = value_or_usage(frontend::parse_end(options.from));
    const auto to = value_or_usage(frontend::parse_end(options.to));
    ir::PathQuery query;
    query.source = value_or_usage(analyzer::find_end(cluster, from));
    query.destination = value_or_usage(analyzer::find_end(cluster, to));
    if (!query.source.service.empty())
        wrong_usage("a service sends nothing: name the pods behind it as FROM");
    query.route = ir::Route::Wire;
    const ReachPrinter printer(cluster, input.sources, options.from, options.to, options.all_rules,
                               session.routes());
    if (traffic.empty()) {
        const Hanging hanging = hanging_of(session, query);
        tell_unread(input, hanging);
        const auto found = value_or_usage(everything_between(session, query));
        fmt::print("{}",
                   options.format == "json"
                       ? printer.summary_json(found, unread_lines(input, hanging), hanging.some > 0)
                       : printer.summary_text(found));
        return kGood;
    }
    std::vector<ReachAnswer> answers;
    for (const expectation::Traffic& each : traffic) {
        query.packet = packet_of(options, each);
        answers.push_back(answer_of(session, query, each));
        if (options.suggest && answers.back().verdict.verdict != decision::Verdict::Allow)
            answers.back().suggestion = suggest(input.cluster, cluster, session.options(), query);
    }
    Hanging hanging;
    for (const ReachAnswer& each : answers)
        hanging.add(hangs_on_unread(each.verdict.reason));
    tell_unread(input, hanging);
    fmt::print("{}", options.format == "json" ? printer.json(answers, unread_lines(input, hanging))
                                              : printer.text(answers));
    return kGood;
}

} // namespace

void add_reach(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ReachOptions>();
    CLI::App* command = app.add_subcommand(
        "reach", "can FROM reach TO, who can reach TO, what can FROM reach, and which "
                 "rule decides?");
    const char* ends =
        "NAMESPACE/NAME, KIND:NAMESPACE/NAME, hep:NAME, node:NAME, an address or CIDR, or "
        "any";
    command->add_option("FROM", options->from, ends)->required();
    command->add_option("TO", options->to, std::string(ends) + "; also service:NAMESPACE/NAME")
        ->required();
    command->add_option("-f,--files", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("-p,--port", options->ports, "destination port: 80/TCP, 53/UDP");
    command->add_option("--protocol", options->protocol, "a protocol by name or number");
    command->add_option("--icmp", options->icmp, "ICMP type, or type/code: 8/0");
    command->add_option("--source-port", options->source_port, "any when absent")
        ->check(CLI::Range(0, 65535));
    command->add_option("--http", options->http, "a request: 'GET /cart'");
    command->add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    add_unknown_address(*command, options->unknown_address);
    command->add_flag("-e,--explain", options->all_rules,
                      "show every rule that was looked at, not only those that matched");
    command->add_flag("--suggest", options->suggest,
                      "for a flow that is denied or depends, the nearest change of its policies "
                      "that would allow it");
    command->footer(
        "`any` leaves an end open: who can reach TO, what can FROM reach; as a CIDR, the answer is "
        "exact for every address.\n"
        "Without --port or --protocol, everything that is allowed is listed. With --explain, what "
        "is denied as well, and every tier, policy and rule on the way.\n"
        "Examples:\n"
        "  polecat reach shop/web shop/db -p 5432/TCP -f manifests/\n"
        "  polecat reach any shop/db -p 5432/TCP -f manifests/\n"
        "  polecat reach shop/web any\n"
        "  polecat reach shop/web shop/db -p 5432/TCP --suggest\n"
        "  polecat reach any any --explain --format json\n"
        "  polecat reach 203.0.113.7 service:shop/web -p 443/TCP\n"
        "  polecat reach deployment:shop/cart kube-system/coredns -p 53/UDP -p 53/TCP --explain");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
