#include "driver/reach/questions.h"

namespace polecat::driver {

namespace {

analyzer::ConnectionSet connections_of(std::optional<std::uint16_t> source_port,
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
    return ConnectionSet::of(traffic.protocol,
                             PortPairs::of(traffic.port ? single(*traffic.port) : any,
                                           source_port ? single(*source_port) : any));
}

} // namespace

Result<std::vector<Question>> questions_of(const decision::LoweredCluster& cluster,
                                           const Asked& asked) {
    const auto source = asked_ends(cluster, asked.from);
    if (!source)
        return Error{source.error()};
    const auto destination = asked_ends(cluster, asked.to);
    if (!destination)
        return Error{destination.error()};
    Question question;
    question.from = asked.from;
    question.to = asked.to;
    question.explain = asked.explain;
    question.source = *source;
    question.destination = *destination;
    question.connections = analyzer::ConnectionSet::all();
    std::vector<Question> whole;
    for (const expectation::Traffic& each : asked.traffic) {
        whole.push_back(question);
        whole.back().traffic = to_string(each);
        whole.back().connections = connections_of(asked.source_port, each);
    }
    if (asked.traffic.empty())
        whole.push_back(std::move(question));
    constexpr std::string_view kService = "service:";
    std::vector<Question> out;
    for (const Question& each : whole) {
        auto parts =
            asked.to.starts_with(kService)
                ? service_questions(
                      cluster, cluster.service_fronts.at(asked.to.substr(kService.size())), each)
                : questions_behind(cluster, each);
        std::move(parts.begin(), parts.end(), std::back_inserter(out));
    }
    if (out.empty())
        return Error{"the service has no such port, or no pods behind it"};
    return out;
}

} // namespace polecat::driver
