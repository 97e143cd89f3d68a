#include "cli/polecat/map/render.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/input/answer_notes.h"
#include "support/json_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

void append_number(std::string& out, std::uint32_t end) {
    char word[12] = {'G'};
    const auto [stop, failed] = std::to_chars(word + 1, word + sizeof word, end + 1);
    (void)failed; // 11 characters hold every 32-bit number
    out.append(word, stop);
}

/// "G1-G4 G7". A large map has a hundred million such words, so each is written once and copied.
class GroupWords {
  public:
    explicit GroupWords(std::size_t ends) : words_(ends) {
        for (std::uint32_t i = 0; i < ends; ++i) {
            std::string text;
            append_number(text, i);
            std::copy(text.begin(), text.end(), words_[i].text.begin());
            words_[i].size = static_cast<std::uint8_t>(text.size());
        }
    }

    void append(std::string& out, MapEnds ends) const {
        std::array<char, 4096> part;
        char* at = part.data();
        const auto add = [&](std::uint32_t end) {
            std::memcpy(at, words_[end].text.data(), kLongest);
            at += words_[end].size;
        };
        for (std::size_t i = 0; i < ends.size();) {
            std::size_t stop = i + 1;
            while (stop < ends.size() && ends[stop] == ends[stop - 1] + 1)
                ++stop;
            if (i != 0)
                *at++ = ' ';
            add(ends[i]);
            if (stop - i > 1) {
                *at++ = stop - i > 2 ? '-' : ' ';
                add(ends[stop - 1]);
            }
            i = stop;
            if (at > part.data() + part.size() - 2 * kLongest - 2) {
                out.append(part.data(), at);
                at = part.data();
            }
        }
        out.append(part.data(), at);
    }

  private:
    static constexpr std::size_t kLongest = 11; ///< 'G' and a number of 32 bits
    struct Word {
        std::array<char, kLongest> text{};
        std::uint8_t size = 0;
    };
    std::vector<Word> words_; ///< by end
};

class Renderer {
  public:
    Renderer(const MapRows& rows, const analyzer::ConnectivityMap& map)
        : rows_(rows), texts_(rows, map) {}

    void expanded_text(const TextSink& sink) const {
        std::string out;
        for (const MapRow& row : rows_.rows) {
            out += rows_.ends[row.from.front()].label;
            out += " -> ";
            out += rows_.ends[row.to.front()].label;
            out += "  ";
            append_connections(out, row);
            out += '\n';
            append_no_route(out, row);
            pass_on(out, sink);
        }
        sink(out);
    }

    /// Few ends are called by name, many by number, with a list before the rows.
    void grouped_text(const TextSink& sink) const {
        std::string out =
            fmt::format("{}: {}, {}, {}\n", family(), counted(rows_.endpoints, "endpoint"),
                        counted_ends(rows_.ends.size()), counted(rows_.rows.size(), "row"));
        const bool by_number = rows_.ends.size() > kNamedEnds;
        const GroupWords words(by_number ? rows_.ends.size() : 0);
        const auto append = [&](MapEnds ends) {
            if (by_number)
                words.append(out, ends);
            else
                out += texts_.joined(ends, "; ");
        };
        if (by_number)
            for (std::size_t i = 0; i < rows_.ends.size(); ++i)
                out += fmt::format("G{}  {}\n", i + 1, rows_.ends[i].label);
        const std::uint32_t* last = nullptr;
        for (const MapRow& row : rows_.rows) {
            if (last != row.from.data()) {
                out += '\n';
                append(row.from);
                out += '\n';
            }
            last = row.from.data();
            out += "    ";
            append_connections(out, row);
            out += by_number ? " -> " : "\n        -> ";
            append(row.to);
            out += '\n';
            append_no_route(out, row);
            pass_on(out, sink);
        }
        if (rows_.rows.empty())
            out += rows_.endpoints == 0 ? fmt::format("  {}\n", kNobody) : "  nothing is allowed\n";
        else if (const auto closed = in_no_row(); !closed.empty())
            out += fmt::format("\nnothing is allowed to or from {}\n", listed(closed, kMostClosed));
        sink(out);
    }

