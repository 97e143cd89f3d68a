#include "frontend/placeholders.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace polecat::frontend {

namespace {

using yaml::Node;

/// `${NAME}`, `${NAME:-default}` and the like; `$${NAME}` is a text in braces. `dotted`: those of
/// template languages, `${config.name}`.
std::string variable_in(std::string_view text, bool dotted = false) {
    for (std::size_t at = text.find("${"); at != std::string_view::npos;
         at = text.find("${", at + 1)) {
        if (at > 0 && text[at - 1] == '$')
            continue;
        const std::size_t close = text.find('}', at);
        std::size_t end = at + 2;
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 ||
                                     text[end] == '_' || (dotted && text[end] == '.')))
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

/// REPLACE_ME, `fiducia-node-__PEER__`, `web-RELEASE-NAME`. Other capitals are mistakes of their
/// own.
bool has_word_to_replace(std::string_view text) {
    if (std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
        return false; // most texts
    constexpr std::string_view kWords[] = {"REPLACE", "RELEASE-NAME", "CHANGEME",   "CHANGE_ME",
                                           "YOUR_",   "YOUR-",        "PLACEHOLDER"};
    const std::size_t lines = text.find("__");
    return std::any_of(std::begin(kWords), std::end(kWords),
                       [&](std::string_view each) { return text.find(each) != text.npos; }) ||
           (lines != std::string_view::npos && lines + 2 < text.size() &&
            std::isupper(static_cast<unsigned char>(text[lines + 2])) != 0);
}

/// `192.168.xxx.yyy`, `10.x.x.x/8`: no other letters.
bool has_letters_for_numbers(std::string_view text) {
    return text.find_first_not_of("0123456789./xyzXYZ") == std::string_view::npos &&
           text.find_first_of("xyzXYZ") != std::string_view::npos &&
           std::count(text.begin(), text.end(), '.') == 3;
}

/// `NAME`, `shell-HOSTNAME`, `APP_NAME`: what the name is to be.
bool ends_in_what_it_is(std::string_view text) {
    static constexpr std::string_view kWords[] = {"NAME", "NAMESPACE", "APP",  "APPNAME", "SERVICE",
                                                  "HOST", "HOSTNAME",  "NODE", "CLUSTER", "IP"};
    const std::size_t begin = text.find_last_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") + 1;
    const std::string_view word = text.substr(begin);
    return (begin == 0 || text[begin - 1] == '-') &&
           (word.find('_') != std::string_view::npos ||
            std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords));
}

/// `pool-{POOL_ID}`, which a program replaces.
bool has_word_in_braces(std::string_view text) {
    const std::size_t open = text.find('{');
    if (open == std::string_view::npos)
        return false;
    const std::size_t close =
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", open + 1);
    return close != std::string_view::npos && close > open + 1 && text[close] == '}';
}

/// What people write where something is to be filled in.
bool looks_blank(std::string_view text) {
    const std::size_t open = text.find('<');
    const bool angled = open != std::string_view::npos && text.find('>', open) != open + 1 &&
                        text.find('>', open) != std::string_view::npos;
    const std::size_t dollar = text.find('$');
    const bool variable = dollar != std::string_view::npos && dollar + 1 < text.size() &&
                          std::isalpha(static_cast<unsigned char>(text[dollar + 1])) != 0;
    return angled || variable || text.find("%%") != std::string_view::npos ||
           has_word_to_replace(text) || has_letters_for_numbers(text) || has_word_in_braces(text);
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
            const std::size_t first = out_.size();
            look(each.value, within, in_metadata && each.key == "namespace");
            if (out_.size() == first + 1 && each.value.is_scalar())
                out_.back().key = each.key_span;
        }
    }

  private:
    void look(const std::string& text, const Span& span, bool in_metadata, bool is_space) {
        const bool braces = text.find('{') != std::string::npos;
        const std::string variable = braces ? variable_in(text) : "";
        if (!variable.empty())
            out_.push_back({span, variable, true, in_metadata, is_space});
        else if (braces && (yaml::looks_like_template(text) || !variable_in(text, true).empty()))
            out_.push_back({span, text, false, in_metadata, is_space});
        else if (looks_blank(text) || (in_metadata && ends_in_what_it_is(text)))
            out_.push_back({span, text, false, in_metadata, is_space, true});
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
        auto& diagnostic = found.report(diag::Code::UnreplacedVariable, each.span, {each.text});
        diagnostic.about(object);
        if (each.is_variable)
            diagnostic.with_fact("variable", each.text);
        return;
    }
    auto& diagnostic = found.report(diag::Code::UnrenderedTemplate, each.span);
    diagnostic.about(object).with_hint(yaml::kRenderFirst);
    if (each.is_variable)
        diagnostic
            .with_note("`" + each.text +
                       "` is a variable, which Flux or envsubst replaces before it is applied")
            .with_fact("variable", each.text);
}

