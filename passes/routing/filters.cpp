// BGPFilters.
#include <algorithm>

#include <fmt/format.h>

#include "passes/routing/parts.h"

namespace polecat::passes::routing_parts {

namespace {

using diag::Code;

class FilterReader {
  public:
    FilterReader(const policy::OtherObject& object, diag::Diagnostics& diagnostics)
        : object_(object), spec_(object.spec), diagnostics_(diagnostics) {}

    routing::Filter read(net::Family family) {
        const std::string ending = family == net::Family::V4 ? "V4" : "V6";
        return {object_.meta.name, rules("import" + ending), rules("export" + ending),
                origin_of(object_)};
    }

  private:
    std::vector<routing::FilterRule> rules(const std::string& list) {
        std::vector<routing::FilterRule> out;
        for (std::size_t i = 0; i < spec_.size(list); ++i)
            out.push_back(rule(fmt::format("{}[{}].", list, i)));
        return out;
    }

    routing::FilterRule rule(const std::string& at) {
        routing::FilterRule out;
        out.origin = origin_of(object_, at);
        out.action =
            spec_.is(at + "action", "Accept") ? routing::Verdict::Accept : routing::Verdict::Reject;
        routing::FilterMatch& match = out.match;
        if (spec_.has(at + "peerType"))
            match.peer_type = spec_.is(at + "peerType", "iBGP") ? routing::PeerType::Internal
                                                                : routing::PeerType::External;
        match.net = net(at);
        match.from_bgp = spec_.is(at + "source", "RemotePeers");
        if (const auto pattern = spec_.text(at + "interface"); pattern && !pattern->value.empty())
            match.interface = pattern->value;
        for (const At<std::string>& text : spec_.texts(at + "communities.values"))
            match.community = routing::parse_community(text.value);
        match.as_path_prefix = numbers(at + "asPathPrefix");
        if (const auto priority = spec_.integer(at + "priority"))
            match.priority = static_cast<std::uint32_t>(priority->value);
        for (std::size_t i = 0; i < spec_.size(at + "operations"); ++i)
            if (auto done = operation(fmt::format("{}operations[{}].", at, i)))
                out.operations.push_back(std::move(*done));
        return out;
    }

    std::optional<routing::NetMatch> net(const std::string& at) {
        const auto cidr = spec_.cidr(at + "cidr");
        if (!cidr)
            return std::nullopt;
        static const std::pair<const char*, routing::NetOperator> kOperators[] = {
            {"In", routing::NetOperator::In},
            {"NotIn", routing::NetOperator::NotIn},
            {"Equal", routing::NetOperator::Equal},
            {"NotEqual", routing::NetOperator::NotEqual}};
        routing::NetMatch out{routing::NetOperator::In, cidr->value, std::nullopt};
        for (const auto& [text, op] : kOperators)
            if (spec_.is(at + "matchOperator", text))
                out.op = op;
        const auto least = spec_.integer(at + "prefixLength.min");
        const auto most = spec_.integer(at + "prefixLength.max");
        if (!spec_.has(at + "prefixLength") && !least && !most)
            return out;
        const std::int64_t own = cidr->value.prefix, width = net::width(cidr->value.family());
        const std::int64_t low = std::max(own, least ? least->value : own);
        const std::int64_t high = std::min(width, most ? most->value : width);
        if (low > high)
            diagnostics_
                .report(Code::RefusedByBird, (most ? most : least)->span,
                        {fmt::format("prefixLength must hold some length: {} to {} does not", low,
                                     high)})
                .about(origin_of(object_).object);
        out.lengths = routing::NetMatch::Lengths{static_cast<std::uint8_t>(low),
                                                 static_cast<std::uint8_t>(high)};
        return out;
    }

    std::optional<routing::Operation> operation(const std::string& at) {
        if (const auto text = spec_.text(at + "addCommunity.value"))
            if (const auto community = routing::parse_community(text->value))
                return routing::AddCommunity{*community};
        if (spec_.size(at + "prependASPath.prefix") != 0)
            return routing::PrependPath{numbers(at + "prependASPath.prefix")};
        if (const auto value = spec_.integer(at + "setPriority.value"))
            return routing::SetPriority{static_cast<std::uint32_t>(value->value)};
        return std::nullopt;
    }

    std::vector<net::AsNumber> numbers(const std::string& list) {
        std::vector<net::AsNumber> out;
        for (std::size_t i = 0; i < spec_.size(list); ++i)
            if (const auto number = spec_.integer(fmt::format("{}[{}]", list, i)))
                out.push_back(static_cast<net::AsNumber>(number->value));
        return out;
    }

    const policy::OtherObject& object_;
    const policy::Settings& spec_;
    diag::Diagnostics& diagnostics_;
};

} // namespace

std::vector<routing::Filter> filters(const Input& input, net::Family family) {
    std::vector<routing::Filter> out;
    for (const policy::OtherObject& each : input.cluster.others)
        if (each.kind == "BGPFilter") {
            routing::Filter filter = FilterReader(each, input.diagnostics).read(family);
            if (!filter.import_rules.empty() || !filter.export_rules.empty())
                out.push_back(std::move(filter));
        }
    std::sort(out.begin(), out.end(),
              [](const routing::Filter& a, const routing::Filter& b) { return a.name < b.name; });
    return out;
}

} // namespace polecat::passes::routing_parts
