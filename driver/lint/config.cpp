#include "driver/lint/config.h"

#include <filesystem>

#include <fmt/format.h>

#include "frontend/kinds/fields.h"
#include "support/glob.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;
using frontend::Fields;

constexpr const char* kName = ".polecat.yaml";

/// The file of the current folder or the next above it; empty when there is none.
std::string find_config() {
    std::error_code error;
    for (fs::path folder = fs::current_path(error); !error; folder = folder.parent_path()) {
        if (fs::exists(folder / kName, error))
            return (folder / kName).string();
        if (folder == folder.parent_path())
            break;
    }
    return {};
}

void refuse(Fields& fields, const Span& span, const std::string& path, const std::string& why) {
    fields.diagnostics().report(diag::Code::FieldValue, span, {path, why});
}

/// The field's value by `parse`, when it is there and right.
template <class T>
void read_value(Fields& fields, const char* key, T& into, Result<T> (*parse)(std::string_view)) {
    const auto text = fields.string(key);
    if (!text)
        return;
    const Result<T> parsed = parse(text->value);
    if (parsed)
        into = *parsed;
    else
        refuse(fields, text->span, fields.path_of(key), "is wrong: " + parsed.error());
}

/// nullopt and no error text: it may be set.
std::optional<std::string> set_severity(lint::Choice& choice, std::string_view slug,
                                        std::string_view severity) {
    const auto rule = lint::rule_named(slug);
    if (!rule)
        return "names " + rule.error();
    if (!lint::may_choose_severity(*rule))
        return fmt::format("sets `{}`, an error of reading, whose severity can't be chosen", slug);
    const auto chosen = lint::severity_named(severity);
    if (!chosen)
        return "is wrong: " + chosen.error();
    choice.severities[*rule] = *chosen;
    return std::nullopt;
}

/// `off` is a boolean to readers of YAML, and a severity here.
std::string severity_text(const yaml::Node& node) {
    return node.is_scalar() ? node.text : "";
}

void read_rules(Fields& lint, LintConfig& into) {
    const yaml::Node* rules = lint.get("rules");
    if (rules == nullptr)
        return;
    if (!rules->is_mapping()) {
        frontend::report_wrong_type(lint.diagnostics(), *rules, lint.path_of("rules"), "a mapping",
                                    "");
        return;
    }
    for (const yaml::Member& each : rules->members)
        if (const auto problem = set_severity(into.choice, each.key, severity_text(each.value)))
            refuse(lint, each.key_span, lint.path_of("rules"), *problem);
}

void read_lint(Fields lint, LintConfig& into) {
    read_value(lint, "fail-on", into.choice.fail_on, lint::fail_on_named);
    read_rules(lint, into);
    read_value(lint, "dataplane", into.settings.dataplane, lint::dataplane_named);
    int version = 0;
    read_value(lint, "calico-version", version, lint::version_named);
    if (version != 0)
        into.settings.calico_version = version;
    for (const At<std::string>& each : lint.strings("exclude"))
        into.exclude.push_back(each.value);
    if (const auto file = lint.string("baseline"))
        into.baseline_file = (fs::path(into.folder) / file->value).string();
    lint.finish();
}

/// `render: true`, or a mapping with what helm and kustomize are told.
void read_render(Fields& root, LintConfig& into) {
    const yaml::Node* node = root.get("render");
    if (node == nullptr)
        return;
    if (!node->is_mapping()) {
        if (const auto wanted = root.boolean("render"))
            into.render = **wanted;
        return;
    }
    into.render = true;
    Fields render = root.mapping("render");
    for (const At<std::string>& each : render.strings("values"))
        into.values.push_back((fs::path(into.folder) / each.value).string());
    render.finish();
}

} // namespace

bool LintConfig::excludes(const std::string& path) const {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(path, error);
    const std::string relative = whole.lexically_relative(folder).generic_string();
    if (error || exclude.empty() || relative.starts_with(".."))
        return false;
    for (const std::string& pattern : exclude)
        if (glob_matches(pattern, relative))
            return true;
    return false;
}

LintConfig read_lint_config(const std::string& file, Sources& sources,
                            diag::Diagnostics& diagnostics) {
    LintConfig out;
    const std::string path = file.empty() ? find_config() : file;
    if (path.empty())
        return out;
    auto text = read_file(path);
    if (!text) {
        diagnostics.report(diag::Code::UnreadableFile, Span{}, {path, text.error()});
        return out;
    }
    std::error_code error;
    out.folder = fs::weakly_canonical(path, error).parent_path().string();
    const FileId id = sources.add(path, std::move(*text));
    for (const yaml::Document& each : yaml::read_documents(sources, id, diagnostics)) {
        Fields root(&each.root, "", "", diagnostics);
        read_lint(root.mapping("lint"), out);
        read_render(root, out);
        root.finish();
    }
    diagnostics.keep_if([](diag::Diagnostic& each) {
        each.fixes.clear(); // lint --fix mends manifests; what to write is in the hint
        return true;
    });
    return out;
}

namespace {

/// A baseline that is written anew need not be there, nor be readable.
std::optional<std::string> read_baseline(const LintOptions& options, LintConfig& config) {
    config.write_baseline = options.write_baseline;
    if (!options.baseline.empty())
        config.baseline_file = options.baseline;
    if (config.baseline_file.empty() || !config.write_baseline.empty())
        return std::nullopt;
    Result<Baseline> found = Baseline::read(config.baseline_file);
    if (!found)
        return fmt::format("baseline {}: {}", config.baseline_file, found.error());
    config.baseline = std::move(*found);
    return std::nullopt;
}

} // namespace

std::optional<std::string> apply_options(const LintOptions& options, LintConfig& config) {
    for (const std::string& each : options.rules) {
        const std::size_t equal = each.find('=');
        if (equal == std::string::npos)
            return fmt::format("--rule {} is not RULE=SEVERITY", each);
        if (const auto problem =
                set_severity(config.choice, each.substr(0, equal), each.substr(equal + 1)))
            return fmt::format("--rule {} {}", each, *problem);
    }
    for (const std::string& each : options.only) {
        const auto rule = lint::rule_named(each);
        if (!rule)
            return "--only names " + rule.error();
        config.choice.only.insert(*rule);
    }
    if (!options.fail_on.empty()) {
        const auto chosen = lint::fail_on_named(options.fail_on);
        if (!chosen)
            return "--fail-on: " + chosen.error();
        config.choice.fail_on = *chosen;
    }
    if (!options.dataplane.empty()) {
        const auto chosen = lint::dataplane_named(options.dataplane);
        if (!chosen)
            return "--dataplane: " + chosen.error();
        config.settings.dataplane = *chosen;
    }
    if (!options.calico_version.empty()) {
        const auto chosen = lint::version_named(options.calico_version);
        if (!chosen)
            return "--calico-version: " + chosen.error();
        config.settings.calico_version = *chosen;
    }
    if (config.settings.calico_version.value_or(0) > lint::kNewestCalico)
        fmt::print(stderr, "note: rules know Calico up to 3.{}: a later release is taken for it\n",
                   lint::kNewestCalico % 100);
    return read_baseline(options, config);
}

} // namespace polecat::driver
