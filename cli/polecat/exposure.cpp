#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/commands.h"
#include "driver/exposure/exposure.h"
#include "driver/input/answer_notes.h"
#include "driver/input/unread.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;

struct ExposureOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text", fail_on = "none";
    std::string unknown_address = "depends";
};

std::string labels_text(const std::map<std::string, std::string>& labels) {
    std::string out;
    for (const auto& [label, value] : labels)
        out += fmt::format("{}{}={}", out.empty() ? "" : ", ", label, value);
    return out;
}

std::string connections(const OpenConnections& of, const char* on) {
    const std::string perhaps =
        of.depends.empty() ? "" : fmt::format("depends{}: {}", on, of.depends);
    return of.allowed + (of.allowed.empty() || of.depends.empty() ? "" : "; ") + perhaps;
}

std::string new_pod_text(const OpenToNewPod& pod) {
    const std::string labels = labels_text(pod.labels), of_space = labels_text(pod.space_labels);
    std::string where = "in namespace " + pod.space;
    if (pod.space.empty())
        where = of_space.empty() ? "in any new namespace"
                                 : "in a namespace with the labels " + of_space;
    if (pod.account)
        where += ", of service account " + *pod.account;
    const std::string account = labels_text(pod.account_labels);
    if (!account.empty() && pod.account)
        where += " with the labels " + account;
    else if (!account.empty())
        where += ", of a service account with the labels " + account;
    return fmt::format("    a new pod {} {} {}: {}\n", labels.empty() ? "without" : "with the",
                       labels.empty() ? "labels" : "labels " + labels, where,
                       connections(pod.connections, " on its address"));
}

std::string body_of(const Exposure& exposure) {
    std::string out;
    for (const OpenToOutside& each : exposure.outside) {
        out += fmt::format("    {}: {}\n", each.shown, connections(each.connections, ""));
        for (const std::string& rule : each.by)
            out += "        by " + rule + "\n";
        if (!each.reason.empty())
            out += "        because " + each.reason + "\n";
        else if (each.by.empty())
            out += "        no policy governs it\n";
    }
    for (const OpenToNewPod& each : exposure.new_pods)
        out += new_pod_text(each);
    if (out.empty())
        out = "    closed to outside addresses, and no new pod was found that it lets in\n";
    return out;
}

/// Endpoints with the same exposure together.
std::string text_of(const std::vector<Exposure>& exposures) {
    using Alike = std::pair<net::Family, std::string>;
    std::vector<std::pair<Alike, std::vector<std::string>>> blocks;
    for (const Exposure& each : exposures) {
        const Alike alike{each.family, body_of(each)};
        auto place = std::find_if(blocks.begin(), blocks.end(),
                                  [&](const auto& block) { return block.first == alike; });
        if (place == blocks.end())
            place = blocks.insert(blocks.end(), {alike, {}});
        auto& names = place->second;
        names.insert(names.end(), each.endpoints.begin(), each.endpoints.end());
    }
    std::string out;
    for (auto& [alike, names] : blocks) {
        constexpr std::size_t kMost = 6;
        std::sort(names.begin(), names.end());
        out += fmt::format("{}  {}\n{}", listed(names, kMost), net::to_string(alike.first),
                           alike.second);
    }
    return out.empty() ? fmt::format("{}\n", kNobody) : out;
}

json json_of(const OpenToOutside& open) {
    json out{{"allowed", open.connections.allowed},
             {"depends", open.connections.depends},
             {"from", json::array()},
             {"by", open.by}};
    for (const net::Cidr& cidr : open.from.cidrs())
        out["from"].push_back(net::to_string(cidr));
    if (!open.reason.empty())
        out["reason"] = open.reason;
    return out;
}

json json_of(const OpenToNewPod& pod) {
    json out{{"allowed", pod.connections.allowed},
             {"depends", pod.connections.depends},
             {"namespace", pod.space},
             {"labels", pod.labels},
             {"namespace_labels", pod.space_labels},
             {"service_account_labels", pod.account_labels}};
    if (pod.account)
        out["service_account"] = *pod.account;
    return out;
}

std::string json_of(const std::vector<Exposure>& exposures,
                    const std::vector<std::string>& unread) {
    json out = json::array();
    for (const Exposure& each : exposures) {
        json entry{{"family", net::to_string(each.family)},
                   {"endpoints", each.endpoints},
                   {"outside", json::array()},
                   {"new_pods", json::array()}};
        for (const OpenToOutside& open : each.outside)
            entry["outside"].push_back(json_of(open));
        for (const OpenToNewPod& pod : each.new_pods)
            entry["new_pods"].push_back(json_of(pod));
        if (each.hangs_on_unread)
            entry["hangs_on_unread"] = true;
        if (!unread.empty())
            entry["unread"] = unread;
        out.push_back(std::move(entry));
    }
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

int run(const ExposureOptions& options) {
    const Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    const auto cluster =
        passes::lower(input.cluster, lower_options(options.unknown_address)).cluster;
    const std::vector<Exposure> exposures = exposure_of(input, cluster);
    const bool open = std::any_of(exposures.begin(), exposures.end(),
                                  [](const Exposure& each) { return !each.outside.empty(); });
    Hanging hanging;
    for (const Exposure& each : exposures)
        hanging.add(each.hangs_on_unread);
    std::string text;
    if (options.format == "text") {
        text = text_of(exposures);
        if (const std::string note = hooks_note(cluster); !note.empty())
            text += "(" + note + ")\n";
    } else {
        tell_notes(cluster);
        text = json_of(exposures, unread_lines(input, hanging));
    }
    tell_unread(input, hanging);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return open && options.fail_on == "outside" ? kFindings : kGood;
}

} // namespace

void add_exposure(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ExposureOptions>();
    CLI::App* command = app.add_subcommand(
        "exposure", "what is open to outside addresses and to pods that don't exist yet");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    command
        ->add_option("--fail-on", options->fail_on,
                     "exit with 1 where something is, or may be, open to outside addresses; none "
                     "by default")
        ->check(CLI::IsMember({"outside", "none"}));
    command
        ->add_option("--unknown-address", options->unknown_address,
                     "where a pod without an address lies: depends (not known), or outside-blocks "
                     "(inside no CIDR)")
        ->check(CLI::IsMember({"depends", "outside-blocks"}));
    command->footer("Examples:\n"
                    "  polecat exposure manifests/\n"
                    "  polecat exposure --fail-on outside manifests/");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
