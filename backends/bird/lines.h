/// The parts of emit(), and the lines that they write. Private to backends/bird.
#pragma once

#include <string>
#include <string_view>

#include "ir/routing/node.h"
#include "support/source.h"

namespace polecat::bird {

class Lines {
  public:
    explicit Lines(const Sources* origins) : origins_(origins) {}

    void add(std::string_view text);
    /// With what it was made from as a comment, if that is wanted and known.
    void add(std::string_view text, const routing::Origin& origin);
    void add(const Lines& other) { text_ += other.text_; }
    void reserve(std::size_t size) { text_.reserve(size); }
    std::string take() { return std::move(text_); }

  private:
    const Sources* origins_;
    std::string text_;
};

/// emit_filters.cpp: functions of the family's BGPFilters.
void emit_filters(const routing::FamilyRouting& family, Lines& out);
/// emit_rules.cpp: what leaves the node, what enters the kernel.
void emit_rules(const routing::FamilyRouting& family, Lines& out);
/// emit_sessions.cpp
void emit_sessions(const routing::NodeRouting& node, const routing::FamilyRouting& family,
                   Lines& out);
std::string_view debug_of_sessions(routing::Logging logging);

} // namespace polecat::bird
