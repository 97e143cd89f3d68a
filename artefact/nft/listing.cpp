#include "artefact/nft/listing.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace polecat::nft {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> out;
    bool quoted = false;
    std::size_t first = 0;
    const auto end_word = [&](std::size_t at) {
        if (at > first)
            out.push_back(line.substr(first, at - first));
        first = at + 1;
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"')
            quoted = !quoted;
        if (!quoted && (line[i] == ' ' || line[i] == '\t' || line[i] == ';' || line[i] == ','))
            end_word(i);
    }
    end_word(line.size());
    return out;
}

/// How braces outside of quoted text go.
int depth_of(std::string_view line) {
    int out = 0;
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        if (!quoted)
            out += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
    return out;
}

std::optional<std::uint32_t> number(std::string_view word) {
    const bool hex = word.starts_with("0x");
    const char* first = word.data() + (hex ? 2 : 0);
    std::uint32_t out = 0;
    const auto [end, error] = std::from_chars(first, word.data() + word.size(), out, hex ? 16 : 10);
    return error == std::errc() && end == word.data() + word.size() ? std::optional(out)
                                                                    : std::nullopt;
}

/// What "ct mark set ..." changes: all bits, unless it is "ct mark" with constants put to it.
std::uint32_t changed_bits(const std::vector<std::string_view>& words, std::size_t at) {
    if (at + 1 >= words.size() || words[at] != "ct" || words[at + 1] != "mark")
        return ~0u;
    std::uint32_t out = 0;
    bool any = false;
    for (at += 2; at + 1 < words.size(); at += 2) {
        const std::string_view sign = words[at];
        const auto value = number(words[at + 1]);
        if (sign == "&" || sign == "and")
            out |= value ? ~*value : ~0u;
        else if (sign == "|" || sign == "or" || sign == "^" || sign == "xor")
            out |= value ? *value : ~0u;
        else if (sign == "<<" || sign == ">>" || sign == "lshift" || sign == "rshift" ||
                 sign == "map")
            return ~0u;
        else
            break;
        any = true;
    }
    return any ? out : ~0u;
}

/// The tables of others, line by line: the lister writes one rule on a line.
class Others {
  public:
    explicit Others(OtherTables& out) : out_(out) {}

    void open(std::string_view family, std::string_view table) {
        table_ = std::string(family) + " " + std::string(table);
    }

    void add(std::string_view line) {
        const auto words = words_of(line);
        if (words.size() == 3 && words[2] == "{") // a chain, a set, a named counter
            chain_ = table_ + " " + std::string(words[1]);
        const auto find = [&](std::string_view first, std::string_view second) {
            for (std::size_t i = 0; i + 1 < words.size(); ++i)
                if (words[i] == first && words[i + 1] == second)
                    return i;
            return words.size();
        };
        if (const std::size_t hook = find("type", "filter");
            hook < words.size() && find("policy", "drop") < words.size() && words.size() > hook + 3)
            out_.drops.push_back({chain_, std::string(words[hook + 3])});
        for (std::size_t i = 0; i + 2 < words.size(); ++i)
            if (words[i] == "ct" && words[i + 1] == "mark" && words[i + 2] == "set")
                mark(changed_bits(words, i + 3));
        if (find("flow", "add") < words.size() || find("flow", "offload") < words.size() ||
            find("fwd", "to") < words.size())
            out_.offloads.push_back(chain_);
        if (const std::size_t target = find("xt", "target"); target + 2 < words.size())
            unknown(words[target + 2]);
    }

  private:
    void mark(std::uint32_t bits) {
        for (OtherTables::Marks& each : out_.marks)
            if (each.chain == chain_) {
                each.bits |= bits;
                return;
            }
        out_.marks.push_back({chain_, bits});
    }
    /// A target of iptables that nft can't put into words.
    void unknown(std::string_view target) {
        if (target == "\"CONNMARK\"" || target == "\"FLOWOFFLOAD\"")
            out_.unknown.push_back(chain_ + " " + std::string(target));
    }

    OtherTables& out_;
    std::string table_, chain_;
};

struct Table {
    std::string_view family, name, text;
};

struct Tables {
    std::vector<Table> list;
    std::string stray; ///< the first line that stands in none
};

/// Calls `use(line, start of the next)` for each line.
template <class Use> void each_line(std::string_view text, const Use& use) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::size_t next = std::min(end + 1, text.size());
        use(text.substr(at, end - at), next);
        at = next;
    }
}

Result<Tables> tables_of(std::string_view text) {
    Tables out;
    std::size_t first = 0;
    int depth = 0;
    bool closed = true;
    each_line(text, [&](std::string_view line, std::size_t next) {
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with('#'))
            return;
        if (depth == 0 && words[0] == "table" && words.size() > 3) {
            out.list.push_back({words[1], words[2], {}});
            first = static_cast<std::size_t>(line.data() - text.data());
        } else if (depth == 0 && out.stray.empty()) {
            out.stray = line;
        }
        depth += depth_of(line);
        closed = closed && depth >= 0;
        if (depth == 0 && !out.list.empty() && out.list.back().text.empty())
            out.list.back().text = text.substr(first, next - first);
    });
    if (!closed || depth != 0)
        return Error{"a table is not whole: { and } do not pair"};
    return out;
}

} // namespace

Result<Listing> read_listing(std::string_view text, const std::string& table) {
    const auto tables = tables_of(text);
    if (!tables)
        return Error{tables.error()};
    Listing out;
    // The text form of a ruleset opens its table twice.
    if (std::all_of(tables->list.begin(), tables->list.end(), [&](const Table& each) {
            return each.family == tables->list.front().family &&
                   each.name == tables->list.front().name;
        })) {
        out.ours = text;
        return out;
    }
    if (!tables->stray.empty())
        return Error{"'" + tables->stray + "' stands in no table"};
    Others others(out.others);
    for (const Table& each : tables->list) {
        if (each.family == "inet" && each.name == table) {
            out.ours += each.text;
        } else if (each.family != "inet" || each.name != table + "_generations") {
            others.open(each.family, each.name);
            each_line(each.text, [&](std::string_view line, std::size_t) { others.add(line); });
        }
    }
    if (out.ours.empty())
        return Error{"there is no table inet " + table};
    return out;
}

} // namespace polecat::nft
