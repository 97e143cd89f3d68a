#include "driver/input/input.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include <fmt/format.h>

#include "driver/input/render.h"
#include "driver/input/render_reason.h"
#include "driver/input/versions.h"
#include "frontend/load.h"
#include "support/diag/render.h"
#include "support/letters.h"
#include "support/listed.h"

namespace polecat::driver {

bool colour_on(bool standard_error) {
    const char* off = std::getenv("NO_COLOR");
    return (off == nullptr || *off == '\0') && isatty(standard_error ? 2 : 1) == 1;
}

namespace {

/// A reason is told once, however many folders it keeps from being rendered.
void report(const RenderRun::Failure& failure, diag::Diagnostics& diagnostics) {
    constexpr std::size_t kMost = 5;
    auto& diagnostic =
        diagnostics.report(diag::Code::RenderingFailed,
                           Span{FileId{static_cast<std::uint32_t>(failure.file)}, 1, 1, 1},
                           {failure.folders.front(), failure.why});
    if (is_kept_back(failure.why))
        diagnostic.severity = diag::Severity::Warning;
    if (failure.folders.size() > 1)
        diagnostic.with_note(
            fmt::format("{} more folder{} for the same reason: {}", failure.folders.size() - 1,
                        failure.folders.size() == 2 ? " fails" : "s fail",
                        listed({failure.folders.begin() + 1, failure.folders.end()}, kMost)));
}

void load_into(Input& input, std::vector<frontend::File> files,
               yaml::EarlierDocuments* earlier = nullptr) {
    const RenderRun run = render(files, input.options);
    input.rendered = run.rendered;
    for (const frontend::File& each : files)
        input.named.push_back(each.named);
    input.cluster = frontend::load_files(std::move(files), input.sources, input.diagnostics,
                                         {input.options.space, input.options.variants, earlier},
                                         &input.passed_by);
    for (const RenderRun::Failure& each : run.failures)
        report(each, input.diagnostics);
    if (wants_rendering(input.options)) // it was asked for: another line says why it did not come
        input.diagnostics.keep_if([&](diag::Diagnostic& each) {
            const bool unrendered = each.code == diag::Code::UnrenderedChart ||
                                    each.code == diag::Code::UnbuiltKustomization;
            if (unrendered && each.hint)
                each.hint = each.hint->substr(0, each.hint->find(", or `--render`"));
            // What is not built is what a failed one builds from.
            each.as_usual(each.usual ||
                          (each.code == diag::Code::UnbuiltKustomization && !run.failures.empty()));
            return true;
        });
    frontend::check_references(input.cluster, input.diagnostics);
    input.diagnostics.sort();
    if (input.options.list_skipped)
        for (const frontend::PassedBy& each : input.passed_by)
            fmt::print(stderr, "skipped {}: {}\n", each.path, each.why);
}

} // namespace

Input read_input(const std::vector<std::string>& paths, const InputOptions& options,
                 const std::function<bool(const std::string&)>& excluded) {
    Input out;
    out.options = options;
    load_into(out, frontend::read_files(paths, out.diagnostics, excluded));
    return out;
}

Input read_input(std::vector<frontend::File> files, const InputOptions& options) {
    Input out;
    out.options = options;
    load_into(out, std::move(files));
    return out;
}

Input read_version(const std::vector<std::string>& paths, const InputOptions& options,
                   yaml::EarlierDocuments& earlier) {
    Input out;
    out.options = options;
    load_into(out, frontend::read_files(paths, out.diagnostics), &earlier);
    return out;
}

Input read_version(std::vector<frontend::File> files, const InputOptions& options,
                   yaml::EarlierDocuments& earlier) {
    Input out;
    out.options = options;
    load_into(out, std::move(files), &earlier);
    return out;
}

bool print_errors(const Input& input, bool warnings) {
    std::vector<diag::Diagnostic> shown;
    const auto is_encrypted = [](const diag::Diagnostic& each) {
        return each.code == diag::Code::EncryptedObject;
    };
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.severity == diag::Severity::Error || is_encrypted(each) ||
            (warnings && each.severity == diag::Severity::Warning))
            shown.push_back(each);
    const std::string text =
        diag::render_text(shown, input.sources, diag::TextOptions{colour_on(true)});
    fmt::print(stderr, "{}", text);
    if (input.diagnostics.has_errors())
        fmt::print(stderr, "\n{}: the input is not used before they are mended\n",
                   counted(input.diagnostics.count(diag::Severity::Error), "error"));
    const auto& list = input.diagnostics.list();
    const bool encrypted = std::any_of(list.begin(), list.end(), is_encrypted);
    if (encrypted)
        fmt::print(stderr, "\npolecat: what is encrypted is not known, and rules would be made "
                           "without it: decrypt it, or leave its files out\n");
    return encrypted || input.diagnostics.has_errors();
}

passes::LowerOptions lower_options(const std::string& unknown_address) {
    passes::LowerOptions options;
    if (unknown_address == "outside-blocks")
        options.unknown_address = decision::UnknownAddress::OutsideBlocks;
    return options;
}

std::string name_of(const decision::LoweredCluster& cluster, decision::ObjectId object) {
    const decision::Object& found = cluster.world.object(object);
    if (found.kind == decision::Object::Kind::HostEndpoint)
        return "hep:" + found.name;
    const std::string kind = lower_case(found.manifest_kind);
    if (kind == "pod" || !cluster.workloads_by_name.contains("pod:" + found.name))
        return found.name;
    const auto same = cluster.workloads_by_name.find("pod:" + found.name);
    return same->second == object ? found.name : kind + ":" + found.name;
}

std::string text_of(const net::AddressSet& set, std::size_t limit) {
    std::vector<std::string> out;
    for (const net::Cidr& cidr : set.cidrs()) {
        const bool single = cidr.prefix == net::width(cidr.family());
        out.push_back(single ? net::to_string(cidr.base) : net::to_string(cidr));
    }
    return listed(out, limit);
}

} // namespace polecat::driver
