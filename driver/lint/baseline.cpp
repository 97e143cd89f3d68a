#include "driver/lint/baseline.h"

#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/read_file.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

std::size_t digits_at(const std::string& text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0)
        ++end;
    return end - at;
}

/// "spec.ingress[2]" as "spec.ingress[]", "a.yaml:3:5" as "a.yaml": what moves when other things
/// are added. A lone ":80" stays, it may be a port.
std::string without_places(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t digits = digits_at(text, i + 1);
        const std::size_t end = i + 1 + digits;
        if (text[i] == '[' && digits != 0 && end < text.size() && text[end] == ']') {
            out += "[]";
            i = end + 1;
            continue;
        }
        if (text[i] == ':' && digits != 0 && end < text.size() && text[end] == ':') {
            const std::size_t more = digits_at(text, end + 1);
            if (more != 0 &&
                (out.ends_with(".yaml") || out.ends_with(".yml") || out.ends_with(".json"))) {
                i = end + 1 + more;
                continue;
            }
        }
        out += text[i++];
    }
    return out;
}

std::string real(const std::string& path) {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(fs::absolute(path, error), error);
    return (error ? fs::path(path) : whole).generic_string();
}

/// One entry; an error says what is wrong with it.
Result<std::pair<BaselineKey, std::size_t>> entry_of(const nlohmann::json& from) {
    static const std::set<std::string> kKeys{"code", "rule", "file", "object", "message", "count"};
    if (!from.is_object())
        return Error{"a finding is not an object"};
    for (const auto& [key, value] : from.items())
        if (!kKeys.contains(key))
            return Error{"a finding has the unknown key `" + key + "`"};
    const auto text = [&](const char* key) {
        const auto found = from.find(key);
        return found != from.end() && found->is_string() ? found->get<std::string>() : "";
    };
    const BaselineKey key{text("file"), text("code"), text("object"), text("message")};
    const auto code = lint::rule_named(key.code);
    if (!code || diag::label(*code) != key.code)
        return Error{"a finding has the code `" + key.code + "`, which is no rule of lint"};
    const auto count = from.find("count");
    if (key.message.empty() || count == from.end() || !count->is_number_unsigned() ||
        count->get<std::size_t>() == 0)
        return Error{"a finding has no message or no count"};
    return std::pair(key, count->get<std::size_t>());
}

bool shows(const lint::Choice& choice, diag::Code code) {
    const auto chosen = choice.severities.find(code);
    return (choice.only.empty() || choice.only.contains(code)) &&
           (chosen == choice.severities.end() || chosen->second.has_value());
}

} // namespace

Baseline::Baseline(const std::string& path)
    : path_(real(path)), folder_(fs::path(path_).parent_path().generic_string()) {}

Result<Baseline> Baseline::read(const std::string& path) {
    const auto text = read_file(path);
    if (!text)
        return Error{text.error()};
    const auto whole = nlohmann::json::parse(*text, nullptr, false);
    if (!whole.is_object() || !whole.contains("baseline") || !whole.contains("findings") ||
        !whole["findings"].is_array())
        return Error{"it is no baseline of polecat"};
    if (whole["baseline"] != kVersion)
        return Error{fmt::format("it has version {}, and this polecat knows {}",
                                 whole["baseline"].dump(), kVersion)};
    Baseline out(path);
    for (const nlohmann::json& each : whole["findings"]) {
        const auto entry = entry_of(each);
        if (!entry)
            return Error{entry.error()};
        out.known_[entry->first] += entry->second;
    }
    return out;
}

BaselineKey Baseline::key_of(const diag::Diagnostic& finding, const Sources& sources) const {
    std::string file;
    if (finding.span.file.value < sources.size()) {
        file = sources.path(finding.span.file);
        if (file != "-")
            file = fs::path(real(file)).lexically_relative(folder_).generic_string();
    }
    return {file, diag::label(finding.code), finding.object, without_places(finding.message)};
}

void Baseline::add(const diag::Diagnostics& findings, const Sources& sources,
                   const lint::Choice& choice) {
    for (const diag::Diagnostic& each : findings.list())
        if (!lint::is_reading_error(each) && shows(choice, each.code))
            ++known_[key_of(each, sources)];
}

/// The rule ran, and on the file, which is among those `read`; or the file is gone.
bool Baseline::may_be_gone(const BaselineKey& key, const std::set<std::string>& read,
                           const lint::Choice& choice) const {
    const auto code = diag::find_code(key.code);
    if (!code || !shows(choice, *code))
        return false;
    if (key.file.empty() || key.file == "-")
        return key.file.empty() || read.contains("-");
    std::error_code error;
    return read.contains(real(folder_ + "/" + key.file)) ||
           !fs::exists(fs::path(folder_) / key.file, error);
}

std::size_t Baseline::take(diag::Diagnostics& findings, const Sources& sources,
                           const lint::Choice& choice, bool loads) const {
    auto left = known_;
    std::size_t taken = 0;
    findings.keep_if([&](const diag::Diagnostic& each) {
        const auto known =
            lint::is_reading_error(each) ? left.end() : left.find(key_of(each, sources));
        if (known == left.end() || known->second == 0)
            return true;
        --known->second;
        ++taken;
        return false;
    });
    std::set<std::string> read;
    for (std::uint32_t i = 0; i < sources.size(); ++i) {
        const std::string& path = sources.path(FileId{i});
        read.insert(path == "-" ? path : real(path));
    }
    for (const auto& [key, count] : left)
        if (loads && count != 0 && may_be_gone(key, read, choice))
            findings
                .report(diag::Code::BaselineUnused, Span{},
                        {key.code, key.file.empty() ? "no file" : key.file, key.message})
                .with_hint("write the baseline again, so that it can't come back unseen");
    findings.sort();
    return taken;
}

std::string Baseline::text() const {
    Json out{{"baseline", kVersion}, {"findings", Json::array()}};
    for (const auto& [key, count] : known_) {
        const auto code = diag::find_code(key.code);
        out["findings"].push_back({{"file", key.file},
                                   {"code", key.code},
                                   {"rule", code ? diag::info(*code).slug : ""},
                                   {"object", key.object},
                                   {"message", key.message},
                                   {"count", count}});
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::size_t Baseline::size() const {
    std::size_t out = 0;
    for (const auto& [key, count] : known_)
        out += count;
    return out;
}

bool Baseline::is(const std::string& path) const {
    return real(path) == path_;
}

} // namespace polecat::driver
