// Bytes of characters by number, as libyaml counts them.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "frontend/yaml/lines.h"

using namespace polecat;

TEST_CASE("each character of a text is found by its number, whatever its length") {
    const std::string mark = "\xef\xbb\xbf", one = "a", two = "\xc3\xa4", three = "\xe6\x97\xa5",
                      four = "\xf0\x9f\x8e\x89";
    for (const std::string& before : {std::string(), mark})
        for (const std::size_t length : {0, 1, 15, 16, 17, 100}) {
            std::string text = before;
            std::vector<std::size_t> begins;
            for (std::size_t i = 0; i < length; ++i) {
                begins.push_back(text.size());
                text += std::vector{one, two, three, four}[i % 7 % 4];
            }
            const yaml::Characters characters(text);
            for (std::size_t i = 0; i < length; ++i)
                CHECK(characters.byte_of(i) == begins[i]);
            CHECK(characters.byte_of(length) == text.size());
            CHECK(characters.byte_of(length + 99) == text.size());
        }
}
