#include "tests/expressions.h"

#include <map>
#include <regex>

namespace polecat::testing {

namespace {

const std::regex& compiled(const std::string& expression) {
    thread_local std::map<std::string, std::regex> kept;
    return kept.try_emplace(expression, expression).first->second;
}

} // namespace

std::vector<Match> matches(const std::string& text, const std::string& expression) {
    std::vector<Match> out;
    for (std::sregex_iterator at(text.begin(), text.end(), compiled(expression)), end; at != end;
         ++at)
        out.push_back({static_cast<std::size_t>(at->position()), {at->begin(), at->end()}});
    return out;
}

bool is_match(const std::string& whole, const std::string& expression) {
    return std::regex_match(whole, compiled(expression));
}

std::string replaced(const std::string& text, const std::string& expression,
                     const std::string& by) {
    return std::regex_replace(text, compiled(expression), by);
}

} // namespace polecat::testing
