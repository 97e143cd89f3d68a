#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "backends/graph/styles.h"

namespace polecat::backends {

namespace {

using EdgeKind = Graph::EdgeKind;

constexpr int kCell = 16;
constexpr int kLine = 15;
constexpr std::size_t kNameLength = 44;
constexpr std::size_t kSpaceLength = 24;
constexpr std::size_t kSetLength = 90;
/// Sets of connections that the key names; rarer ones share a sign.
constexpr std::size_t kMostSets = 99;

const char* sign_of(Graph::NodeKind kind) {
    switch (kind) {
    case Graph::NodeKind::Governed:
        return "■";
    case Graph::NodeKind::Ingress:
        return "◧";
    case Graph::NodeKind::Egress:
        return "◨";
    case Graph::NodeKind::Open:
        return "□";
    case Graph::NodeKind::Mixed:
        return "▣";
    case Graph::NodeKind::Outside:
        return "○";
    case Graph::NodeKind::Plain:
        return "·";
    }
    return "";
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

class Table {
  public:
    explicit Table(const Graph& graph) : graph_(graph), order_(graph.nodes.size()) {
        std::iota(order_.begin(), order_.end(), 0);
        std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            const auto key = [&](std::size_t node) {
                const Graph::Node& each = graph_.nodes[node];
                return std::make_pair(each.kind == Graph::NodeKind::Outside, each.cluster);
            };
            return key(a) < key(b);
        });
        for (std::size_t i = 0; i < order_.size(); ++i)
            place_.resize(order_.size()), place_[order_[i]] = i;
        number_sets();
        cell_ = kCell * static_cast<int>(most_slices());
        std::size_t longest = 0, space = 0;
        for (const Graph::Node& node : graph_.nodes) {
            longest = std::max(longest, name(node).size());
            space = std::max(space, shortened(node.cluster, kSpaceLength).size());
        }
        left_ = 56 + static_cast<int>(std::min(longest, kNameLength + 4) +
                                      std::min(space, kSpaceLength + 4)) *
                         7;
    }

    std::string svg() {
        heading();
        names();
        cells();
        key();
        const int width = std::max(left_ + side() + 20, 900), height = y_ + 10;
        return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
                           "<svg width=\"{0}pt\" height=\"{1}pt\" viewBox=\"0 0 {0} {1}\" "
                           "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"Helvetica, Arial, "
                           "sans-serif\" font-size=\"12\">\n"
                           "<title>{2}</title>\n"
                           "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{3}</svg>\n",
                           width, height, escape_markup(graph_.title), out_);
    }

  private:
    int side() const { return static_cast<int>(order_.size()) * cell_; }

    static std::string name(const Graph::Node& node) {
        const bool outside = node.kind == Graph::NodeKind::Outside && !node.tooltip.empty();
        return shortened(first_line(outside ? node.tooltip : node.label), kNameLength);
    }

    /// Edges between the same two, each of which needs room for a line; beyond 3 they get less.
    std::size_t most_slices() const {
        std::map<std::pair<std::size_t, std::size_t>, std::size_t> counts;
        std::size_t out = 1;
        for (const Graph::Edge& edge : graph_.edges)
            out = std::max(out, ++counts[{edge.from, edge.to}]);
        return std::min<std::size_t>(out, 3);
    }

    /// Numbers by how often a set occurs, so that small ones are common.
    void number_sets() {
        std::map<std::string, std::size_t> counts;
        for (const Graph::Edge& edge : graph_.edges)
            ++counts[edge.label];
        std::vector<std::pair<std::size_t, std::string>> sorted;
        for (const auto& [label, count] : counts)
            if (label != "*")
                sorted.emplace_back(count, label);
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        for (const auto& [count, label] : sorted) {
            if (sets_.size() == kMostSets)
                break;
            sets_.push_back(label);
            number_[label] = sets_.size();
        }
        unnumbered_ = sorted.size() - sets_.size();
    }

    std::string sign(const std::string& label) const {
        if (label == "*")
            return "";
        const auto found = number_.find(label);
        return found == number_.end() ? "…" : std::to_string(found->second);
    }

    void text(int x, int y, const std::string& words, const std::string& more = "") {
        out_ +=
            fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", x, y, more, escape_markup(words));
    }

    void heading() {
        y_ = 22;
        text(10, y_, graph_.title, " font-size=\"15\" font-weight=\"bold\"");
        std::vector<std::string> lines = graph_.notes;
        lines.push_back("Rows send, columns receive (same numbers). A full square: everything; a "
                        "number: the connections that the key below names.");
        for (const std::string& line : lines)
            text(10, y_ += kLine + 2, shortened(line, kNoteLength));
        y_ += 14;
    }

