#include "frontend/kinds/fields.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "frontend/placeholders.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

const char* word_of(const yaml::Node& node) {
    switch (node.kind) {
    case yaml::Node::Kind::Null:
        return "null";
    case yaml::Node::Kind::Sequence:
        return "a list";
    case yaml::Node::Kind::Mapping:
        return "a mapping";
    case yaml::Node::Kind::Scalar:
        break;
    }
    switch (yaml::resolve_scalar(node)) {
    case yaml::ScalarType::Boolean:
        return "a boolean";
    case yaml::ScalarType::Integer:
    case yaml::ScalarType::Float:
        return "a number";
    case yaml::ScalarType::Null:
        return "null";
    case yaml::ScalarType::String:
        break;
    }
    return "text";
}

} // namespace

Fields::Fields(const yaml::Node* node, std::string path, std::string object,
               diag::Diagnostics& diagnostics)
    : path_(std::move(path)), object_(std::move(object)), diagnostics_(&diagnostics) {
    constexpr std::size_t kUsual = 8; // of keys that are asked for
    known_.reserve(kUsual);
    if (node != nullptr)
        home_ = node->span;
    if (node == nullptr || node->is_null())
        return;
    if (!node->is_mapping()) {
        report_wrong_type(diagnostics, *node, path_.empty() ? "the document" : path_, "a mapping",
                          object_);
        return;
    }
    node_ = node;
}

std::string Fields::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const yaml::Node* Fields::get(std::string_view key) {
    known_.push_back(key);
    const yaml::Node* found = node_ != nullptr ? node_->find(key) : nullptr;
    return found != nullptr && !found->is_null() ? found : nullptr;
}

bool Fields::has(std::string_view key) {
    known_.push_back(key);
    return node_ != nullptr && node_->find(key) != nullptr;
}

std::optional<std::int64_t> as_integer(const yaml::Node& node, const std::string& path,
                                       const std::string& object, diag::Diagnostics& diagnostics) {
    const auto value = yaml::as_integer(node);
    const bool octal = value && *value > 7 && node.text.size() > 1 && node.text[0] == '0' &&
                       node.text.find_first_not_of("01234567") == std::string::npos;
    if (octal)
        diagnostics
            .report(diag::Code::OctalNumber, node.span, {path, node.text, std::to_string(*value)})
            .about(object)
            .with_hint("leave the zero out if " + node.text.substr(1) + " is meant");
    return value;
}

std::optional<At<std::string>> as_text(const yaml::Node& node, const std::string& path,
                                       const std::string& object, diag::Diagnostics& diagnostics) {
    if (node.is_scalar() && yaml::resolve_scalar(node) == yaml::ScalarType::String) {
        if (!path.starts_with("metadata.") && path.find(".metadata.") == std::string::npos)
            report_placeholder(node, object, diagnostics);
        return At<std::string>{node.text, node.span};
    }
    auto& diagnostic = report_wrong_type(diagnostics, node, path, "text", object);
    if (node.is_scalar())
        diagnostic.with_hint("quote it: \"" + node.text + "\"")
            .with_fix(diag::quote_text(node.span, node.text));
    return std::nullopt;
}

diag::Diagnostic& report_wrong_type(diag::Diagnostics& diagnostics, const yaml::Node& node,
                                    const std::string& path, std::string_view expected,
                                    const std::string& object) {
    return diagnostics.report(diag::Code::WrongType, node.span, {path, word_of(node), expected})
        .about(object);
}

std::optional<At<std::string>> Fields::string(std::string_view key) {
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return std::nullopt;
    return as_text(*node, path_of(key), object_, *diagnostics_);
}

std::optional<At<std::int64_t>> Fields::integer(std::string_view key) {
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto value = as_integer(*node, path_of(key), object_, *diagnostics_))
        return At<std::int64_t>{*value, node->span};
    report_wrong_type(*diagnostics_, *node, path_of(key), "a whole number", object_);
    return std::nullopt;
}

std::optional<At<double>> Fields::number(std::string_view key) {
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return std::nullopt;
    const auto value = yaml::as_number(*node);
    if (value && std::isfinite(*value)) // JSON, which the API server is sent, has no others
        return At<double>{*value, node->span};
    report_wrong_type(*diagnostics_, *node, path_of(key), value ? "a finite number" : "a number",
                      object_);
    return std::nullopt;
}

std::optional<At<bool>> Fields::boolean(std::string_view key) {
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto value = yaml::as_boolean(*node))
        return At<bool>{*value, node->span};
    report_wrong_type(*diagnostics_, *node, path_of(key), "true or false", object_);
    return std::nullopt;
}

std::vector<const yaml::Node*> Fields::list(std::string_view key) {
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return {};
    std::vector<const yaml::Node*> out;
    if (!node->is_sequence())
        report_wrong_type(*diagnostics_, *node, path_of(key), "a list", object_);
    for (const yaml::Node& item : node->items)
        out.push_back(&item);
    return out;
}

std::vector<At<std::string>> Fields::strings(std::string_view key) {
    std::vector<At<std::string>> out;
    std::size_t index = 0;
    for (const yaml::Node* item : list(key)) {
        const std::string path = path_of(key) + "[" + std::to_string(index++) + "]";
        if (auto text = as_text(*item, path, object_, *diagnostics_))
            out.push_back(std::move(*text));
    }
    return out;
}