/// A blank, of which that much was said.
void report(const Placeholder& each, diag::Severity severity, const std::string& object,
            diag::Diagnostics& found) {
    auto& diagnostic = found.report(diag::Code::PlaceholderLeft, each.span, {each.text});
    diagnostic.about(object).severity = severity;
}

} // namespace

void report_placeholder(const Node& text, const std::string& object,
                        diag::Diagnostics& diagnostics) {
    if (text.text.find('{') == std::string::npos)
        return;
    std::vector<Placeholder> found;
    Search(found).look(text, false, false);
    for (const Placeholder& each : found)
        if (!each.is_blank) // whether that is refused is not known yet
            report(each, true, object, diagnostics);
}

bool holds_placeholder(const std::string& text) {
    return text.find('{') != std::string::npos &&
           (!variable_in(text, true).empty() || yaml::looks_like_template(text));
}

std::vector<Placeholder> placeholders_of(const Node& root) {
    std::vector<Placeholder> out;
    Search(out).look(root, false, false);
    return out;
}

namespace {

/// What reading said of a text, which is dropped.
struct Said {
    bool anything = false;
    diag::Severity severity = diag::Severity::Note; ///< of what was said
    bool that_it_is_a_template = false;             ///< stays
};

bool is_about_values(diag::Code code) {
    return code == diag::Code::ObjectName || code == diag::Code::LabelSyntax ||
           code == diag::Code::FieldValue || code == diag::Code::ApiCheckMissed ||
           code == diag::Code::WrongType;
}

Said drop_what_was_said(const Placeholder& of, diag::Diagnostics& found) {
    Said out;
    found.keep_if([&](const diag::Diagnostic& said) {
        const bool at_key = of.is_blank && of.key.known() && said.span == of.key;
        if ((!lies_in(said.span, of.span) && !at_key) ||
            (of.is_blank && !is_about_values(said.code)))
            return true;
        const bool tells =
            said.code == diag::Code::UnrenderedTemplate || said.code == diag::Code::PlaceholderLeft;
        out.that_it_is_a_template = out.that_it_is_a_template || tells;
        out.anything = out.anything || !tells;
        out.severity = tells ? out.severity : std::max(out.severity, said.severity);
        return tells;
    });
    return out;
}

} // namespace

void settle_placeholders(const std::vector<Placeholder>& placeholders, bool is_policy,
                         const std::string& object, diag::Diagnostics& found) {
    bool told_blank = false;
    for (const Placeholder& each : placeholders) {
        const Said said = drop_what_was_said(each, found);
        if (each.is_blank) {
            if (said.anything && !told_blank)
                report(each, said.severity, object, found);
            told_blank = told_blank || said.anything;
        } else if (!said.that_it_is_a_template &&
                   (is_policy || said.anything || each.in_metadata)) {
            report(each, is_policy ? !each.in_metadata || each.is_space : !each.in_metadata, object,
                   found);
        }
    }
}

} // namespace polecat::frontend
