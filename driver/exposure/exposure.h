/// `polecat exposure`: what is open to outside addresses and to pods that don't exist yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/input/input.h"
#include "ir/decision/identity.h"

namespace polecat::driver {

/// Connections in words; empty: none.
struct OpenConnections {
    std::string allowed, depends;
};

struct OpenToOutside {
    net::AddressSet from;
    std::string shown; ///< `from` in words
    OpenConnections connections;
    std::vector<std::string> by; ///< rules that allow, with their places
    std::string reason;          ///< why something depends; empty: nothing does, or nobody knows
};

struct OpenToNewPod {
    OpenConnections connections;
    std::string space; ///< its namespace; empty: any new one
    /// That it has to have: its own, of its namespace, of its service account.
    std::map<std::string, std::string> labels, space_labels, account_labels;
    std::optional<std::string> account;
};

/// Endpoints that are open alike by the same rules, in one IP family.
struct Exposure {
    net::Family family = net::Family::V4;
    std::vector<std::string> endpoints;
    std::vector<OpenToOutside> outside;
    std::vector<OpenToNewPod> new_pods;
    bool hangs_on_unread = false; ///< what could not be read may make it another
};

std::vector<Exposure> exposure_of(const Input& input, const decision::LoweredCluster& cluster);

} // namespace polecat::driver
