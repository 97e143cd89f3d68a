#include "frontend/placeholders.h"

#include <algorithm>
#include <cctype>

namespace polecat::frontend {

namespace {

using yaml::Node;

/// `${NAME}`, `${NAME:-default}` and the like; `$${NAME}` is a text in braces.
std::string variable_in(std::string_view text) {
    for (std::size_t at = text.find("${"); at != std::string_view::npos;
         at = text.find("${", at + 1)) {
        if (at > 0 && text[at - 1] == '$')
            continue;
        const std::size_t close = text.find('}', at);
        std::size_t end = at + 2;
        while (end < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
            ++end;
        const bool name =
            end > at + 2 && std::isdigit(static_cast<unsigned char>(text[at + 2])) == 0;
        if (name && close != std::string_view::npos &&
            (end == close ||
             std::string_view(":=?#%/^,-+").find(text[end]) != std::string_view::npos))
            return std::string(text.substr(at, close + 1 - at));
    }
    return {};
}

class Search {
  public:
    explicit Search(std::vector<Placeholder>& out) : out_(out) {}

    void look(const Node& node, bool in_metadata, bool is_space) {
        if (node.is_scalar())
            look(node.text, node.span, in_metadata, is_space);
        for (const Node& each : node.items)
            look(each, in_metadata, false);
        for (const yaml::Member& each : node.members) {
            if (each.key == "annotations")
                continue;
            const bool within = in_metadata || each.key == "metadata";
            look(each.key, each.key_span, within, false);
            look(each.value, within, in_metadata && each.key == "namespace");
        }
    }

  private:
    void look(const std::string& text, const Span& span, bool in_metadata, bool is_space) {
        if (text.find('{') == std::string::npos)
            return;
        const std::string variable = variable_in(text);
        if (!variable.empty())
            out_.push_back({span, variable, true, in_metadata, is_space});
        else if (yaml::looks_like_template(text))
            out_.push_back({span, text, false, in_metadata, is_space});
    }

    std::vector<Placeholder>& out_;
};

bool lies_in(const Span& inner, const Span& outer) {
    return inner.file == outer.file && inner.line == outer.line && inner.column >= outer.column &&
           inner.column <= outer.column + outer.length;
}

void report(const Placeholder& each, bool certain, const std::string& object,
            diag::Diagnostics& found) {
    if (!certain) {
        found.report(diag::Code::UnreplacedVariable, each.span, {each.text}).about(object);
        return;
    }
    auto& diagnostic = found.report(diag::Code::UnrenderedTemplate, each.span);
    diagnostic.about(object).with_hint(yaml::kRenderFirst);
    if (each.is_variable)
        diagnostic.with_note(
            "`" + each.text +
            "` is a variable, which Flux or envsubst replaces before it is applied");
}

} // namespace

void report_placeholder(const Node& text, const std::string& object,
                        diag::Diagnostics& diagnostics) {
    if (text.text.find('{') == std::string::npos)
        return;
    std::vector<Placeholder> found;
    Search(found).look(text, false, false);
    for (const Placeholder& each : found)
        report(each, true, object, diagnostics);
}

bool holds_placeholder(const std::string& text) {
    return text.find('{') != std::string::npos &&
           (!variable_in(text).empty() || yaml::looks_like_template(text));
}

std::vector<Placeholder> placeholders_of(const Node& root) {
    std::vector<Placeholder> out;
    Search(out).look(root, false, false);
    return out;
}

void settle_placeholders(const std::vector<Placeholder>& placeholders, bool is_policy,
                         const std::string& object, diag::Diagnostics& found) {
    for (const Placeholder& each : placeholders) {
        bool was_read = false, told = false;
        found.keep_if([&](const diag::Diagnostic& said) {
            if (!lies_in(said.span, each.span))
                return true;
            const bool tells = said.code == diag::Code::UnrenderedTemplate;
            told = told || tells;
            was_read = was_read || !tells;
            return tells;
        });
        if (told)
            continue;
        if (is_policy || was_read || each.in_metadata)
            report(each, is_policy ? !each.in_metadata || each.is_space : !each.in_metadata, object,
                   found);
    }
}

} // namespace polecat::frontend
