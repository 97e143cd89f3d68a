/// Values that live as long as the process, whose end frees them at once: to take a large cluster
/// apart piece by piece is a tenth of a command's time. For what a command holds to its end.
#pragma once

#include <deque>
#include <utility>

namespace polecat {

template <class T> T& kept(T value) {
    static std::deque<T>& all = *new std::deque<T>; // never destroyed
    return all.emplace_back(std::move(value));
}

} // namespace polecat
