// The test vector "abc" of FIPS 180-4.
#include <doctest/doctest.h>

#include "support/sha2.h"

using namespace polecat;

TEST_CASE("SHA-224 and SHA-256") {
    const auto short_one = sha224("abc");
    CHECK(base64url(short_one.data(), short_one.size()) ==
          "Iwl9IjQF2CKGQqR3vaJVsyqtvOS9oLP342ydpw");
    const auto long_one = sha256("abc");
    CHECK(base64url(long_one.data(), long_one.size()) ==
          "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}