namespace {

/// Whether Go writes the number without an exponent.
bool has_plain_text(double number) {
    return std::isfinite(number) && std::abs(number) >= 1e-4 && std::abs(number) < 1e6;
}

/// The text that calicoctl makes of a boolean or a number.
std::optional<At<std::string>> text_of_other(const yaml::Node& node, const std::string& path,
                                             const std::string& object,
                                             diag::Diagnostics& diagnostics) {
    const bool hex = node.text.find('x') != std::string::npos;
    const bool fraction = !hex && node.text.find_first_of(".eE") != std::string::npos;
    std::string text;
    if (const auto truth = yaml::as_boolean(node))
        text = *truth ? "true" : "false";
    else if (const auto number = yaml::as_integer(node); number && !fraction)
        text = std::to_string(*number);
    else if (const auto real = yaml::as_number(node); real && has_plain_text(*real))
        text = fmt::format("{}", *real);
    else
        return std::nullopt;
    auto& diagnostic = report_wrong_type(diagnostics, node, path, "text", object);
    diagnostic.severity = diag::Severity::Warning;
    diagnostic.with_note("calicoctl makes `" + text + "` of it, Kubernetes' API server refuses it")
        .with_hint("quote it: \"" + node.text + "\"")
        .with_fix(diag::quote_text(node.span, node.text));
    return At<std::string>{text, node.span};
}

} // namespace

std::vector<std::pair<At<std::string>, At<std::string>>> Fields::string_map(std::string_view key,
                                                                            OtherScalars others) {
    std::vector<std::pair<At<std::string>, At<std::string>>> out;
    const yaml::Node* node = get(key);
    if (node == nullptr)
        return out;
    if (!node->is_mapping())
        report_wrong_type(*diagnostics_, *node, path_of(key), "a mapping", object_);
    for (const yaml::Member& member : node->members) {
        const std::string path = path_of(key) + "." + member.key;
        if (member.value.is_null())
            // A null value is the empty string to the API server, which is hardly meant.
            diagnostics_->report(diag::Code::NullLabelValue, member.key_span, {path})
                .about(object_);
        std::optional<At<std::string>> text;
        if (member.value.is_null())
            text = At<std::string>{"", member.value.span};
        else if (others == OtherScalars::Taken)
            text = text_of_other(member.value, path, object_, *diagnostics_);
        if (!text)
            text = as_text(member.value, path, object_, *diagnostics_);
        if (text)
            out.emplace_back(At<std::string>{member.key, member.key_span}, std::move(*text));
    }
    return out;
}

Fields Fields::mapping(std::string_view key) {
    Fields out(get(key), path_of(key), object_, *diagnostics_);
    if (!out.present())
        out.home_ = key_span(key);
    return out;
}

void Fields::ignore(std::initializer_list<std::string_view> keys) {
    known_.insert(known_.end(), keys.begin(), keys.end());
}

void Fields::ignore_rest() {
    rest_ignored_ = true;
}

void Fields::finish() {
    if (!rest_ignored_)
        report_unknown(diag::Severity::Error, diag::Severity::Error);
}

void Fields::finish_open(std::span<const std::string_view> others, diag::Severity slip,
                         diag::Severity other) {
    known_.insert(known_.end(), others.begin(), others.end());
    report_unknown(slip, other);
}

/// Only where one field can be meant, and that is not there yet.
std::optional<diag::Fix> Fields::rename(const yaml::Member& member, const std::string& near) const {
    std::vector<std::string_view> others;
    std::copy_if(known_.begin(), known_.end(), std::back_inserter(others),
                 [&](std::string_view each) { return each != near; });
    if (node_->find(near) != nullptr || diag::nearest(member.key, others))
        return std::nullopt;
    return diag::replace_text(member.key_span, member.key, near, "write `" + near + "`");
}

void Fields::report_unknown(diag::Severity slip, diag::Severity other) {
    constexpr std::size_t kMost = 20; // of one mapping; the rest says nothing new
    std::size_t reported = 0;
    if (node_ == nullptr)
        return;
    for (const yaml::Member& member : node_->members) {
        if (std::find(known_.begin(), known_.end(), member.key) != known_.end())
            continue;
        if (++reported > kMost)
            return;
        auto& diagnostic =
            diagnostics_->report(diag::Code::UnknownField, member.key_span, {path_of(member.key)});
        diagnostic.about(object_).with_fact("field", path_of(member.key));
        const auto near = diag::nearest(member.key, known_);
        diagnostic.severity = near ? slip : other;
        if (near)
            diagnostic.with_hint("did you mean `" + *near + "`?").with_fix(rename(member, *near));
        else if (std::find(known_.begin(), known_.end(), "matchLabels") != known_.end() &&
                 member.value.is_scalar())
            diagnostic.with_hint("a label that is asked for stands below matchLabels");
        else if (other != diag::Severity::Error)
            diagnostic.with_hint("it is not read; remove it, unless Kubernetes has it by now")
                .as_usual(other == diag::Severity::Note);
    }
}

Span Fields::span() const {
    return node_ != nullptr ? node_->span : Span{};
}

Span Fields::key_span(std::string_view key) const {
    if (node_ != nullptr)
        for (const yaml::Member& member : node_->members)
            if (member.key == key)
                return member.key_span;
    return home_;
}

Fields item(const yaml::Node* node, Fields& parent, std::string_view key, std::size_t index) {
    return Fields(node, parent.path_of(key) + "[" + std::to_string(index) + "]", parent.object(),
                  parent.diagnostics());
}

} // namespace polecat::frontend
