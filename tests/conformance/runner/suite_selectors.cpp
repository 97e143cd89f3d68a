/// selectors: evaluation, refusal, canonical text and id, prefixes, restrictions.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/selector/parse.h"
#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

using nlohmann::json;
using selector::Restriction;
using selector::Selector;

namespace {

bool evaluates(const Selector& selector, const json& row) {
    selector::Labels labels;
    for (const auto& [key, value] : row["labels"].items())
        labels.set(key, value.get<std::string>());
    return selector.matches(labels) == row["matches"].get<bool>();
}

bool is_canonical(const Selector& selector, const json& row) {
    return selector.canonical() == row["canonical"] && selector.unique_id() == row["uid"];
}

bool has_prefix(const Selector& selector, const json& row) {
    return selector.with_prefix(row["prefix"].get<std::string>()).canonical() == row["canonical"];
}

/// At least as strong a conclusion as the row's.
bool implies(const Restriction& found, const json& wanted) {
    if (wanted.value("mustBePresent", false) && !found.must_be_present)
        return false;
    if (wanted.value("mustBeAbsent", false) && !found.must_be_absent)
        return false;
    const auto values = wanted.find("mustHaveOneOfValues");
    if (values == wanted.end() || values->is_null())
        return true;
    return found.one_of &&
           std::all_of(found.one_of->begin(), found.one_of->end(), [&](const std::string& value) {
               return std::find(values->begin(), values->end(), json(value)) != values->end();
           });
}

bool restricts(const Selector& selector, const json& row) {
    const auto found = selector::restrictions(selector);
    for (const auto& [label, wanted] : row["restrictions"].items()) {
        const auto place = std::find_if(found.begin(), found.end(), [&](const Restriction& each) {
            return each.label == label;
        });
        if (place == found.end() || !implies(*place, wanted))
            return false;
    }
    return true;
}

bool is_refused(const json& row) {
    const json& text = row.is_object() ? row["expr"] : row;
    return !frontend::parse_selector(text.get<std::string>());
}

using SelectorCheck = bool (*)(const Selector&, const json&);

bool accepts(const json& row, SelectorCheck check) {
    const auto selector = frontend::parse_selector(row["expr"].get<std::string>());
    return selector && check(*selector, row);
}

} // namespace

SuiteResult run_selectors(const std::string& dir) {
    SuiteResult out;
    out.name = "selectors";
    const auto each_row = [&](const std::string& file, const auto& holds) {
        ++out.files;
        std::size_t failures = 0;
        for (const json& row : json::parse(suite_file(dir + "/" + file))) {
            ++out.cases;
            const bool good = holds(row);
            out.cases_passed += good ? 1 : 0;
            if (!good && ++failures <= 5)
                out.failed.push_back(file + ": " +
                                     row.dump(-1, ' ', false, json::error_handler_t::replace));
        }
        out.files_passed += failures == 0 ? 1 : 0;
    };
    each_row("invalid.json", is_refused);
    each_row("eval.json", [](const json& row) { return accepts(row, evaluates); });
    each_row("canonical.json", [](const json& row) { return accepts(row, is_canonical); });
    each_row("prefix.json", [](const json& row) { return accepts(row, has_prefix); });
    each_row("restrictions.json", [](const json& row) { return accepts(row, restricts); });
    return out;
}

} // namespace polecat::conformance
