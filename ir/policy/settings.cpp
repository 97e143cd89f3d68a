#include "ir/policy/settings.h"

#include <algorithm>

#include "support/letters.h"

namespace polecat::policy {

namespace {

std::string item(std::string_view list, std::size_t number) {
    return std::string(list) + "[" + std::to_string(number) + "]";
}

} // namespace

void Settings::add(std::string path, SettingValue value, Span span) {
    values_.insert_or_assign(std::move(path), At<SettingValue>{std::move(value), span});
}

void Settings::add_list(std::string path, std::size_t size) {
    lists_.insert_or_assign(std::move(path), size);
}

bool Settings::has(std::string_view path) const {
    return values_.find(path) != values_.end() || lists_.find(path) != lists_.end();
}

template <class T> std::optional<At<T>> Settings::find(std::string_view path) const {
    const auto found = values_.find(path);
    if (found == values_.end() || !std::holds_alternative<T>(found->second.value))
        return std::nullopt;
    return At<T>{std::get<T>(found->second.value), found->second.span};
}

std::optional<At<std::string>> Settings::text(std::string_view path) const {
    return find<std::string>(path);
}
std::optional<At<bool>> Settings::boolean(std::string_view path) const {
    return find<bool>(path);
}
std::optional<At<std::int64_t>> Settings::integer(std::string_view path) const {
    return find<std::int64_t>(path);
}
std::optional<At<net::Cidr>> Settings::cidr(std::string_view path) const {
    return find<net::Cidr>(path);
}
std::optional<At<net::Address>> Settings::address(std::string_view path) const {
    return find<net::Address>(path);
}
std::optional<SelectorField> Settings::selector(std::string_view path) const {
    const auto found = find<SelectorField>(path);
    return found ? std::optional(found->value) : std::nullopt;
}

std::size_t Settings::size(std::string_view list) const {
    const auto found = lists_.find(list);
    return found == lists_.end() ? 0 : found->second;
}

std::vector<At<std::string>> Settings::texts(std::string_view list) const {
    std::vector<At<std::string>> out;
    for (std::size_t i = 0; i < size(list); ++i)
        if (auto each = text(item(list, i)))
            out.push_back(std::move(*each));
    return out;
}

std::vector<At<net::Cidr>> Settings::cidrs(std::string_view list) const {
    std::vector<At<net::Cidr>> out;
    for (std::size_t i = 0; i < size(list); ++i)
        if (const auto each = cidr(item(list, i)))
            out.push_back(*each);
    return out;
}

bool Settings::is_true(std::string_view path) const {
    const auto found = boolean(path);
    return found && found->value;
}

bool Settings::is(std::string_view path, std::string_view value) const {
    const auto found = text(path);
    return found && equal_ignoring_case(found->value, value);
}

std::vector<std::string> Settings::paths() const {
    std::vector<std::string> out;
    for (const auto& [path, value] : values_)
        out.push_back(path);
    for (const auto& [path, size] : lists_)
        out.push_back(path);
    std::sort(out.begin(), out.end());
    return out;
}

Span Settings::span(std::string_view path) const {
    const auto found = values_.lower_bound(path);
    return found != values_.end() && std::string_view(found->first).starts_with(path)
               ? found->second.span
               : Span{};
}

} // namespace polecat::policy