    std::string json() const {
        using nlohmann::json;
        json out{{"family", family()}, {"ends", json::array()}, {"rows", json::array()}};
        if (!rows_.unread.empty())
            out["unread"] = rows_.unread;
        for (const MapEndText& end : rows_.ends)
            out["ends"].push_back({{"outside", end.outside}, {"members", end.members}});
        for (const MapRow& row : rows_.rows) {
            json entry{{"from", std::vector(row.from.begin(), row.from.end())},
                       {"to", std::vector(row.to.begin(), row.to.end())},
                       {"allowed", texts_.allowed(row)}};
            if (!row.connections.is_certain())
                entry["depends"] = texts_.depends(row);
            if (row.hangs_on_unread)
                entry["hangs_on_unread"] = true;
            if (row.no_route)
                entry["no_route"] = {{"exists", row.no_route->certain ? "no" : "depends"},
                                     {"from", row.no_route->from},
                                     {"to", row.no_route->to},
                                     {"pairs", row.no_route->pairs},
                                     {"reason", row.no_route->reason}};
            out["rows"].push_back(std::move(entry));
        }
        return json_text(std::move(out));
    }

    void csv(const TextSink& sink) const {
        std::string out =
            fmt::format("family,from,to,allowed,depends{}\n", rows_.routed ? ",no_route" : "");
        for (const MapRow& row : rows_.rows) {
            out += fmt::format("{},{},{},{},{}{}\n", family(),
                               quoted(texts_.names().members(row.from)),
                               quoted(texts_.names().members(row.to)), quoted(texts_.allowed(row)),
                               quoted(row.connections.is_certain() ? "" : texts_.depends(row)),
                               rows_.routed ? "," + quoted(texts_.no_route(row)) : "");
            pass_on(out, sink);
        }
        sink(out);
    }

    void markdown(const TextSink& sink) const {
        std::string out = "| from | to | allowed |\n|---|---|---|\n";
        for (const MapRow& row : rows_.rows) {
            out += fmt::format("| {} | {} | {} |\n", texts_.joined(row.from, "<br>"),
                               texts_.joined(row.to, "<br>"),
                               texts_.connections(row) +
                                   (row.no_route ? "<br>**" + texts_.no_route(row) + "**" : ""));
            pass_on(out, sink);
        }
        sink(out);
    }

  private:
    static constexpr std::size_t kMostClosed = 12;

    /// Endpoints that no row names, sorted.
    std::vector<std::string> in_no_row() const {
        std::vector<bool> named(rows_.ends.size(), false);
        for (const MapRow& row : rows_.rows)
            for (const auto* side : {&row.from, &row.to})
                for (const std::uint32_t end : *side)
                    named[end] = true;
        std::vector<std::string> out;
        for (std::size_t i = 0; i < named.size(); ++i)
            if (!named[i] && !rows_.ends[i].outside)
                out.insert(out.end(), rows_.ends[i].members.begin(), rows_.ends[i].members.end());
        std::sort(out.begin(), out.end());
        return out;
    }

    /// Once there is enough of it.
    static void pass_on(std::string& out, const TextSink& sink) {
        if (out.size() < std::size_t{1} << 20)
            return;
        sink(out);
        out.clear();
    }

    void append_connections(std::string& out, const MapRow& row) const {
        if (row.connections.is_certain())
            out += texts_.described(row.connections.sure);
        else
            out += texts_.connections(row);
    }

    void append_no_route(std::string& out, const MapRow& row) const {
        if (row.no_route)
            out += "        " + texts_.no_route(row) + "\n";
    }

    std::string family() const { return std::string(net::to_string(rows_.family)); }

    static std::string quoted(const std::string& text) {
        if (text.find_first_of(",\"\n") == std::string::npos)
            return text;
        std::string out = "\"";
        for (const char c : text)
            out += c == '"' ? "\"\"" : std::string(1, c);
        return out + "\"";
    }

    const MapRows& rows_;
    const MapRowTexts texts_;
};

} // namespace

void append_numbers(std::string& out, std::uint32_t first, std::uint32_t last) {
    append_number(out, first);
    if (first == last)
        return;
    out += last - first > 1 ? '-' : ' ';
    append_number(out, last);
}

void render_map(const MapRows& rows, const analyzer::ConnectivityMap& map,
                const std::string& format, bool expanded, const TextSink& sink) {
    const Renderer renderer(rows, map);
    if (format == "json")
        sink(renderer.json());
    else if (format == "csv")
        renderer.csv(sink);
    else if (format == "md")
        renderer.markdown(sink);
    else if (expanded)
        renderer.expanded_text(sink);
    else
        renderer.grouped_text(sink);
}

} // namespace polecat::cli
