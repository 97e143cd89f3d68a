/// What is known of kinds that polecat does not read: the custom resources of other systems, and
/// Calico's own that hold no policy. One table; a kind that is not there is judged by what its
/// object shows (pod_makers, foreign_policies, groups).
#pragma once

#include <cstdint>
#include <string_view>

namespace polecat::frontend {

enum class OtherUse : std::uint8_t {
    NoPolicy,  ///< of Calico: changes no answer
    Policy,    ///< says more than the policies that are read
    MakesPods, ///< pods that are not in the input come of it
};

bool is_known_as(OtherUse use, std::string_view group, std::string_view kind);

} // namespace polecat::frontend
