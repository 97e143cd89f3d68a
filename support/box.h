/// Box<T>: an optional value kept on the heap, so that an absent one costs a pointer. Copies are
/// deep. For rarely set fields of objects that there are many of.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <utility>

namespace polecat {

template <class T> class Box {
  public:
    Box() = default;
    Box(std::nullopt_t) {}                                          // NOLINT: implicit
    Box(T value) : value_(std::make_unique<T>(std::move(value))) {} // NOLINT: implicit
    Box(std::optional<T> value) {                                   // NOLINT: implicit
        if (value)
            value_ = std::make_unique<T>(std::move(*value));
    }
    Box(const Box& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Box(Box&&) noexcept = default;
    Box& operator=(const Box& other) {
        value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
        return *this;
    }
    Box& operator=(Box&&) noexcept = default;
    ~Box() = default;

    explicit operator bool() const { return value_ != nullptr; }
    bool has_value() const { return value_ != nullptr; }
    /// Only when there is a value.
    const T& operator*() const { return *value_; }
    T& operator*() { return *value_; }
    const T* operator->() const { return value_.get(); }
    T* operator->() { return value_.get(); }

  private:
    std::unique_ptr<T> value_;
};

} // namespace polecat
