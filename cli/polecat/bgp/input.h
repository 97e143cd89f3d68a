/// The flags and the notes of every command about BGP.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "driver/routing/routed_input.h"

namespace polecat::cli {

/// `prefix` comes before each description.
void add_routing_flags(CLI::App& command, driver::RoutingFlags& into, const std::string& prefix);

/// route(), and prints to standard error what is wrong.
driver::RoutedInput read_routing(driver::Input& input, const driver::RoutingFlags& flags,
                                 driver::MeshSessions mesh);

} // namespace polecat::cli
