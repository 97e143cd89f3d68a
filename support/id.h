/// Id<Tag>: a 32-bit index that cannot be mixed up with the index of another kind of thing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace polecat {

template <class Tag> struct Id {
    std::uint32_t value = 0;
    auto operator<=>(const Id&) const = default;
};

} // namespace polecat

template <class Tag> struct std::hash<polecat::Id<Tag>> {
    std::size_t operator()(polecat::Id<Tag> id) const noexcept { return id.value; }
};
