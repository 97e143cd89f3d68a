#include <fmt/format.h>

#include "analyzer/expectations/names.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/reach/ask_print.h"
#include "cli/polecat/reach/print.h"
#include "driver/input/input.h"
#include "driver/input/unread.h"
#include "driver/reach/ask.h"
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

[[noreturn]] void fail(const std::string& message) {
    throw CLI::ValidationError(message);
}

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
            fail("--http takes METHOD and path: --http 'GET /cart'");
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

analyzer::ConnectionSet connections_of(const ReachOptions& options,
                                       const expectation::Traffic& traffic) {
    using analyzer::ConnectionSet, analyzer::PortPairs;
    const auto single = [](int port) {
        const auto number = static_cast<std::uint16_t>(port);
        return net::PortSet::of(net::PortRange{number, number});
    };
    if (traffic.icmp_type) {
        const int type = *traffic.icmp_type * 256;
        const auto first = static_cast<std::uint16_t>(type + traffic.icmp_code.value_or(0));
        const auto last = static_cast<std::uint16_t>(type + traffic.icmp_code.value_or(255));
        return ConnectionSet::of_icmp(traffic.protocol,
                                      net::PortSet::of(net::PortRange{first, last}));
    }
    if (!net::has_ports(traffic.protocol))
        return ConnectionSet::of(traffic.protocol);
    const auto any = net::PortSet::of(net::PortRange{});
    return ConnectionSet::of(
        traffic.protocol,
        PortPairs::of(traffic.port ? single(*traffic.port) : any,
                      options.source_port >= 0 ? single(options.source_port) : any));
}

std::vector<Question> questions_of(const ReachOptions& options,
                                   const std::vector<expectation::Traffic>& traffic,
                                   const decision::LoweredCluster& cluster) {
    Question question;
    question.from = options.from;
    question.to = options.to;
    question.explain = options.all_rules;
    question.source = value_or_usage(asked_ends(cluster, options.from));
    question.destination = value_or_usage(asked_ends(cluster, options.to));
    std::vector<Question> asked;
    for (const expectation::Traffic& each : traffic) {
        asked.push_back(question);
        asked.back().traffic = to_string(each);
        asked.back().connections = connections_of(options, each);
    }
    if (traffic.empty()) {
        asked.push_back(question);
        asked.back().connections = analyzer::ConnectionSet::all();
    }
    constexpr std::string_view kService = "service:";
    std::vector<Question> out;
    for (const Question& each : asked) {
        auto parts =
            options.to.starts_with(kService)
                ? service_questions(
                      cluster, cluster.service_fronts.at(options.to.substr(kService.size())), each)
                : questions_behind(cluster, each);
        std::move(parts.begin(), parts.end(), std::back_inserter(out));
    }
    if (out.empty())
        fail("the service has no such port, or no pods behind it");
    return out;
}

int ask(const ReachOptions& options, const std::vector<expectation::Traffic>& traffic,
        const decision::LoweredCluster& cluster, const Input& input) {
    if (!options.http.empty())
        fail("--http takes both ends and a port");
    if (options.source_port >= 0 && traffic.empty())
        fail("--source-port takes a --port or --protocol");
    if (options.from.starts_with("service:"))
        fail("a service sends nothing: name the pods behind it as FROM");
    const auto questions = questions_of(options, traffic, cluster);
    Hanging hanging;
    const std::string text = options.format == "json"
                                 ? answer_json(cluster, input, questions, hanging)
                                 : answer_text(cluster, input, questions, hanging);
    tell_unread(input, hanging);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return kGood;
}

/// Of the one answer about all traffic between two ends.
Hanging of_one_answer(const Input& input, const decision::LoweredCluster& cluster,
                      const ir::PathQuery& query) {
    const auto in_doubt = [&](const ir::PathEnd& end, decision::Direction direction) {
        return end.endpoint &&
               endpoints_in_doubt(input, cluster, {*end.endpoint}, direction).some != 0;
    };
    Hanging out;
    out.add(in_doubt(query.source, decision::Direction::Egress) ||
            in_doubt(query.destination, decision::Direction::Ingress));
    return out;
}

int run(const ReachOptions& options) {
    const auto traffic = traffic_of(options);
    const bool open = is_open(options.from) || is_open(options.to);
    Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    const auto cluster =
        passes::lower(input.cluster, lower_options(options.unknown_address)).cluster;
    if (options.suggest && (open || traffic.empty()))
        fail("--suggest takes both ends and a --port or --protocol");
    if (open || (traffic.empty() && options.all_rules))
        return ask(options, traffic, cluster, input);
    const auto from = value_or_usage(frontend::parse_end(options.from));
    const auto to = value_or_usage(frontend::parse_end(options.to));
    ir::PathQuery query;
    query.source = value_or_usage(analyzer::find_end(cluster, from));
    query.destination = value_or_usage(analyzer::find_end(cluster, to));
    if (!query.source.service.empty())
        fail("a service sends nothing: name the pods behind it as FROM");
    query.route = ir::Route::Wire;
    FlowRoutes routes(input, cluster);
    const ReachPrinter printer(cluster, input.sources, options.from, options.to, options.all_rules,
                               routes);
    if (traffic.empty()) {
        const Hanging hanging = of_one_answer(input, cluster, query);
        tell_unread(input, hanging);
        const auto found = value_or_usage(everything_between(cluster, query, routes));
        fmt::print("{}",
                   options.format == "json"
                       ? printer.summary_json(found, unread_lines(input, hanging), hanging.some > 0)
                       : printer.summary_text(found));
        return kGood;
    }
    std::vector<ReachAnswer> answers;
    for (const expectation::Traffic& each : traffic) {
        query.packet = packet_of(options, each);
        answers.push_back(answer_of(cluster, query, each, routes));
        if (options.suggest && answers.back().verdict.verdict != decision::Verdict::Allow)
            answers.back().suggestion =
                suggest(input.cluster, cluster, lower_options(options.unknown_address), query);
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
