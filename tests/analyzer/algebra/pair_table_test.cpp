#include "analyzer/algebra/pair_table.h"

#include <doctest/doctest.h>

using polecat::analyzer::PairTable;

TEST_CASE("a pair table keeps what was noted of each pair") {
    PairTable table;
    constexpr std::uint32_t kSize = 150; // it grows several times
    for (std::uint32_t a = 0; a < kSize; ++a)
        for (std::uint32_t b = 0; b < kSize; ++b) {
            std::uint32_t& noted = table(a, b);
            REQUIRE(noted == PairTable::kNone);
            noted = a * kSize + b;
        }
    for (std::uint32_t a = 0; a < kSize; ++a)
        for (std::uint32_t b = 0; b < kSize; ++b)
            REQUIRE(table(a, b) == a * kSize + b);
}

TEST_CASE("the numbers of a pair are in order, and may be large") {
    PairTable table;
    table(1, 2) = 12;
    table(2, 1) = 21;
    table(UINT32_MAX - 1, UINT32_MAX) = 7;
    CHECK(table(1, 2) == 12);
    CHECK(table(2, 1) == 21);
    CHECK(table(UINT32_MAX - 1, UINT32_MAX) == 7);
    CHECK(table(0, 0) == PairTable::kNone);
}
