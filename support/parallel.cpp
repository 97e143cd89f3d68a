#include "support/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace polecat {

unsigned default_jobs() {
    return std::max(1u, std::thread::hardware_concurrency());
}

void in_parallel(std::size_t items, unsigned jobs, const std::function<void(std::size_t)>& act) {
    std::atomic<std::size_t> next{0};
    std::vector<std::exception_ptr> failed(items);
    // Items are taken in order, so that all before one that fails are done.
    const auto work = [&] {
        for (std::size_t item = next++; item < items; item = next++)
            try {
                act(item);
            } catch (...) {
                failed[item] = std::current_exception();
                next = items;
            }
    };
    {
        std::vector<std::jthread> threads; // the caller is one of them
        for (std::size_t i = 1; i < std::min<std::size_t>(jobs, items); ++i)
            threads.emplace_back(work);
        work();
    }
    for (const std::exception_ptr& each : failed)
        if (each)
            std::rethrow_exception(each);
}

} // namespace polecat
