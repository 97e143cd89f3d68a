/// A value that its copies share and nobody changes: as cheap to copy as a pointer, compared by
/// what it is. For parts that many owners repeat.
#pragma once

#include <compare>
#include <memory>
#include <utility>

namespace polecat {

template <class T> class Shared {
  public:
    Shared() : value_(std::make_shared<const T>()) {}
    Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

    const T& operator*() const { return *value_; }
    const T* operator->() const { return value_.get(); }
    operator const T&() const { return *value_; }

    bool operator==(const Shared& other) const {
        return value_ == other.value_ || *value_ == *other.value_;
    }
    auto operator<=>(const Shared& other) const requires std::three_way_comparable<T> {
        using Order = std::compare_three_way_result_t<T>;
        return value_ == other.value_ ? Order::equivalent : *value_ <=> *other.value_;
    }

  private:
    std::shared_ptr<const T> value_; ///< never null
};

} // namespace polecat
