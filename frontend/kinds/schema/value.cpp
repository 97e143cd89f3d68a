#include "frontend/kinds/schema/value.h"

#include <algorithm>
#include <charconv>

#include "frontend/kinds/pattern.h"
#include "frontend/selector/parse.h"
#include "ir/net/address.h"
#include "ir/net/as_number.h"
#include "support/diag/fix.h"
#include "support/letters.h"

namespace polecat::frontend::schema {

namespace {

using Problem = std::optional<std::string>;

Problem check_integer(std::string_view range, const yaml::Node& value) {
    const auto number = yaml::as_integer(value);
    if (!number)
        return "must be a whole number";
    const std::size_t dots = range.find("..");
    if (dots == std::string_view::npos)
        return std::nullopt;
    std::int64_t low = 0, high = 0;
    std::from_chars(range.data(), range.data() + dots, low);
    std::from_chars(range.data() + dots + 2, range.data() + range.size(), high);
    if (*number < low || *number > high)
        return "must be between " + std::string(range.substr(0, dots)) + " and " +
               std::string(range.substr(dots + 2));
    return std::nullopt;
}

Problem check_choice(std::string_view choices, bool fold, const std::string& text) {
    if (fold && text.empty())
        return std::nullopt;
    std::string list;
    for (std::string_view rest = choices;;) {
        const std::size_t bar = rest.find('|');
        const std::string_view choice = rest.substr(0, bar);
        if (fold ? equal_ignoring_case(choice, text) : choice == text)
            return std::nullopt;
        list += (list.empty() ? "" : ", ") + std::string(choice);
        if (bar == std::string_view::npos)
            break;
        rest.remove_prefix(bar + 1);
    }
    return "must be one of " + list;
}

Problem check_cidr(std::string_view type, const std::string& text) {
    // "cidr4 host": an address with the length of its network, host bits allowed.
    const bool host = type.find(" host") != std::string_view::npos;
    const bool bare = host || type.substr(0, 5) == "cidrs";
    const auto cidr =
        net::parse_cidr(text, bare ? net::CidrForm::OrAddress : net::CidrForm::Masked);
    if (!cidr)
        return "must be a CIDR such as 10.0.0.0/8";
    if (type.substr(0, 5) == "cidr4" && cidr->family() != net::Family::V4)
        return "must be an IPv4 CIDR";
    if (type.substr(0, 5) == "cidr6" && cidr->family() != net::Family::V6)
        return "must be an IPv6 CIDR";
    return std::nullopt;
}

Problem check_ip(std::string_view type, const std::string& text) {
    const auto address = net::parse_address(text);
    if (!address)
        return "must be an IP address";
    if (type == "ip4" && address->family != net::Family::V4)
        return "must be an IPv4 address";
    if (type == "ip6" && address->family != net::Family::V6)
        return "must be an IPv6 address";
    return std::nullopt;
}

Problem check_duration(std::string_view type, const std::string& text) {
    if (type == "duration auto" && text == "Auto")
        return std::nullopt;
    if (!is_duration(text))
        return "must be a duration such as 30s or 1m30s";
    // The CRD's pattern takes whole numbers and the units ms, s, m and h only.
    if (type == "duration crd" && !has_form(text, "([0-9]+(ms|s|m|h))*"))
        return "must be whole numbers of ms, s, m or h";
    return std::nullopt;
}

Problem check_regex_text(const std::string& text) {
    return is_pattern(text) ? Problem{} : "must be a regular expression";
}

Problem check_string(std::string_view type, const std::string& text) {
    const std::string_view word = type.substr(0, type.find(' '));
    const std::string_view rest = word.size() == type.size() ? "" : type.substr(word.size() + 1);
    if (word == "enum" || word == "fold")
        return check_choice(rest, word == "fold", text);
    if (word == "re")
        return has_form(text, rest) ? Problem{} : "must have the form " + std::string(rest);
    if (word == "duration")
        return check_duration(type, text);
    if (word.substr(0, 4) == "cidr")
        return check_cidr(type, text);
    if (word.substr(0, 2) == "ip")
        return check_ip(type, text);
    if (word == "regex")
        return check_regex_text(text);
    if (word == "selector") {
        SelectorError error;
        if (!parse_selector(text, &error))
            return "must be a selector: " + error.message;
    }
    return std::nullopt;
}

} // namespace

policy::SettingValue typed_value(std::string_view type, const yaml::Node& value) {
    const std::string_view word = type.substr(0, type.find(' '));
    if (word == "int")
        return *yaml::as_integer(value);
    if (word == "bool")
        return *yaml::as_boolean(value);
    if (type == "ip" || type == "ip4" || type == "ip6")
        return *net::parse_address(value.text);
    if (word.starts_with("cidr") && type.find(" host") == std::string_view::npos)
        return *net::parse_cidr(value.text,
                                word == "cidrs" ? net::CidrForm::OrAddress : net::CidrForm::Masked);
    if (word == "selector")
        return policy::SelectorField{value.text, *parse_selector(value.text), value.span};
    return value.text;
}

std::optional<diag::Fix> fix_of_value(std::string_view type, const yaml::Node& value) {
    const std::string_view word = type.substr(0, type.find(' '));
    if (!value.is_scalar() || word == "int" || word == "bool")
        return std::nullopt;
    if (yaml::resolve_scalar(value) != yaml::ScalarType::String)
        return diag::quote_text(value.span, value.text);
    if (word != "enum")
        return std::nullopt;
    for (std::string_view rest = type.substr(std::min(word.size() + 1, type.size()));;) {
        const std::size_t bar = rest.find('|');
        if (equal_ignoring_case(rest.substr(0, bar), value.text))
            return diag::replace_text(value.span, value.text, std::string(rest.substr(0, bar)),
                                      "write it as it is known");
        if (bar == std::string_view::npos)
            return std::nullopt;
        rest.remove_prefix(bar + 1);
    }
}

bool is_duration(std::string_view text) {
    return has_form(text, R"(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)");
}

std::optional<std::string> check_value(std::string_view type, const yaml::Node& value) {
    if (!value.is_scalar())
        return "must be a single value";
    const yaml::ScalarType scalar = yaml::resolve_scalar(value);
    const std::string_view word = type.substr(0, type.find(' '));
    if (word == "int")
        return check_integer(type.size() > 4 ? type.substr(4) : "", value);
    if (word == "bool")
        return scalar == yaml::ScalarType::Boolean ? Problem{} : "must be true or false";
    if (word == "intstr" && (yaml::as_integer(value) || scalar == yaml::ScalarType::String))
        return std::nullopt;
    if (word == "asn") // 64512 or "0.64512"; unquoted, the latter is a number, told by its text
        return net::parse_as_number(value.text) ? Problem{}
                                                : "must be an AS number, 0 to 4294967295";
    if (scalar != yaml::ScalarType::String)
        return "must be text; quote it if it is meant as text";
    return check_string(type, value.text);
}

} // namespace polecat::frontend::schema
