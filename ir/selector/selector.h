/// Selector terms of Calico's selector language and their evaluation. The parser is in
/// frontend/selector; a node evaluates compiled terms without one.
/// Meaning: libcalico-go/lib/selector/parser (ast.go).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polecat::selector {

/// Labels of one object: sorted by key, each key once. One block of memory holds them all, since a
/// cluster has millions; copies share it, and a change makes a new one.
class Labels {
  public:
    /// A view into the labels it comes from.
    using Pair = std::pair<std::string_view, std::string_view>;

    class Iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Pair;
        using difference_type = std::ptrdiff_t;
        using pointer = const Pair*;
        using reference = Pair;
        Iterator() = default;
        Iterator(const Labels* labels, std::size_t at) : labels_(labels), at_(at) {}
        Pair operator*() const { return labels_->at(at_); }
        Iterator& operator++() { return ++at_, *this; }
        Iterator operator++(int) { return {labels_, at_++}; }
        bool operator==(const Iterator&) const = default;

      private:
        const Labels* labels_ = nullptr;
        std::size_t at_ = 0;
    };

    Labels() = default;
    /// Later pairs win over earlier ones of the same key.
    explicit Labels(std::vector<Pair> pairs);
    explicit Labels(const std::vector<std::pair<std::string, std::string>>& pairs);

    std::optional<std::string_view> find(std::string_view key) const;
    void set(std::string_view key, std::string_view value);
    /// Sets what is not there yet (inheritance: the own label wins).
    void set_default(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    bool empty() const { return size() == 0; }
    std::size_t size() const { return block_ ? block_[0] : 0; }
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size()}; }
    std::strong_ordering operator<=>(const Labels& other) const;
    bool operator==(const Labels& other) const;

  private:
    Pair at(std::size_t index) const;
    const char* text() const;

    /// The number of pairs, then where each key and value ends in the text, then the text.
    std::shared_ptr<const std::uint32_t[]> block_; ///< absent: none
};

enum class Op : std::uint8_t {
    All,        ///< all()
    Global,     ///< global(): true here; its meaning comes from lowering
    Has,        ///< has(label)
    Equal,      ///< label == value
    NotEqual,   ///< label != value: true when the label is absent
    In,         ///< label in {values}
    NotIn,      ///< label not in {values}: true when the label is absent
    Contains,   ///< label contains value
    StartsWith, ///< label starts with value
    EndsWith,   ///< label ends with value
    Not,        ///< one child
    And,        ///< two or more children, as parsed, not flattened
    Or,         ///< two or more children, as parsed, not flattened
};

struct Term;

/// An immutable selector. Copies are cheap and share structure. Default: all().
class Selector {
  public:
    Selector();
    static Selector all();
    static Selector global();
    static Selector has(std::string label);
    static Selector equal(std::string label, std::string value);
    static Selector not_equal(std::string label, std::string value);
    static Selector in(std::string label, std::vector<std::string> values);
    static Selector not_in(std::string label, std::vector<std::string> values);
    static Selector contains(std::string label, std::string value);
    static Selector starts_with(std::string label, std::string value);
    static Selector ends_with(std::string label, std::string value);
    /// Keeps a double negation: Calico's parser cancels `!!` by parity, but not across parentheses.
    static Selector negate(Selector inner);
    /// One operand is returned as it is; none is all().
    static Selector all_of(std::vector<Selector> operands);
    /// At least one operand.
    static Selector any_of(std::vector<Selector> operands);

    const Term& term() const { return *term_; }
    bool is_all() const;

    bool matches(const Labels& labels) const;
    /// Calico's canonical text (String()).
    std::string canonical() const;
    /// "s:" + base64url(SHA-224("s:" + canonical)), as Calico names the IP set.
    std::string unique_id() const;
    /// Every label name with `prefix` before it.
    Selector with_prefix(std::string_view prefix) const;
    /// Every all() and every global() replaced (lowering of namespace selectors).
    Selector replace(const Selector& for_all, const Selector& for_global) const;
    /// True when some term is `op`.
    bool mentions(Op op) const;

    /// Structural equality (equal canonical text).
    bool operator==(const Selector& other) const;

  private:
    explicit Selector(std::shared_ptr<const Term> term) : term_(std::move(term)) {}
    std::shared_ptr<const Term> term_;
};

struct Term {
    Op op = Op::All;
    std::string label;               ///< Has to EndsWith
    std::vector<std::string> values; ///< one value, or the sorted, distinct values of In and NotIn
    std::vector<Selector> children;  ///< Not, And, Or
};

/// What a matching object's labels must look like, label by label
/// (libcalico-go/lib/selector/parser/label_restriction.go). A lower bound: labels that are not
/// listed are not restricted as far as we know.
struct Restriction {
    std::string label;
    bool must_be_present = false;
    bool must_be_absent = false;
    /// Set: the value is one of these (sorted); empty means that nothing can match.
    std::optional<std::vector<std::string>> one_of;
    auto operator<=>(const Restriction&) const = default;
};
/// Sorted by label.
std::vector<Restriction> restrictions(const Selector& selector);

} // namespace polecat::selector
