/// Settings: the spec of a kind that a schema describes (BGPPeer, FelixConfiguration, Installation,
/// ...): every field that a manifest gives, typed, with its place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/net/address.h"
#include "ir/policy/rule.h"
#include "support/source.h"

namespace polecat::policy {

/// Text stands for durations, names, choices and everything else without a type of its own.
using SettingValue =
    std::variant<std::string, bool, std::int64_t, net::Cidr, net::Address, SelectorField>;

class Settings {
  public:
    /// `path` is that of the field below spec, items of lists by number: "communities[0].value".
    void add(std::string path, SettingValue value, Span span);
    /// A list, with the number of its items.
    void add_list(std::string path, std::size_t size);

    bool has(std::string_view path) const; ///< a value, a list, or an empty object
    /// The value, when it is there and of that type.
    std::optional<At<std::string>> text(std::string_view path) const;
    std::optional<At<bool>> boolean(std::string_view path) const;
    std::optional<At<std::int64_t>> integer(std::string_view path) const;
    std::optional<At<net::Cidr>> cidr(std::string_view path) const;
    std::optional<At<net::Address>> address(std::string_view path) const;
    std::optional<SelectorField> selector(std::string_view path) const;
    /// How many items a list has; 0 when it is not there.
    std::size_t size(std::string_view list) const;
    /// The items of a list of single values.
    std::vector<At<std::string>> texts(std::string_view list) const;
    std::vector<At<net::Cidr>> cidrs(std::string_view list) const;

    bool is_true(std::string_view path) const;
    bool is(std::string_view path, std::string_view value) const; ///< text, case ignored
    /// Where the field stands; of an object or list: its first field.
    Span span(std::string_view path) const;

    /// Of every value and list, sorted.
    std::vector<std::string> paths() const;
    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }

  private:
    template <class T> std::optional<At<T>> find(std::string_view path) const;
    std::map<std::string, At<SettingValue>, std::less<>> values_;
    std::map<std::string, std::size_t, std::less<>> lists_;
};

} // namespace polecat::policy
