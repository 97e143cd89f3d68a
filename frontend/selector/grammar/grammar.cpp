#include "frontend/selector/grammar/grammar.h"

#include <algorithm>

#include <antlr4-runtime.h>

#include "SelectorLexer.h"
#include "SelectorParser.h"
#include "frontend/selector/parse.h"

namespace polecat::frontend {

using polecat_grammar::SelectorLexer;
using polecat_grammar::SelectorParser;
using selector::Selector;

namespace {

constexpr std::size_t kMaxLabel = 512;

/// Bytes as characters: ANTLR wants UTF-8, and offsets are to be those of bytes.
std::string as_characters(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0 | byte >> 6);
            out += static_cast<char>(0x80 | (byte & 0x3F));
        }
    }
    return out;
}

std::string as_bytes(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80 || i + 1 == text.size())
            out += text[i];
        else
            out +=
                static_cast<char>((byte & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    }
    return out;
}

/// Keeps the first error.
class FirstError : public antlr4::BaseErrorListener {
  public:
    bool failed = false;
    std::size_t offset = 0;
    std::string message;

    void syntaxError(antlr4::Recognizer*, antlr4::Token*, std::size_t, std::size_t column,
                     const std::string& text, std::exception_ptr) override {
        if (!failed) {
            offset = column;
            message = text;
        }
        failed = true;
    }
};

std::size_t depth_of(std::string_view text) {
    std::size_t depth = 0, deepest = 0;
    for (const char c : text) {
        depth += c == '(' ? 1 : 0;
        depth -= c == ')' && depth > 0 ? 1 : 0;
        deepest = std::max(deepest, depth);
    }
    return deepest;
}

struct TooLong {};

std::string label_of(SelectorParser::LabelContext* context) {
    std::string text = context->getText();
    if (text.size() > kMaxLabel)
        throw TooLong{};
    return text;
}

std::string value_of(SelectorParser::ValueContext* context) {
    const std::string text = context->getText();
    return as_bytes(text.substr(1, text.size() - 2));
}

Selector any_of(SelectorParser::AnyOfContext* context);

std::vector<std::string> values_of(SelectorParser::ValuesContext* context) {
    std::vector<std::string> out;
    for (auto* value : context->value())
        out.push_back(value_of(value));
    return out;
}

Selector primary(SelectorParser::PrimaryContext* context) {
    if (auto* c = dynamic_cast<SelectorParser::GroupContext*>(context))
        return any_of(c->anyOf());
    if (dynamic_cast<SelectorParser::AllContext*>(context) != nullptr)
        return Selector::all();
    if (dynamic_cast<SelectorParser::GlobalContext*>(context) != nullptr)
        return Selector::global();
    if (auto* c = dynamic_cast<SelectorParser::HasContext*>(context))
        return Selector::has(label_of(c->label()));
    if (auto* c = dynamic_cast<SelectorParser::EqualContext*>(context))
        return Selector::equal(label_of(c->label()), value_of(c->value()));
    if (auto* c = dynamic_cast<SelectorParser::NotEqualContext*>(context))
        return Selector::not_equal(label_of(c->label()), value_of(c->value()));
    if (auto* c = dynamic_cast<SelectorParser::ContainsContext*>(context))
        return Selector::contains(label_of(c->label()), value_of(c->value()));
    if (auto* c = dynamic_cast<SelectorParser::StartsWithContext*>(context))
        return Selector::starts_with(label_of(c->label()), value_of(c->value()));
    if (auto* c = dynamic_cast<SelectorParser::EndsWithContext*>(context))
        return Selector::ends_with(label_of(c->label()), value_of(c->value()));
    if (auto* c = dynamic_cast<SelectorParser::InContext*>(context))
        return Selector::in(label_of(c->label()), values_of(c->values()));
    auto* c = dynamic_cast<SelectorParser::NotInContext*>(context);
    return Selector::not_in(label_of(c->label()), values_of(c->values()));
}

Selector operand(SelectorParser::OperandContext* context) {
    const std::size_t bangs = context->children.size() - 1;
    Selector inner = primary(context->primary());
    return bangs % 2 == 1 ? Selector::negate(std::move(inner)) : inner;
}

