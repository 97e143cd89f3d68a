/// Work that splits, on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace polecat {

/// How many threads this machine runs at once; at least 1.
unsigned default_jobs();

/// act(item) for each item below `items`, by up to `jobs` threads. When an item is taken is left to
/// chance: act writes to a place of the item's own, and reads nothing that another one writes. Of
/// several exceptions that of the first item is thrown, whatever the number of threads.
void in_parallel(std::size_t items, unsigned jobs, const std::function<void(std::size_t)>& act);

} // namespace polecat