    /// Column numbers, row numbers, names and namespaces.
    void names() {
        top_ = y_ + 30;
        for (std::size_t i = 0; i < order_.size(); ++i) {
            const Graph::Node& node = graph_.nodes[order_[i]];
            const int at = static_cast<int>(i) * cell_;
            if (starts_space(i) && !node.cluster.empty())
                text(10, top_ + at + cell_ / 2 + 4, shortened(node.cluster, kSpaceLength),
                     " font-weight=\"bold\"");
            const std::string tip =
                "<title>" + escape_markup(node.tooltip.empty() ? node.label : node.tooltip) +
                "</title>";
            out_ += fmt::format("<g>{}<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} {} "
                                "<tspan fill=\"#555555\" font-size=\"9\">{}</tspan></text></g>\n",
                                tip, left_ - 6, top_ + at + cell_ / 2 + 4,
                                escape_markup(name(node)), sign_of(node.kind), i + 1);
            out_ += fmt::format("<g>{}<text transform=\"translate({} {}) rotate(-90)\" "
                                "font-size=\"9\" fill=\"#555555\">{}</text></g>\n",
                                tip, left_ + at + cell_ / 2 + 3, top_ - 4, i + 1);
        }
    }

    bool starts_space(std::size_t i) const {
        return i == 0 || graph_.nodes[order_[i]].cluster != graph_.nodes[order_[i - 1]].cluster;
    }

    void cells() {
        for (std::size_t i = 0; i <= order_.size(); ++i) { // a grid, stronger between namespaces
            const bool strong = i == order_.size() || starts_space(i);
            const int at = static_cast<int>(i) * cell_;
            out_ += fmt::format("<path d=\"M{0} {1}H{2}M{3} {4}V{5}\" stroke=\"{6}\" "
                                "stroke-width=\"{7}\"/>\n",
                                strong ? 10 : left_, top_ + at, left_ + side(), left_ + at, top_,
                                top_ + side(), strong ? "#667788" : "#e4e8ec", strong ? 1.2 : 0.6);
        }
        std::vector<std::vector<const Graph::Edge*>> rows(order_.size());
        for (const Graph::Edge& edge : graph_.edges)
            rows[place_[edge.from]].push_back(&edge);
        for (std::size_t row = 0; row < rows.size(); ++row)
            row_cells(row, rows[row]);
        y_ = top_ + side() + 24;
    }

    /// Neighbours that say the same are one box: a large table has many.
    void row_cells(std::size_t row, std::vector<const Graph::Edge*>& edges) {
        std::stable_sort(edges.begin(), edges.end(), [&](const auto* a, const auto* b) {
            return place_[a->to] < place_[b->to];
        });
        const auto alone = [&](std::size_t i) {
            return (i == 0 || edges[i - 1]->to != edges[i]->to) &&
                   (i + 1 == edges.size() || edges[i + 1]->to != edges[i]->to);
        };
        for (std::size_t i = 0; i < edges.size();) {
            std::size_t stop = i + 1;
            if (!alone(i)) { // opened and closed between the same two: slices of one square
                while (stop < edges.size() && edges[stop]->to == edges[i]->to)
                    ++stop;
                for (std::size_t slice = i; slice < stop; ++slice)
                    box(row, *edges[slice], *edges[slice], slice - i, stop - i);
                i = stop;
                continue;
            }
            while (stop < edges.size() && alone(stop) && edges[stop]->label == edges[i]->label &&
                   edges[stop]->kind == edges[i]->kind &&
                   place_[edges[stop]->to] == place_[edges[stop - 1]->to] + 1 &&
                   !starts_space(place_[edges[stop]->to]))
                ++stop;
            box(row, *edges[i], *edges[stop - 1], 0, 1);
            i = stop;
        }
    }

