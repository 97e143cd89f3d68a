/// Values that several Calico kinds share: selectors, ports, protocols, nets, domains.
#include <algorithm>
#include <charconv>
#include <iterator>

#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/pattern.h"
#include "frontend/selector/grammar/grammar.h"
#include "frontend/selector/parse.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

constexpr std::size_t kMaxSelector = 1024;
constexpr const char* kNetForm = "must be a CIDR such as 10.0.0.0/8";

/// The place inside a scalar on one line: columns count characters, the text may be quoted.
Span inside(const At<std::string>& text, std::size_t offset) {
    Span out = text.span;
    const bool one_line = text.value.find('\n') == std::string::npos;
    if (!one_line || out.length < text.value.size())
        return out;
    const std::uint32_t quotes = out.length >= text.value.size() + 2 ? 1 : 0;
    out.column += static_cast<std::uint32_t>(offset) + quotes;
    out.length = 1;
    return out;
}

std::string_view without_line_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of("\r\n") + 1);
}

std::string in_one_line(std::string_view text) {
    std::string out(without_line_end(text));
    for (char& c : out)
        c = c == '\n' || c == '\r' ? ' ' : c;
    return out;
}

std::optional<std::uint16_t> decimal_port(std::string_view text) {
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// `global()` and nothing else, as Calico's validator tells it: by the text, without parentheses.
bool is_global_alone(std::string_view text) {
    std::string bare;
    std::copy_if(text.begin(), text.end(), std::back_inserter(bare),
                 [](char c) { return c != ' ' && c != '\t'; });
    return bare == "global()";
}

std::optional<net::PortRange> range_of(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto first = decimal_port(text.substr(0, colon));
    const auto last =
        colon == std::string_view::npos ? first : decimal_port(text.substr(colon + 1));
    if (!first || !last)
        return std::nullopt;
    return net::PortRange{*first, *last};
}

} // namespace

Checks checks_of(const ObjectContext& context) {
    return context.legacy_crd ? Checks::Storage : Checks::Api;
}

diag::Diagnostic& refuse_in_api(Fields& fields, Checks checks, Span span, const std::string& path,
                                const std::string& rule) {
    if (checks == Checks::Api)
        return refuse_value(fields, span, path, rule);
    return fields.diagnostics()
        .report(diag::Code::ApiCheckMissed, span, {path, rule})
        .about(fields.object());
}

std::optional<policy::SelectorField> read_selector(Fields& fields, std::string_view key,
                                                   GlobalTerm global) {
    const auto text = fields.string(key);
    if (!text || text->value.empty()) // Go leaves empty text out
        return std::nullopt;
    const std::string path = fields.path_of(key);
    if (text->value.size() > kMaxSelector)
        refuse_value(fields, text->span, path, "has more than 1024 characters");
    SelectorError error;
    auto parsed = parse_selector(text->value, &error);
    if (!parsed) {
        auto& diagnostic = fields.diagnostics().report(
            diag::Code::SelectorSyntax, inside(*text, error.offset), {error.message});
        diagnostic.about(fields.object())
            .with_note("the selector is " + path + ": " + in_one_line(text->value));
        const std::string_view bare = without_line_end(text->value);
        const SelectorExplanation why = explain_selector(bare);
        if (bare.size() != text->value.size() && parse_selector(bare))
            diagnostic.with_hint("the text ends in a line break: write `>-` or `|-` before it");
        else if (!why.suggestion.empty())
            diagnostic.with_hint("did you mean `" + why.suggestion + "`?");
        return std::nullopt;
    }
    if (text->value.find("global(") != std::string::npos) {
        constexpr const char* kAlone = "can use global() only alone, without parentheses";
        if (global == GlobalTerm::Refused)
            refuse_value(fields, text->span, path, "cannot use global()");
        else if (global == GlobalTerm::Everything)
            parsed = parsed->replace(selector::Selector::all(), selector::Selector::all());
        else if (!is_global_alone(text->value))
            refuse_in_api(fields, global == GlobalTerm::Anywhere ? Checks::Storage : Checks::Api,
                          text->span, path, kAlone);
    }
    return policy::SelectorField{text->value, std::move(*parsed), text->span};
}

