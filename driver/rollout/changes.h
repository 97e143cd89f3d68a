/// What two versions of manifests have of the other kind, object by object, as far as rules of
/// nodes are made of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/input/input.h"
#include "ir/net/address.h"
#include "passes/lower.h"

namespace polecat::driver {

/// Something that came, went or changed.
struct Reason {
    std::string object; ///< "NetworkPolicy shop/web"; "10.0.0.9", where no manifests name it
    std::string what;   ///< "is new", "label app: web -> api"
    std::string at;     ///< "policy.yaml:3:4", or empty
    auto operator<=>(const Reason&) const = default;
};

struct ManifestVersion {
    const Input& input;
    const passes::Lowered& lowered;
};

/// All changes, and who they are about, by index into `all`.
struct ManifestChanges {
    std::vector<Reason> all;
    std::map<std::string, std::size_t> policies; ///< by name
    std::map<net::Address, std::vector<std::size_t>> addresses;
    std::map<std::string, std::vector<std::size_t>> endpoints; ///< as name_of() has them
    /// Policies that ask something of ends that the other version never asks.
    std::vector<std::size_t> questions;
    /// Network sets, services, tiers and profiles: they may change what any endpoint is.
    std::vector<std::size_t> others;
};
ManifestChanges changes_between(const ManifestVersion& base, const ManifestVersion& head);

} // namespace polecat::driver
