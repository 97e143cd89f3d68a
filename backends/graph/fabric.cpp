#include "backends/graph/fabric.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "backends/graph/graph.h"

namespace polecat::backends {

namespace {

constexpr double kWidth = 168, kGap = 26, kLineHeight = 16, kMargin = 24, kBetween = 110;
constexpr std::size_t kTitle = 22, kText = 26, kProblemText = 118; ///< characters
constexpr std::size_t kMostDiscs = 3, kMostProblems = 40;          ///< at a line; in the list
constexpr const char* kBad = "#c1272d";
constexpr const char* kDoubt = "#b35900";
constexpr const char* kExternal = "#0072b2";
constexpr const char* kInternal = "#5b6770";

struct Place {
    double x = 0, y = 0, height = 0;
    double middle() const { return x + kWidth / 2; }
};

class FabricDrawing {
    using Box = FabricPicture::Box;
    using Layer = FabricPicture::Layer;

  public:
    explicit FabricDrawing(const FabricPicture& picture) : picture_(picture) {}

    std::string run() {
        place();
        for (const FabricPicture::Line& line : picture_.lines)
            draw(line);
        mesh();
        for (std::size_t i = 0; i < picture_.boxes.size(); ++i)
            draw(picture_.boxes[i], places_[i]);
        out_ += labels_; // on top of the lines
        const double bottom = problems(legend(bottom_ + 34));
        return fmt::format(
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
                   "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\" "
                   "font-size=\"12\" role=\"img\">\n<title>{2}</title>\n"
                   "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
                   width_, bottom + kMargin, escape_markup(picture_.title)) +
               head_ + out_ + "</svg>\n";
    }

  private:
    // --- places ----------------------------------------------------------------------------------

    std::vector<std::size_t> layer(Layer which) const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < picture_.boxes.size(); ++i)
            if (picture_.boxes[i].layer == which)
                out.push_back(i);
        return out;
    }

    static double height_of(const Box& box) {
        return 26 + kLineHeight * static_cast<double>(box.lines.size()) + 8;
    }

    /// The mean place, among the nodes' boxes, of those that a box has lines to.
    double centre(std::size_t box) const {
        double sum = 0, count = 0;
        for (const FabricPicture::Line& line : picture_.lines)
            for (const auto& [from, to] : {std::pair(line.a, line.b), std::pair(line.b, line.a)})
                if (from == box && picture_.boxes[to].layer == Layer::Nodes) {
                    sum += places_[to].x;
                    count += 1;
                }
        return count == 0 ? 1e9 : sum / count;
    }

    void place() {
        places_.resize(picture_.boxes.size());
        std::array<std::vector<std::size_t>, 3> rows{layer(Layer::Router), layer(Layer::Reflector),
                                                     layer(Layer::Nodes)};
        std::size_t most = 4;
        for (const auto& row : rows)
            most = std::max(most, row.size());
        width_ = 2 * kMargin + static_cast<double>(most) * (kWidth + kGap) - kGap;
        spread(rows[2]);
        for (const std::size_t above : {std::size_t{0}, std::size_t{1}}) {
            std::stable_sort(rows[above].begin(), rows[above].end(),
                             [&](std::size_t a, std::size_t b) { return centre(a) < centre(b); });
            spread(rows[above]);
        }
        double y = head();
        for (const auto& row : rows) {
            if (row.empty())
                continue;
            double tallest = 0;
            for (const std::size_t box : row) {
                places_[box].y = y;
                places_[box].height = height_of(picture_.boxes[box]);
                tallest = std::max(tallest, places_[box].height);
            }
            bottom_ = y + tallest;
            y = bottom_ + kBetween;
        }
    }

    void spread(const std::vector<std::size_t>& row) {
        const double used = static_cast<double>(row.size()) * (kWidth + kGap) - kGap;
        double x = (width_ - used) / 2;
        for (const std::size_t box : row) {
            places_[box].x = x;
            x += kWidth + kGap;
        }
    }

