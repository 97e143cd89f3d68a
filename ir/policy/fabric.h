/// FabricInventory: polecat's own kind, what the network around the cluster is. Lint compares the
/// BGP objects with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/as_number.h"
#include "ir/policy/metadata.h"
#include "ir/policy/rule.h"
#include "support/source.h"

namespace polecat::policy {

struct FabricRouter {
    std::string name; ///< may be empty
    At<net::Address> address;
    At<net::AsNumber> as_number;
    std::optional<At<std::string>> rack;
    std::optional<At<net::AsNumber>> node_as_number; ///< what it expects of nodes (remote-as)
};

struct FabricRack {
    At<std::string> name;
    std::optional<SelectorField> node_selector;      ///< which nodes stand in it
    std::optional<At<net::AsNumber>> node_as_number; ///< of those nodes
};

struct FabricInventory {
    Metadata meta;
    std::vector<FabricRouter> routers;
    std::vector<FabricRack> racks;
};

} // namespace polecat::policy