Selector all_of(SelectorParser::AllOfContext* context) {
    std::vector<Selector> operands;
    for (auto* each : context->operand())
        operands.push_back(operand(each));
    return operands.size() == 1 ? operands.front() : Selector::all_of(std::move(operands));
}

Selector any_of(SelectorParser::AnyOfContext* context) {
    std::vector<Selector> operands;
    for (auto* each : context->allOf())
        operands.push_back(all_of(each));
    return operands.size() == 1 ? operands.front() : Selector::any_of(std::move(operands));
}

/// Runs the grammar; the error says why there is no selector.
std::optional<Selector> run(std::string_view text, FirstError& error) {
    if (depth_of(text) > kMaxSelectorDepth) {
        error.message = "fewer nested parentheses";
        return std::nullopt;
    }
    antlr4::ANTLRInputStream input(as_characters(text));
    SelectorLexer lexer(&input);
    lexer.removeErrorListeners();
    lexer.addErrorListener(&error);
    antlr4::CommonTokenStream tokens(&lexer);
    SelectorParser parser(&tokens);
    parser.removeErrorListeners();
    parser.addErrorListener(&error);
    auto* tree = parser.selector();
    if (error.failed)
        return std::nullopt;
    try {
        return tree->anyOf() == nullptr ? Selector::all() : any_of(tree->anyOf());
    } catch (const TooLong&) {
        error.message = "a label name of at most 512 characters";
        return std::nullopt;
    }
}

/// Small slips and what mends them, tried until the text parses.
struct Slip {
    std::string_view wrong, right;
};
constexpr Slip kSlips[] = {{"=", "=="},       {"===", "=="},    {"&", "&&"},       {"|", "||"},
                           {" and ", " && "}, {" or ", " || "}, {" AND ", " && "}, {" OR ", " || "},
                           {"<>", "!="},      {"\n", " "},      {"all", "all()"}};

std::string replaced(std::string_view text, std::size_t at, const Slip& slip) {
    return std::string(text.substr(0, at)) + std::string(slip.right) +
           std::string(text.substr(at + slip.wrong.size()));
}

bool parses(const std::string& text) {
    FirstError error;
    return run(text, error).has_value();
}

/// Puts quotes around a word where a value stands without them.
std::string with_quotes(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() &&
           std::string_view(" \t,})&|").find(text[end]) == std::string_view::npos)
        ++end;
    if (end == at)
        return {};
    return std::string(text.substr(0, at)) + "'" + std::string(text.substr(at, end - at)) + "'" +
           std::string(text.substr(end));
}

/// A text that parses, or none. Each trial runs the parser, so there are only so many.
std::string suggest(std::string text) {
    int budget = 60;
    for (int tries = 0; tries < 6; ++tries) {
        FirstError error;
        if (run(text, error))
            return text;
        std::string next;
        for (const Slip& slip : kSlips)
            for (std::size_t at = text.find(slip.wrong); at != std::string::npos && next.empty();
                 at = text.find(slip.wrong, at + 1)) {
                if (--budget < 0)
                    return {};
                const std::string tried = replaced(text, at, slip);
                FirstError after;
                if (parses(tried) || (run(tried, after), after.offset > error.offset))
                    next = tried;
            }
        if (next.empty()) {
            next = with_quotes(text, std::min(error.offset, text.size()));
            FirstError after;
            if (next.empty() || (!run(next, after) && after.offset <= error.offset))
                return {};
        }
        text = next;
    }
    return {};
}

} // namespace

std::optional<Selector> parse_by_grammar(std::string_view text) {
    FirstError error;
    return run(text, error);
}

SelectorExplanation explain_selector(std::string_view text) {
    FirstError error;
    run(text, error);
    SelectorExplanation out;
    out.offset = std::min(error.offset, text.size());
    out.expected = error.message;
    if (text.size() < 400)
        out.suggestion = suggest(std::string(text));
    return out;
}

} // namespace polecat::frontend