    double head() {
        double y = kMargin + 14;
        head_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"18\" font-weight=\"bold\" "
                             "fill=\"#1b1f23\">{}</text>\n",
                             kMargin, y, escape_markup(picture_.title));
        for (const std::string& note : picture_.notes) {
            y += 18;
            head_ += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"#444c56\">{}</text>\n", kMargin, y,
                                 escape_markup(note));
        }
        return y + 30;
    }

    // --- boxes and lines -------------------------------------------------------------------------

    /// Red where something is certain not to establish.
    const char* colour(const std::vector<std::size_t>& problems, const char* otherwise) const {
        const char* out = otherwise;
        for (const std::size_t each : problems)
            if (picture_.problems[each].certain)
                return kBad;
            else
                out = kDoubt;
        return out;
    }

    void draw(const Box& box, const Place& at) {
        const char* fill = box.layer == Layer::Router      ? "#eef0f2"
                           : box.layer == Layer::Reflector ? "#fdf1d3"
                                                           : "#e4f0f9";
        std::vector<std::size_t> all = box.own_problems;
        all.insert(all.end(), box.mesh_problems.begin(), box.mesh_problems.end());
        out_ += fmt::format(
            "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\" "
            "rx=\"{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"{}\"/>\n",
            escape_markup(box.tooltip), at.x, at.y, kWidth, at.height,
            box.layer == Layer::Router ? 2 : 8, fill, colour(box.own_problems, "#39434d"),
            box.own_problems.empty() ? 1.2 : 2.5);
        double y = at.y + 19;
        const auto text = [&](const std::string& line, std::size_t most, const char* weight) {
            out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" "
                                "font-weight=\"{}\" fill=\"#1b1f23\">{}</text>\n",
                                at.middle(), y, weight, escape_markup(shortened(line, most)));
            y += kLineHeight;
        };
        text(box.title, kTitle, "bold");
        for (const std::string& line : box.lines)
            text(line, kText, "normal");
        out_ += "</g>\n";
        if (!box.own_problems.empty())
            numbers(box.own_problems, at.x + kWidth - 4, at.y + 2);
    }

    /// From box to box; between boxes of one row in an arc above it.
    void draw(const FabricPicture::Line& line) {
        const Place *a = &places_[line.a], *b = &places_[line.b];
        if (a->y > b->y || (a->y == b->y && a->x > b->x))
            std::swap(a, b);
        const bool level = a->y == b->y;
        const double y1 = level ? a->y : a->y + a->height, y2 = b->y;
        const double lift = level ? 46 : 0;
        const std::string path =
            level ? fmt::format("M{:.1f},{:.1f} C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}",
                                a->middle(), y1, a->middle(), y1 - lift, b->middle(), y2 - lift,
                                b->middle(), y2)
                  : fmt::format("M{:.1f},{:.1f} L{:.1f},{:.1f}", a->middle(), y1, b->middle(), y2);
        const bool internal = line.external == 0;
        out_ += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n",
                            path, colour(line.problems, internal ? kInternal : kExternal),
                            line.problems.empty() ? 1.6 : 3.2,
                            internal ? " stroke-dasharray=\"6 4\"" : "");
        // Nearer to the lower end, where lines are further apart.
        const double part = level ? 0.5 : 0.72;
        label(line, a->middle() + (b->middle() - a->middle()) * part,
              level ? y1 - lift * 0.75 : y1 + (y2 - y1) * part);
    }

    void label(const FabricPicture::Line& line, double x, double y) {
        std::string text;
        if (line.external != 0)
            text = fmt::format("{} eBGP", line.external);
        if (line.internal != 0)
            text += fmt::format("{}{} iBGP", text.empty() ? "" : ", ", line.internal);
        const double wide = 6.6 * static_cast<double>(text.size()) + 8;
        labels_ += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"16\" fill=\"#ffffff\" "
            "fill-opacity=\"0.9\"/><text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" "
            "font-size=\"11\" fill=\"{}\">{}</text>\n",
            x - wide / 2, y - 8, wide, x, y + 4, colour(line.problems, "#1b1f23"), text);
        numbers(line.problems, x + wide / 2 + 9, y);
    }

    /// The numbers of problems, in discs.
    void numbers(const std::vector<std::size_t>& problems, double x, double y) {
        std::size_t drawn = 0;
        for (const std::size_t each : std::set(problems.begin(), problems.end())) {
            if (++drawn > kMostDiscs)
                break;
            labels_ += disc(each, x, y);
            x += 20;
        }
    }

    std::string disc(std::size_t problem, double x, double y) const {
        return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\" fill=\"{}\"/><text "
                           "x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" font-size=\"11\" "
                           "font-weight=\"bold\" fill=\"#ffffff\">{}</text>\n",
                           x, y, picture_.problems[problem].certain ? kBad : kDoubt, x, y + 4,
                           problem + 1);
    }

    /// A bar below the nodes that all members hang on.
    void mesh() {
        if (picture_.mesh.empty())
            return;
        const double y = bottom_ + 56;
        double left = width_, right = 0;
        for (std::size_t i = 0; i < picture_.boxes.size(); ++i) {
            const Box& box = picture_.boxes[i];
            if (!box.in_mesh)
                continue;
            const Place& at = places_[i];
            left = std::min(left, at.x);
            right = std::max(right, at.x + kWidth);
            out_ +=
                fmt::format("<path d=\"M{0:.1f},{1:.1f} L{0:.1f},{2:.1f}\" stroke=\"{3}\" "
                            "stroke-width=\"{4}\"/>\n",
                            at.middle(), at.y + at.height, y, colour(box.mesh_problems, kInternal),
                            box.mesh_problems.empty() ? 1.6 : 3.2);
            numbers(box.mesh_problems, at.middle() + 14, y - 20);
        }
        // As wide as its text at least, inside the picture.
        constexpr double kLetter = 6.6;
        const double wanted = kLetter * static_cast<double>(picture_.mesh.size()) + 28;
        if (right - left < wanted) {
            left = std::clamp((left + right - wanted) / 2, kMargin,
                              std::max(kMargin, width_ - kMargin - wanted));
            right = left + wanted;
        }
        out_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"26\" "
                            "rx=\"13\" fill=\"#dfe4e8\" stroke=\"#39434d\"/><text x=\"{:.1f}\" "
                            "y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#1b1f23\">{}</text>\n",
                            left, y, right - left, (left + right) / 2, y + 17,
                            escape_markup(picture_.mesh));
        bottom_ = y + 26;
    }

    // --- below the picture -----------------------------------------------------------------------

    double legend(double y) {
        double x = kMargin;
        const auto entry = [&](const char* colour, bool dashed, double width, const char* text) {
            out_ += fmt::format("<path d=\"M{0:.1f},{1:.1f} L{2:.1f},{1:.1f}\" stroke=\"{3}\" "
                                "stroke-width=\"{4}\"{5}/><text x=\"{6:.1f}\" y=\"{7:.1f}\" "
                                "fill=\"#1b1f23\">{8}</text>\n",
                                x, y, x + 34, colour, width,
                                dashed ? " stroke-dasharray=\"6 4\"" : "", x + 40, y + 4, text);
            x += 60 + 6.6 * static_cast<double>(std::string(text).size());
        };
        entry(kExternal, false, 1.6, "eBGP");
        entry(kInternal, true, 1.6, "iBGP");
        entry(kBad, false, 3.2, "some will not establish");
        entry(kDoubt, false, 3.2, "some may not");
        return y + 16;
    }

    double problems(double y) {
        const std::size_t all = picture_.problems.size();
        for (std::size_t i = 0; i < std::min(all, kMostProblems); ++i) {
            y += 24;
            out_ += disc(i, kMargin + 9, y - 4);
            for (const std::string& line : wrapped(picture_.problems[i].text)) {
                text_line(line, "#1b1f23", y);
                y += kLineHeight;
            }
            for (const std::string& place : picture_.problems[i].places) {
                text_line(place, "#57606a", y);
                y += kLineHeight;
            }
            y -= kLineHeight;
        }
        if (all > kMostProblems)
            text_line(fmt::format("and {} more", all - kMostProblems), "#1b1f23", y += 24);
        return y + 8;
    }

    void text_line(const std::string& text, const char* colour, double y) {
        out_ += fmt::format("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n", kMargin + 26, y,
                            colour, escape_markup(shortened(text, kProblemText)));
        width_ =
            std::max(width_, 2 * kMargin + 26 +
                                 6.2 * static_cast<double>(std::min(text.size(), kProblemText)));
    }

    static std::vector<std::string> wrapped(const std::string& text) {
        std::vector<std::string> out(1);
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find(' ', at), text.size());
            const std::string word = text.substr(at, end - at);
            if (!out.back().empty() && out.back().size() + word.size() + 1 > kProblemText)
                out.emplace_back();
            out.back() += (out.back().empty() ? "" : " ") + word;
            at = end + 1;
        }
        return out;
    }

    const FabricPicture& picture_;
    std::vector<Place> places_;
    double width_ = 0, bottom_ = 0;
    std::string head_, out_, labels_;
};

} // namespace

std::string to_svg(const FabricPicture& picture) {
    return FabricDrawing(picture).run();
}

} // namespace polecat::backends
