/// What a proof of rules that are the policy's says, for tests.
#pragma once

#include <doctest/doctest.h>

#include "driver/verify/proof.h"

namespace polecat::testing {

/// How many; nothing is different, closed or not known.
inline std::size_t all_proved(const driver::NodeProof& proof) {
    for (const driver::Difference& each : proof.differences)
        FAIL_CHECK(each.interface << " " << each.what
                                  << (each.flow ? each.flow->rules.program : ""));
    CHECK(proof.unknown == 0);
    CHECK(proof.closed == 0);
    return proof.proved;
}

} // namespace polecat::testing
