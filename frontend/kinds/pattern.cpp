#include "frontend/kinds/pattern.h"

#include <map>
#include <memory>
#include <string>

#include <re2/re2.h>

namespace polecat::frontend {

namespace {

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

const re2::RE2& compiled(std::string_view pattern) {
    static thread_local std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> known;
    auto found = known.find(pattern);
    if (found == known.end())
        found = known.emplace(pattern, std::make_unique<re2::RE2>(piece(pattern))).first;
    return *found->second;
}

} // namespace

bool has_form(std::string_view text, std::string_view pattern) {
    return re2::RE2::FullMatch(piece(text), compiled(pattern));
}

std::vector<std::string_view> parts_of(std::string_view text, std::string_view pattern) {
    const re2::RE2& form = compiled(pattern);
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(form.NumberOfCapturingGroups()) +
                                         1);
    if (!form.Match(piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                    static_cast<int>(groups.size())))
        return {};
    std::vector<std::string_view> out;
    for (std::size_t i = 1; i < groups.size(); ++i)
        out.emplace_back(groups[i].data() == nullptr ? "" : groups[i].data(), groups[i].size());
    return out;
}

bool is_pattern(std::string_view text) {
    return re2::RE2(piece(text), re2::RE2::Quiet).ok();
}

} // namespace polecat::frontend
