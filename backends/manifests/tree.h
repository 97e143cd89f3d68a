/// A YAML document in the making, and its text. For backends/manifests only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace polecat::backends::manifests {

/// A scalar, a list or a mapping whose keys keep their order.
class Tree {
  public:
    Tree() = default;                                          ///< nothing: left out of mappings
    Tree(std::string text) : value_(std::move(text)) {}        // NOLINT: implicit
    Tree(const char* text) : value_(std::string(text)) {}      // NOLINT: implicit
    Tree(std::string_view text) : value_(std::string(text)) {} // NOLINT: implicit
    Tree(bool value) : value_(value) {}                        // NOLINT: implicit
    template <std::integral T>
    Tree(T number) : value_(static_cast<std::int64_t>(number)) {} // NOLINT
    static Tree number(double value);
    static Tree list() { return Tree(List{}); }
    static Tree map() { return Tree(Map{}); }

    bool nothing() const { return std::holds_alternative<std::monostate>(value_); }
    /// A list or mapping with nothing in it.
    bool hollow() const;
    /// Adds to a mapping; what is nothing is left out.
    Tree& put(std::string key, Tree value);
    /// The same, leaving out what is hollow.
    Tree& put_some(std::string key, Tree value);
    Tree& add(Tree item); ///< to a list

    /// One document.
    std::string text() const;

  private:
    using List = std::vector<Tree>;
    using Map = std::vector<std::pair<std::string, Tree>>;
    explicit Tree(List list) : value_(std::move(list)) {}
    explicit Tree(Map map) : value_(std::move(map)) {}
    friend class Writer;
    std::variant<std::monostate, std::string, bool, std::int64_t, double, List, Map> value_;
};

} // namespace polecat::backends::manifests
