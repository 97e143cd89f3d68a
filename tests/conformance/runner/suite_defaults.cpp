/// defaults: objects before and after Calico's defaulting.
#include <nlohmann/json.hpp>

#include "frontend/defaults.h"
#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

using nlohmann::json;

namespace {

json to_json(const yaml::Node& node) {
    switch (node.kind) {
    case yaml::Node::Kind::Null:
        return nullptr;
    case yaml::Node::Kind::Scalar:
        switch (yaml::resolve_scalar(node)) {
        case yaml::ScalarType::Boolean:
            return *yaml::as_boolean(node);
        case yaml::ScalarType::Integer:
            if (const auto value = yaml::as_integer(node))
                return *value;
            return *yaml::as_number(node);
        case yaml::ScalarType::Float:
            return *yaml::as_number(node);
        default:
            return node.text;
        }
    case yaml::Node::Kind::Sequence: {
        json out = json::array();
        for (const yaml::Node& item : node.items)
            out.push_back(to_json(item));
        return out;
    }
    case yaml::Node::Kind::Mapping: {
        json out = json::object();
        for (const yaml::Member& member : node.members)
            out[member.key] = to_json(member.value);
        return out;
    }
    }
    return nullptr;
}

/// Go leaves out what is empty in some places and not in others; that is no difference in meaning.
json without_empty(json value) {
    if (value.is_array())
        for (json& item : value)
            item = without_empty(item);
    if (!value.is_object())
        return value;
    json out = json::object();
    for (auto& [key, member] : value.items()) {
        json kept = without_empty(member);
        const bool empty = kept.is_null() || (kept.is_array() && kept.empty());
        if (!empty)
            out[key] = std::move(kept);
    }
    return out;
}

json defaulted(const json& object, const std::string& kind) {
    Sources sources;
    diag::Diagnostics diagnostics;
    const FileId file = sources.add("object", object.dump());
    auto documents = yaml::read_documents(sources, file, diagnostics);
    if (documents.empty())
        return nullptr;
    frontend::apply_defaults(documents.front().root, kind);
    return to_json(documents.front().root);
}

} // namespace

SuiteResult run_defaults(const std::string& dir) {
    SuiteResult out;
    out.name = "defaults";
    for (const json& row : json::parse(suite_file(dir + "/cases.json"))) {
        const json found = without_empty(defaulted(row["object"], row["kind"].get<std::string>()));
        const json wanted = without_empty(row["defaulted"]);
        ++out.cases;
        if (found == wanted)
            ++out.cases_passed;
        else
            out.failed.push_back(row["name"].get<std::string>() + ": " +
                                 json::diff(found, wanted).dump());
    }
    out.files = out.cases;
    out.files_passed = out.cases_passed;
    return out;
}

} // namespace polecat::conformance
