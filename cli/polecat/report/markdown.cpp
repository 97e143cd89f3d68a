#include "backends/graph/graph.h"
#include "cli/polecat/report/page.h"

namespace polecat::cli {

using namespace driver;

using backends::escape_markup;

namespace {

/// `code` and **strong**; the rest is text.
std::string inline_html(std::string_view text) {
    std::string out;
    bool code = false, strong = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '`') {
            out += code ? "</code>" : "<code>";
            code = !code;
        } else if (!code && text.substr(i, 2) == "**") {
            out += strong ? "</strong>" : "<strong>";
            strong = !strong;
            ++i;
        } else {
            out += escape_markup(std::string(1, text[i]));
        }
    }
    if (code)
        out += "</code>";
    return strong ? out + "</strong>" : out;
}

class Pages {
  public:
    std::string run(std::string_view markdown) {
        while (!markdown.empty()) {
            const std::size_t end = markdown.find('\n');
            line(markdown.substr(0, end));
            markdown = end == std::string_view::npos ? "" : markdown.substr(end + 1);
        }
        close();
        if (fenced_)
            out_ += "</code></pre>\n";
        return out_;
    }

  private:
    void line(std::string_view text) {
        if (text.starts_with("```")) {
            close();
            out_ += fenced_ ? "</code></pre>\n" : "<pre><code>";
            fenced_ = !fenced_;
        } else if (fenced_) {
            out_ += escape_markup(std::string(text)) + "\n";
        } else if (text.starts_with("# ")) {
            return; // the section has a heading of its own
        } else if (text.empty()) {
            close();
        } else if (text.starts_with("- ")) {
            flush();
            out_ += list_ ? "" : "<ul>\n";
            list_ = true;
            words_ = text.substr(2);
        } else if (text.starts_with("|")) { // a table: as it stands
            close();
            out_ += "<pre>" + escape_markup(std::string(text)) + "</pre>\n";
        } else {
            words_ += (words_.empty() ? "" : " ") + std::string(text);
        }
    }

    void flush() {
        if (!words_.empty())
            out_ += (list_ ? "<li>" : "<p>") + inline_html(words_) + (list_ ? "</li>\n" : "</p>\n");
        words_.clear();
    }

    void close() {
        flush();
        if (list_)
            out_ += "</ul>\n";
        list_ = false;
    }

    std::string out_, words_;
    bool fenced_ = false, list_ = false;
};

} // namespace

std::string page_html(std::string_view markdown) {
    return Pages().run(markdown);
}

} // namespace polecat::cli
