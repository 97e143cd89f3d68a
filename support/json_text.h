/// JSON that programs read (docs/json.md).
#pragma once

#include <string>
#include <utility>

namespace polecat {

/// Counts up when a key goes or means something else.
inline constexpr int kJsonVersion = 1;

/// With its `version`: of an object, or of each entry of a list. Json: nlohmann::json. `indent`: as
/// dump() has it.
template <class Json> std::string json_text(Json value, int indent = 1) {
    if (value.is_object())
        value["version"] = kJsonVersion;
    if (value.is_array())
        for (Json& each : value)
            each["version"] = kJsonVersion;
    return value.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace polecat