std::optional<policy::Port> read_calico_port(const yaml::Node& node, const std::string& path,
                                             Fields& fields) {
    std::optional<net::PortRange> range;
    if (const auto number = as_integer(node, path, fields.object(), fields.diagnostics())) {
        const auto port = port_number({*number, node.span}, path, fields);
        if (!port)
            return std::nullopt;
        range = net::PortRange{*port, *port};
    } else {
        const auto text = as_text(node, path, fields.object(), fields.diagnostics());
        if (!text)
            return std::nullopt;
        range = range_of(text->value);
        if (!range && !is_port_name(text->value)) {
            if (text->value.find_first_not_of("0123456789:-") == std::string::npos)
                refuse_value(fields, node.span, path,
                             "must be a port, a range first:last, or a name");
            else
                refuse_port_name(fields, *text, path);
            return std::nullopt;
        }
        if (!range)
            return policy::Port{text->value, node.span};
    }
    if (range->first == 0 || range->first > range->last) {
        refuse_value(fields, node.span, path,
                     range->first == 0 ? "must be between 1 and 65535"
                                       : "must not end before it starts");
        return std::nullopt;
    }
    return policy::Port{*range, node.span};
}

std::optional<At<net::Protocol>> read_calico_protocol(Fields& fields, std::string_view key,
                                                      Checks checks) {
    const yaml::Node* node = fields.get(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto number =
            as_integer(*node, fields.path_of(key), fields.object(), fields.diagnostics())) {
        if (*number >= 1 && *number <= 255)
            return At<net::Protocol>{static_cast<net::Protocol>(*number), node->span};
    } else if (const auto text =
                   as_text(*node, fields.path_of(key), fields.object(), fields.diagnostics())) {
        if (const auto named = net::protocol_by_name(text->value)) {
            // Case counts: Calico's validator refuses `tcp`, which is how Felix spells it.
            if (net::to_string_protocol(*named) != text->value)
                refuse_in_api(fields, checks, node->span, fields.path_of(key),
                              "must be spelt " + net::to_string_protocol(*named))
                    .with_fix(diag::replace_text(node->span, text->value,
                                                 net::to_string_protocol(*named), "spell it so"));
            return At<net::Protocol>{*named, node->span};
        }
        if (const auto digits = decimal_port(text->value); digits && *digits >= 1 && *digits <= 255)
            return At<net::Protocol>{static_cast<net::Protocol>(*digits), node->span};
    } else {
        return std::nullopt;
    }
    refuse_value(fields, node->span, fields.path_of(key),
                 "must be TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255");
    return std::nullopt;
}

std::vector<At<net::Cidr>> read_nets(Fields& fields, std::string_view key, Checks checks) {
    std::vector<At<net::Cidr>> out;
    for (const At<std::string>& text : fields.strings(key)) {
        const auto net = net::parse_cidr(text.value, net::CidrForm::OrAddress);
        const auto address = net::parse_address(text.value);
        if (!net) {
            refuse_value(fields, text.span, fields.path_of(key), kNetForm);
            continue;
        }
        if (address)
            refuse_in_api(fields, checks, text.span, fields.path_of(key), kNetForm)
                .with_hint(text.value + (address->family == net::Family::V4 ? "/32" : "/128") +
                           " is this one address");
        else if (!net::parse_cidr(text.value, net::CidrForm::Strict))
            // No fix: Calico refuses it, and an address with a wrong length may be meant as well.
            refuse_in_api(fields, checks, text.span, fields.path_of(key),
                          "has bits set beyond its prefix length; meant " + to_string(*net) + "?");
        if (!address || checks == Checks::Storage)
            out.push_back({*net, text.span});
    }
    return out;
}

std::vector<At<net::Cidr>> read_loose_nets(Fields& fields, std::string_view key) {
    std::vector<At<net::Cidr>> out;
    for (const At<std::string>& text : fields.strings(key)) {
        const auto net = net::parse_cidr(text.value, net::CidrForm::OrAddress);
        if (!net) {
            refuse_value(fields, text.span, fields.path_of(key), kNetForm);
            continue;
        }
        if (!net::parse_address(text.value) && !net::parse_cidr(text.value, net::CidrForm::Strict))
            fields.diagnostics()
                .report(diag::Code::HostBits, text.span, {text.value, net::to_string(*net)})
                .about(fields.object())
                .with_fix(diag::replace_text(text.span, text.value, net::to_string(*net),
                                             "write the net"));
        out.push_back({*net, text.span});
    }
    return out;
}

void check_domains(Fields& fields, const std::vector<At<std::string>>& domains,
                   std::string_view key) {
    static constexpr std::string_view kForm =
        R"(([a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?|\*)(\.([a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?|\*))*\.?)";
    for (const At<std::string>& domain : domains)
        if (!has_form(domain.value, kForm) ||
            std::count(domain.value.begin(), domain.value.end(), '*') > 1)
            refuse_value(fields, domain.span, fields.path_of(key),
                         "must be a domain name, with at most one `*` for whole labels");
}

} // namespace polecat::frontend
