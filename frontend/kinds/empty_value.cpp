#include "frontend/kinds/empty_value.h"

namespace polecat::frontend {

namespace {

/// A field and what holds when it has no value.
struct Emptied {
    const char* key;
    const char* meaning;
};
constexpr Emptied kOfEnd[] = {{"notNets", "no address is left out"},
                              {"selector", "whatever its labels are"},
                              {"notSelector", "nobody is left out"},
                              {"namespaceSelector", "whatever the policy's scope holds"},
                              {"serviceAccounts", "whatever its service account is"},
                              {"services", "every address"},
                              {"notPorts", "no port is left out"},
                              {"domains", "every address"}};
constexpr Emptied kOfRule[] = {
    {"protocol", "every protocol"}, {"notProtocol", "no protocol is left out"},
    {"icmp", "every type of ICMP"}, {"notICMP", "no type of ICMP is left out"},
    {"source", "every source"},     {"destination", "every destination"},
    {"http", "every request"}};

diag::Diagnostic& report_empty(const Fields& fields, Span span, const std::string& path,
                               std::string_view what, std::string_view meaning) {
    return fields.diagnostics()
        .report(diag::Code::EmptyValue, span, {path, what, meaning})
        .about(fields.object())
        .with_fact("field", path);
}

} // namespace

diag::Diagnostic* report_null(Fields& fields, std::string_view key, std::string_view meaning) {
    if (!fields.has(key) || fields.get(key) != nullptr)
        return nullptr;
    return &report_empty(fields, fields.key_span(key), fields.path_of(key), "has nothing behind it",
                         meaning)
                .with_hint("write what is meant, or leave the field out");
}

void report_null_item(const yaml::Node& item, const Fields& fields, std::string_view meaning) {
    if (item.is_null())
        report_empty(fields, item.span, fields.path(), "has nothing behind it", meaning)
            .with_hint("write what is meant, or `{}` if it is that");
}

diag::Diagnostic* report_empty_list(Fields& fields, std::string_view key,
                                    std::string_view meaning) {
    const yaml::Node* list = fields.get(key);
    if (diag::Diagnostic* found = report_null(fields, key, meaning))
        return found;
    if (list == nullptr || !list->is_sequence() || !list->items.empty())
        return nullptr;
    auto& diagnostic =
        report_empty(fields, fields.key_span(key), fields.path_of(key), "is empty", meaning);
    diagnostic.severity = diag::Severity::Note;
    return &diagnostic;
}

void report_emptied_rule(Fields& rule) {
    // A Deny or Pass of everybody leaves both ends out, and tools write them so.
    const yaml::Node* action = rule.get("action");
    const bool opens = action == nullptr || action->text == "Allow";
    for (const Emptied& each : kOfRule)
        if (opens ||
            (each.key != std::string_view("source") && each.key != std::string_view("destination")))
            report_null(rule, each.key, each.meaning);
}

void report_emptied_end(Fields& end) {
    for (const Emptied& each : kOfEnd)
        report_null(end, each.key, each.meaning);
    report_empty_list(end, "nets", "every address");
    report_empty_list(end, "ports", "every port");
}

void report_emptied_rules(Fields& spec, bool ingress, bool egress) {
    const auto closed = [&](const char* key, bool active, const char* meaning) {
        auto* diagnostic = active ? report_null(spec, key, meaning) : nullptr;
        if (diagnostic == nullptr)
            return;
        diagnostic->severity = diag::Severity::Note;
        diagnostic->hint = std::string("write `") + key + ": []` if that is meant";
        diagnostic->as_usual(spec.get("policyTypes") != nullptr); // which says so
    };
    closed("ingress", ingress, "this policy lets nothing in");
    closed("egress", egress, "this policy lets nothing out");
}

} // namespace polecat::frontend
