/// The flags and the notes of every command about BGP.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "driver/routing/routed_input.h"

namespace polecat::cli {

/// `prefix` comes before each description.
void add_routing_flags(CLI::App& command, RoutingFlags& into, const std::string& prefix);

/// route(), and prints to standard error what is wrong.
RoutedInput read_routing(Input& input, const RoutingFlags& flags, MeshSessions mesh);

} // namespace polecat::cli
