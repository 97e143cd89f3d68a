#include "frontend/kinds/label_selector.h"

#include <algorithm>

#include "frontend/kinds/empty_value.h"
#include "frontend/kinds/names.h"
#include "support/diag/fix.h"
#include "support/letters.h"

namespace polecat::frontend {

namespace {

using policy::LabelOperator;

void check_key(const At<std::string>& key, const std::string& path, Fields& fields) {
    if (const auto problem = check_label_key(key.value))
        refuse_value(fields, key.span, path + "." + key.value, *problem);
}

void check_value(const At<std::string>& value, const std::string& path, Fields& fields) {
    if (const auto problem = check_label_value(value.value))
        refuse_value(fields, value.span, path, *problem);
}

std::optional<LabelOperator> operator_of(const At<std::string>& text, Fields& fields) {
    if (text.value == "In")
        return LabelOperator::In;
    if (text.value == "NotIn")
        return LabelOperator::NotIn;
    if (text.value == "Exists")
        return LabelOperator::Exists;
    if (text.value == "DoesNotExist")
        return LabelOperator::DoesNotExist;
    refuse_value(fields, text.span, fields.path_of("operator"),
                 "must be In, NotIn, Exists or DoesNotExist");
    return std::nullopt;
}

void read_expression(Fields fields, policy::LabelSelector& into) {
    policy::LabelSelector::Expression out;
    const auto key = fields.string("key");
    const auto op = fields.string("operator");
    const auto values = fields.strings("values");
    fields.finish();
    if (!fields.present())
        return;
    if (!key || key->value.empty())
        refuse_value(fields, fields.span(), fields.path_of("key"), "is missing");
    else
        check_key(*key, fields.path_of("key"), fields);
    const auto parsed = op ? operator_of(*op, fields) : std::nullopt;
    if (!op)
        refuse_value(fields, fields.span(), fields.path_of("operator"), "is missing");
    if (!key || !parsed)
        return;
    const bool wants = *parsed == LabelOperator::In || *parsed == LabelOperator::NotIn;
    if (wants == values.empty())
        refuse_value(fields, fields.key_span("values"), fields.path_of("values"),
                     wants ? "must be there with In and NotIn"
                           : "must not be there with Exists and DoesNotExist");
    out.key = key->value;
    out.op = *parsed;
    for (const At<std::string>& value : values) {
        check_value(value, fields.path_of("values"), fields);
        out.values.push_back(value.value);
    }
    into.expressions.push_back(std::move(out));
}

} // namespace

diag::Diagnostic& refuse_value(Fields& fields, Span span, const std::string& path,
                               const std::string& rule) {
    return fields.diagnostics()
        .report(diag::Code::FieldValue, span.known() ? span : fields.home(), {path, rule})
        .about(fields.object());
}

std::string read_node_name(Fields& fields, const char* key) {
    const auto name = fields.string(key);
    if (!name || name->value.empty())
        return "";
    if (is_node_name(name->value))
        return name->value;
    refuse_value(fields, name->span, fields.path_of(key), "must be the name of a node");
    return "";
}

void refuse_port_name(Fields& fields, const At<std::string>& text, const std::string& path) {
    auto& diagnostic = refuse_value(fields, text.span, path,
                                    "is `" + text.value +
                                        "`: a port's name has lower-case letters, digits and "
                                        "single `-` between them, at most 15, and a letter");
    const std::string lower = lower_case(text.value);
    if (is_port_name(lower))
        diagnostic.with_hint("did you mean `" + lower + "`?");
}

void refuse_word(Fields& fields, const At<std::string>& text, const std::string& path,
                 std::initializer_list<const char*> allowed) {
    std::string list;
    for (const char* const& name : allowed)
        list += (list.empty()                 ? ""
                 : &name + 1 == allowed.end() ? " or "
                                              : ", ") +
                std::string(name);
    auto& diagnostic = refuse_value(fields, text.span, path, "must be " + list);
    for (const char* name : allowed)
        if (equal_ignoring_case(name, text.value))
            diagnostic.with_hint("did you mean `" + std::string(name) + "`?")
                .with_fix(diag::replace_text(text.span, text.value, name,
                                             "write `" + std::string(name) + "`"));
}

policy::LabelSelector read_label_selector(Fields fields) {
    policy::LabelSelector out;
    out.span = fields.span();
    for (auto& [key, value] : fields.string_map("matchLabels")) {
        check_key(key, fields.path_of("matchLabels"), fields);
        check_value(value, fields.path_of("matchLabels") + "." + key.value, fields);
        out.match_labels.emplace_back(key.value, value.value);
    }
    std::sort(out.match_labels.begin(), out.match_labels.end());
    std::size_t index = 0;
    for (const yaml::Node* item : fields.list("matchExpressions"))
        read_expression(
            Fields(item, fields.path_of("matchExpressions") + "[" + std::to_string(index++) + "]",
                   fields.object(), fields.diagnostics()),
            out);
    if (out.match_labels.empty() && out.expressions.empty())
        for (const char* key : {"matchLabels", "matchExpressions"})
            report_null(fields, key, "whatever its labels are");
    fields.finish();
    return out;
}

std::optional<net::Protocol> kubernetes_protocol(const At<std::string>& text,
                                                 const std::string& path, Fields& fields) {
    if (text.value == "TCP")
        return net::kTcp;
    if (text.value == "UDP")
        return net::kUdp;
    if (text.value == "SCTP")
        return net::kSctp;
    refuse_word(fields, text, path, {"TCP", "UDP", "SCTP"});
    return std::nullopt;
}

std::optional<std::uint16_t> port_number(const At<std::int64_t>& number, const std::string& path,
                                         Fields& fields) {
    if (number.value >= 1 && number.value <= 65535)
        return static_cast<std::uint16_t>(number.value);
    refuse_value(fields, number.span, path, "must be between 1 and 65535");
    return std::nullopt;
}

std::optional<At<net::Cidr>> read_cidr(const At<std::string>& text, const std::string& path,
                                       Fields& fields) {
    // The API server takes host bits (it warns); Calico masks them.
    if (const auto cidr = net::parse_cidr(text.value, net::CidrForm::Masked)) {
        if (!net::parse_cidr(text.value, net::CidrForm::Strict))
            fields.diagnostics()
                .report(diag::Code::HostBits, text.span, {text.value, net::to_string(*cidr)})
                .about(fields.object())
                .with_fix(diag::replace_text(text.span, text.value, net::to_string(*cidr),
                                             "write the net"));
        return At<net::Cidr>{*cidr, text.span};
    }
    refuse_value(fields, text.span, path, "must be a CIDR such as 10.0.0.0/8");
    return std::nullopt;
}

} // namespace polecat::frontend