    void box(std::size_t row, const Graph::Edge& first, const Graph::Edge& last, std::size_t slice,
             std::size_t slices) {
        const std::size_t from = place_[first.to], to = place_[last.to];
        const int height = cell_ / static_cast<int>(slices);
        const int x = left_ + static_cast<int>(from) * cell_,
                  y = top_ + static_cast<int>(row) * cell_ + static_cast<int>(slice) * height;
        const int width = static_cast<int>(to - from + 1) * cell_;
        std::string tip = first_line(graph_.nodes[first.from].label) + " -> " +
                          first_line(graph_.nodes[first.to].label);
        if (to != from)
            tip +=
                fmt::format(" to {} ({})", first_line(graph_.nodes[last.to].label), to - from + 1);
        out_ += fmt::format(
            "<g><title>{}: {}{}</title>", escape_markup(tip), escape_markup(first.label),
            first.kind == EdgeKind::Allowed ? ""
                                            : std::string(" (") + style_of(first.kind).words + ")");
        shape(x + 1, y + 1, width - 2, height - 2, first);
        const std::string number = sign(first.label);
        if (!number.empty())
            out_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"middle\" "
                                "fill=\"#000000\">{}</text>",
                                x + width / 2, y + (height + 6) / 2, slices <= 3 ? 9 : 6, number);
        out_ += "</g>\n";
    }

    void shape(int x, int y, int width, int height, const Graph::Edge& edge) {
        const EdgeStyle& style = style_of(edge.kind);
        const bool change = edge.kind >= EdgeKind::Opened, all = edge.label == "*";
        const char* fill = change ? (edge.kind <= EdgeKind::PerhapsOpened ? "#ffd5b8" : "#eeeeee")
                           : all  ? "#56b4e9"
                                  : "#d6ebf8";
        const char* dash = edge.kind == EdgeKind::Allowed || edge.kind == EdgeKind::Opened ? ""
                           : std::string_view(style.style) == "dotted" ? "1.5 1.5"
                                                                       : "4 2";
        out_ +=
            fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" "
                        "stroke=\"{}\" stroke-width=\"{}\"{}/>",
                        x, y, width, height, *dash != '\0' && !change && !all ? "#ffffff" : fill,
                        *dash != '\0' || change ? style.colour : "none", change ? 1.6 : 1,
                        *dash != '\0' ? fmt::format(" stroke-dasharray=\"{}\"", dash) : "");
    }

    void key() {
        std::vector<bool> nodes(7), kinds(7);
        for (const Graph::Node& node : graph_.nodes)
            nodes[static_cast<std::size_t>(node.kind)] = true;
        for (const Graph::Edge& edge : graph_.edges)
            kinds[static_cast<std::size_t>(edge.kind)] = true;
        int x = 10;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (!nodes[i])
                continue;
            const auto kind = static_cast<Graph::NodeKind>(i);
            const std::string words = std::string(sign_of(kind)) + " " + style_of(kind).words;
            text(x, y_, words);
            x += static_cast<int>(words.size()) * 7 + 16;
        }
        y_ += 8;
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            if (!kinds[i])
                continue;
            shape(10, y_, 26, kCell - 2, Graph::Edge{0, 0, "1", static_cast<EdgeKind>(i)});
            text(44, y_ + 12, style_of(static_cast<EdgeKind>(i)).words);
            y_ += kLine + 5;
        }
        y_ += kLine;
        sets();
        if (unnumbered_ != 0) {
            text(10, y_,
                 fmt::format("…  one of {} rarer sets: see the tooltip of the box, or "
                             "`polecat map`",
                             unnumbered_));
            y_ += kLine;
        }
    }

    /// In as many columns as the picture has room for.
    void sets() {
        std::size_t longest = 0;
        for (const std::string& each : sets_)
            longest = std::max(longest, shortened(each, kSetLength).size());
        const int wide = static_cast<int>(longest) * 7 + 50;
        const auto columns = static_cast<std::size_t>(std::max(1, (left_ + side()) / wide));
        const std::size_t rows = (sets_.size() + columns - 1) / columns;
        for (std::size_t i = 0; i < sets_.size(); ++i) {
            const int x = 10 + static_cast<int>(i / rows) * wide,
                      y = y_ + static_cast<int>(i % rows) * kLine;
            text(x + 20, y, std::to_string(i + 1), " text-anchor=\"end\" font-weight=\"bold\"");
            text(x + 30, y, shortened(sets_[i], kSetLength));
        }
        y_ += static_cast<int>(rows) * kLine;
    }

    const Graph& graph_;
    std::vector<std::size_t> order_, place_; ///< nodes in rows, and back
    std::vector<std::string> sets_;
    std::map<std::string, std::size_t> number_;
    std::size_t unnumbered_ = 0;
    int cell_ = kCell, left_ = 0, top_ = 0, y_ = 0;
    std::string out_;
};

} // namespace

std::string to_table_svg(const Graph& graph) {
    return Table(graph).svg();
}

} // namespace polecat::backends
