#include "frontend/suppressions.h"

#include <algorithm>
#include <map>

#include "frontend/yaml/layout.h"
#include "frontend/yaml/node.h"

namespace polecat::frontend {

namespace {

constexpr std::string_view kComment = "polecat:ignore";
constexpr std::string_view kAnnotation = "polecat.io/ignore";

policy::Position position_of(const Span& span) {
    return {span.line, span.column};
}

class Finder {
  public:
    Finder(const yaml::Layout& layout, std::vector<policy::Suppression>& out)
        : layout_(layout), out_(out) {}

    /// A comment speaks of its line; alone on its line, of the next that holds no comment alone.
    void comments() {
        std::map<std::uint32_t, std::uint32_t> below; // a comment's line -> what it speaks of
        for (auto each = layout_.comments.rbegin(); each != layout_.comments.rend(); ++each)
            if (each->alone) {
                const auto next = below.find(each->span.line + 1);
                below[each->span.line] = next != below.end() ? next->second : each->span.line + 1;
            }
        for (const yaml::Comment& each : layout_.comments) {
            const std::size_t start = each.text.find_first_not_of(" \t");
            if (start == std::string::npos || each.text.compare(start, kComment.size(), kComment))
                continue;
            std::string rest = each.text.substr(start + kComment.size());
            if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t')
                continue;
            const std::uint32_t line = each.alone ? below.at(each.span.line) : each.span.line;
            out_.push_back({false, each.span, std::move(rest), {line, 1}, {line + 1, 1}});
        }
    }

    /// The annotation of an object, or of each object of a list.
    void annotations(const yaml::Node& root) {
        const yaml::Node* items = root.find("items");
        if (items != nullptr && items->is_sequence())
            for (const yaml::Node& item : items->items)
                if (item.is_mapping())
                    annotations(item);
        const yaml::Node* meta = root.find("metadata");
        const yaml::Node* all =
            meta != nullptr && meta->is_mapping() ? meta->find("annotations") : nullptr;
        if (all == nullptr || !all->is_mapping())
            return;
        for (const yaml::Member& each : all->members)
            if (each.key == kAnnotation)
                add(root, each);
    }

  private:
    void add(const yaml::Node& object, const yaml::Member& member) {
        policy::Suppression made{true, member.value.span, member.value.text, {}, {}};
        if (const yaml::MappingPlace* place = extent_of(object)) {
            made.begin = {place->line, place->column};
            made.end = {place->end_line, place->end_column};
        }
        // One that comes from an anchor in another object speaks of nothing.
        const policy::Position here = position_of(member.key_span);
        if (here < made.begin || here >= made.end)
            made.end = made.begin;
        out_.push_back(std::move(made));
    }

    /// An anchor before a mapping is part of its node's span, but not of its place.
    const yaml::MappingPlace* extent_of(const yaml::Node& mapping) const {
        const auto found = std::lower_bound(
            layout_.mappings.begin(), layout_.mappings.end(), position_of(mapping.span),
            [](const yaml::MappingPlace& each, const policy::Position& wanted) {
                return policy::Position{each.line, each.column} < wanted;
            });
        return found == layout_.mappings.end() ? nullptr : &*found;
    }

    const yaml::Layout& layout_;
    std::vector<policy::Suppression>& out_;
};

} // namespace

std::vector<policy::Suppression> read_suppressions(const Sources& sources) {
    std::vector<policy::Suppression> out;
    for (std::uint32_t i = 0; i < sources.size(); ++i) {
        const FileId file{i};
        const std::string& text = sources.text(file);
        const bool annotated = text.find(kAnnotation) != std::string::npos;
        if (!annotated && text.find(kComment) == std::string::npos)
            continue;
        const auto layout = yaml::layout_of(text, file);
        if (!layout)
            continue;
        Finder finder(*layout, out);
        finder.comments();
        diag::Diagnostics reported_by_load;
        if (annotated)
            for (const yaml::Document& each : yaml::read_documents(sources, file, reported_by_load))
                if (each.root.is_mapping())
                    finder.annotations(each.root);
    }
    return out;
}

} // namespace polecat::frontend
