#include "support/parallel.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace polecat;

TEST_CASE("every item is done once, whatever the number of threads") {
    for (const unsigned jobs : {0u, 1u, 2u, 7u, 200u}) {
        std::vector<int> done(100, 0);
        in_parallel(done.size(), jobs, [&](std::size_t item) { done[item] += 1; });
        CHECK(done == std::vector<int>(100, 1));
    }
    in_parallel(0, 4, [](std::size_t) { FAIL("there is nothing to do"); });
    CHECK(default_jobs() >= 1);
}

TEST_CASE("the first item that fails is told of") {
    for (const unsigned jobs : {1u, 3u}) {
        std::string what;
        try {
            in_parallel(50, jobs, [](std::size_t item) {
                if (item % 10 == 7)
                    throw std::runtime_error(std::to_string(item));
            });
        } catch (const std::runtime_error& failure) {
            what = failure.what();
        }
        CHECK(what == "7");
    }
}
