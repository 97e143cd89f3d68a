/// The BIRD backend: a node's routing form to a configuration of BIRD 2 and back (docs/routing.md).
/// One daemon for both families.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/routing/node.h"
#include "support/result.h"
#include "support/source.h"

namespace polecat::bird {

struct EmitOptions {
    /// Set: each statement says in a comment what it was made from. Without, a line that moves in
    /// a manifest changes nothing here.
    const Sources* origins = nullptr;
};

std::string emit(const routing::NodeRouting& node, const EmitOptions& options = {});

/// Recovers the form from a configuration that emit() wrote. What is not exactly of its form is an
/// error: nothing may stand in it that this reader does not understand.
Result<routing::NodeRouting> read_back(std::string_view text);

/// What read_back() finds of a form: long names of filters are cut, notes and origins are gone.
routing::NodeRouting comparable(routing::NodeRouting node);

/// The configuration includes one file for each password: `password "...";`, made where the Secret
/// is known. Relative to the configuration.
std::string password_file(const routing::PasswordRef& password);

/// What BIRD 2 has no words for: "pool 10.0.0.0/16 goes through tunl0". Empty: nothing.
std::vector<routing::KernelPool> not_expressible(const routing::NodeRouting& node);

} // namespace polecat::bird
