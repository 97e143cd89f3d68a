/// What rules of others in a listing of iptables do to what ours have judged.
#pragma once

#include <string>
#include <vector>

namespace polecat::driver {

/// With any of them the rules are not the policy. `listing`: a folder with `rules.v4` and
/// `rules.v6`.
std::vector<std::string> filter_breaks(const std::string& listing);

} // namespace polecat::driver
