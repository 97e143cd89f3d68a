#include "backends/manifests/tree.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

#include "support/letters.h"

namespace polecat::backends::manifests {

namespace {

/// Text that every YAML reader takes for text without quotes: letters first, then letters, digits
/// and a few signs, and none of the words of YAML 1.1.
bool is_plain(std::string_view text) {
    static constexpr std::string_view kWords[] = {"y",   "n",    "yes",   "no",  "on",
                                                  "off", "true", "false", "null"};
    if (text.empty() || text.size() > 60)
        return false;
    const std::string lower = lower_case(text);
    const bool letters = lower.front() >= 'a' && lower.front() <= 'z';
    const bool plain = std::all_of(lower.begin(), lower.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || c == '/';
    });
    return letters && plain &&
           std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords);
}

} // namespace

class Writer {
  public:
    std::string run(const Tree& tree) {
        emitter_.SetMapFormat(YAML::Block);
        emitter_.SetDoublePrecision(17);
        write(tree);
        return emitter_.c_str();
    }

  private:
    void write(const Tree& tree) {
        std::visit([&](const auto& value) { write_value(value); }, tree.value_);
    }
    void write_value(std::monostate) { emitter_ << YAML::Null; }
    void write_value(bool value) { emitter_ << value; }
    void write_value(std::int64_t value) { emitter_ << value; }
    void write_value(double value) { emitter_ << value; }
    void write_value(const std::string& text) {
        if (!is_plain(text))
            emitter_ << YAML::DoubleQuoted;
        emitter_ << text;
    }
    void write_value(const Tree::List& list) {
        const bool scalars = std::none_of(list.begin(), list.end(), [](const Tree& item) {
            return std::holds_alternative<Tree::List>(item.value_) ||
                   std::holds_alternative<Tree::Map>(item.value_);
        });
        emitter_ << (scalars ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
        for (const Tree& item : list)
            write(item);
        emitter_ << YAML::EndSeq;
    }
    void write_value(const Tree::Map& map) {
        if (map.empty())
            emitter_ << YAML::Flow;
        emitter_ << YAML::BeginMap;
        for (const auto& [key, value] : map) {
            emitter_ << YAML::Key;
            write_value(key);
            emitter_ << YAML::Value;
            write(value);
        }
        emitter_ << YAML::EndMap;
    }

    YAML::Emitter emitter_;
};

Tree Tree::number(double value) {
    if (value == static_cast<double>(static_cast<std::int64_t>(value)))
        return static_cast<std::int64_t>(value);
    Tree out;
    out.value_ = value;
    return out;
}

bool Tree::hollow() const {
    if (const auto* list = std::get_if<List>(&value_))
        return list->empty();
    if (const auto* map = std::get_if<Map>(&value_))
        return map->empty();
    return nothing();
}

Tree& Tree::put(std::string key, Tree value) {
    if (!value.nothing())
        std::get<Map>(value_).emplace_back(std::move(key), std::move(value));
    return *this;
}

Tree& Tree::put_some(std::string key, Tree value) {
    return value.hollow() ? *this : put(std::move(key), std::move(value));
}

Tree& Tree::add(Tree item) {
    std::get<List>(value_).push_back(std::move(item));
    return *this;
}

std::string Tree::text() const {
    return Writer().run(*this) + "\n";
}

} // namespace polecat::backends::manifests
