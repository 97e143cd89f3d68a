/// One value against one type of a schema row. Private to frontend/kinds/schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "frontend/yaml/node.h"
#include "ir/policy/settings.h"

namespace polecat::frontend::schema {

/// What is wrong with the scalar; nullopt: nothing. `type` without its leading "!".
/// Not for object, list, map and any.
std::optional<std::string> check_value(std::string_view type, const yaml::Node& value);
/// The value of a scalar that passed check_value().
policy::SettingValue typed_value(std::string_view type, const yaml::Node& value);

/// For a value that check_value() refuses: the choice that it is but for case, or quotes around
/// what must be text.
std::optional<diag::Fix> fix_of_value(std::string_view type, const yaml::Node& value);

/// "1h30m", as Go's time.ParseDuration; no sign.
bool is_duration(std::string_view text);

} // namespace polecat::frontend::schema
