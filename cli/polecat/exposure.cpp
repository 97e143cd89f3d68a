#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"
#include "analyzer/questions/new_pods.h"
#include "cli/polecat/commands.h"
#include "driver/input/answer_notes.h"
#include "driver/input/input.h"
#include "driver/input/outside.h"
#include "driver/input/unread.h"
#include "driver/map/rows.h"
#include "driver/reach/ask.h"
#include "ir/path/host_network.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::cli {

namespace {

using analyzer::Answers;
using analyzer::ConnectionSet;
using analyzer::Party;
using nlohmann::json;

struct ExposureOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text", fail_on = "none";
    std::string unknown_address = "depends";
};

/// Of one IP family.
class Exposure {
  public:
    Exposure(const Input& input, const decision::LoweredCluster& cluster,
             const decision::Identities& identities, net::Family family)
        : input_(input), sources_(input.sources), cluster_(cluster), identities_(identities),
          ask_(cluster, identities, family), new_pods_(cluster, input.cluster.namespaces) {}

    /// One entry for each party of endpoints: who they are, what is open.
    std::vector<json> run() {
        analyzer::AskedEnds outside, any;
        outside.outside = true;
        any.any = true;
        const auto answers = ask_.ask(outside, any, ConnectionSet::all(), false);
        for (const Party& each : answers.from)
            whole_ = whole_ | each.outside;
        std::vector<std::vector<analyzer::Answer>> open(answers.to.size());
        for (const analyzer::Answer& row : answers.rows)
            for (const std::uint32_t to : row.to)
                merge(open[to], row);
        std::vector<json> out;
        for (std::uint32_t i = 0; i < answers.to.size(); ++i) {
            json entry{{"family", net::to_string(ask_.family())},
                       {"endpoints", json::array()},
                       {"outside", json::array()},
                       {"new_pods", from_new_pods(answers.to[i])}};
            for (const decision::ObjectId id : answers.to[i].objects)
                entry["endpoints"].push_back(name_of(cluster_, id));
            for (const analyzer::Answer& row : open[i])
                entry["outside"].push_back(from_outside(answers, row, answers.to[i]));
            if (depends(entry) && endpoints_in_doubt(input_, cluster_, answers.to[i].objects,
                                                     decision::Direction::Ingress)
                                          .some > 0)
                entry["hangs_on_unread"] = true;
            if (!answers.to[i].is_outside())
                out.push_back(std::move(entry));
        }
        return out;
    }

  private:
    /// An answer without that stands in every reading of what was not read.
    static bool depends(const json& entry) {
        const auto any_of = [](const json& rows) {
            return std::any_of(rows.begin(), rows.end(),
                               [](const json& row) { return row["depends"] != ""; });
        };
        return any_of(entry["outside"]) || any_of(entry["new_pods"]);
    }

    static void merge(std::vector<analyzer::Answer>& rows, const analyzer::Answer& row) {
        for (analyzer::Answer& each : rows)
            if (each.allow == row.allow && each.may == row.may) {
                each.from.insert(each.from.end(), row.from.begin(), row.from.end());
                return;
            }
        rows.push_back({row.from, {}, row.allow, row.may});
    }

    json sets(const ConnectionSet& allow, const ConnectionSet& may) const {
        const auto& atoms = ask_.map().http();
        return {{"allowed", allow.empty() ? "" : allow.describe(atoms)},
                {"depends", may == allow ? "" : (may - allow).describe(atoms)}};
    }

    json from_outside(const Answers& answers, const analyzer::Answer& row, const Party& to) {
        net::AddressSet nets;
        std::vector<std::string> by;
        for (const std::uint32_t from : row.from) {
            nets = nets | answers.from[from].outside;
            const auto* trail = ask_.trail(answers.from[from], to, decision::Direction::Ingress);
            if (trail == nullptr)
                continue;
            for (const analyzer::SetStep& step : *trail) {
                if (step.action != decision::Action::Allow || (step.may & row.allow).empty())
                    continue;
                const auto& slot = to.ingress->slots[step.slot.value];
                std::string text = analyzer::decider(slot, decision::Direction::Ingress);
                if (slot.span.known())
                    text += "   (" + sources_.describe(slot.span) + ")";
                if (std::find(by.begin(), by.end(), text) == by.end())
                    by.push_back(std::move(text));
            }
        }
        json out = sets(row.allow, row.may);
        out["from"] = json::array();
        for (const net::Cidr& cidr : nets.cidrs())
            out["from"].push_back(net::to_string(cidr));
        out["shown"] = outside_label(nets, whole_);
        std::string reason;
        if (to.unsure)
            reason = std::string(ir::kUnsureGovernor) + " governs it";
        else if (row.allow != row.may)
            reason = ask_.doubt(answers.from[row.from.front()], to, row.may - row.allow);
        if (!reason.empty())
            out["reason"] = std::move(reason);
        out["by"] = by;
        return out;
    }

    json from_new_pods(const Party& party) {
        json out = json::array();
        const auto add = [&](const analyzer::NewPod& pod) {
            json entry = sets(pod.allow, pod.may);
            entry["namespace"] = pod.space;
            entry["labels"] = json::object();
            entry["namespace_labels"] = json::object();
            entry["service_account_labels"] = json::object();
            for (const auto& [label, value] : pod.labels)
                add_label(entry, std::string(label), std::string(value));
            out.push_back(std::move(entry));
        };
        if (party.is_outside())
            return out;
        if (party.ingress == nullptr) {
            add({"",
                 {},
                 party.unsure ? ConnectionSet{} : ConnectionSet::all(),
                 ConnectionSet::all()});
            return out;
        }
        const auto& own = identities_[ask_.map().groups()[party.group].identity];
        for (const analyzer::NewPod& pod :
             new_pods_.reaching(cluster_.program(party.ingress->program), own, ask_.map().http()))
            add(pod);
        return out;
    }

    /// Without what Calico adds and the namespace's name says.
    static void add_label(json& entry, const std::string& label, const std::string& value) {
        const std::string prefix(policy::kNamespacePrefix), account(policy::kServiceAccountPrefix);
        if (label == policy::kNamespaceLabel || label == policy::kOrchestratorLabel ||
            label == prefix + std::string(policy::kCalicoNameLabel) ||
            label == prefix + std::string(policy::kNameLabel))
            return;
        if (label == policy::kServiceAccountLabel) // nobody can set it on a pod
            entry["service_account"] = value;
        else if (label.starts_with(prefix))
            entry["namespace_labels"][label.substr(prefix.size())] = value;
        else if (label.starts_with(account)) // nobody can set these on a pod
            entry["service_account_labels"][label.substr(account.size())] = value;
        else
            entry["labels"][label] = value;
    }

    const Input& input_;
    const Sources& sources_;
    const decision::LoweredCluster& cluster_;
    const decision::Identities& identities_;
    analyzer::Questions ask_;
    analyzer::NewPods new_pods_;
    net::AddressSet whole_;
};

std::string labels_text(const json& labels) {
    std::string out;
    for (const auto& [label, value] : labels.items())
        out += fmt::format("{}{}={}", out.empty() ? "" : ", ", label, value.get<std::string>());
    return out;
}

std::string connections(const json& entry, const char* on) {
    const std::string allowed = entry["allowed"], depends = entry["depends"];
    const std::string perhaps = depends.empty() ? "" : fmt::format("depends{}: {}", on, depends);
    return allowed + (allowed.empty() || depends.empty() ? "" : "; ") + perhaps;
}

std::string new_pod_text(const json& pod) {
    const std::string space = pod["namespace"], labels = labels_text(pod["labels"]),
                      of_space = labels_text(pod["namespace_labels"]);
    std::string where = "in namespace " + space;
    if (space.empty())
        where = of_space.empty() ? "in any new namespace"
                                 : "in a namespace with the labels " + of_space;
    if (pod.contains("service_account"))
        where += ", of service account " + pod["service_account"].get<std::string>();
    const std::string account = labels_text(pod["service_account_labels"]);
    if (!account.empty() && pod.contains("service_account"))
        where += " with the labels " + account;
    else if (!account.empty())
        where += ", of a service account with the labels " + account;
    return fmt::format("    a new pod {} {} {}: {}\n", labels.empty() ? "without" : "with the",
                       labels.empty() ? "labels" : "labels " + labels, where,
                       connections(pod, " on its address"));
}

std::string body_of(const json& entry) {
    std::string out;
    for (const json& each : entry["outside"]) {
        out += fmt::format("    {}: {}\n", each["shown"].get<std::string>(), connections(each, ""));
        for (const json& rule : each["by"])
            out += "        by " + rule.get<std::string>() + "\n";
        if (each.contains("reason"))
            out += "        because " + each["reason"].get<std::string>() + "\n";
        else if (each["by"].empty())
            out += "        no policy governs it\n";
    }
    for (const json& each : entry["new_pods"])
        out += new_pod_text(each);
    if (out.empty())
        out = "    closed to outside addresses, and no new pod was found that it lets in\n";
    return out;
}

/// Endpoints with the same exposure together.
std::string text_of(const std::vector<json>& entries) {
    std::vector<std::pair<std::string, std::vector<std::string>>> blocks;
    for (const json& entry : entries) {
        const std::string body = body_of(entry) + entry["family"].get<std::string>();
        auto place = std::find_if(blocks.begin(), blocks.end(),
                                  [&](const auto& block) { return block.first == body; });
        if (place == blocks.end())
            place = blocks.insert(blocks.end(), {body, {}});
        for (const json& name : entry["endpoints"])
            place->second.push_back(name);
    }
    std::string out;
    for (auto& [body, names] : blocks) {
        constexpr std::size_t kMost = 6, kFamily = 4; // "IPv4"
        std::sort(names.begin(), names.end());
        out += listed(names, kMost);
        out += "  " + body.substr(body.size() - kFamily) + "\n";
        out += body.substr(0, body.size() - kFamily);
    }
    return out.empty() ? fmt::format("{}\n", kNobody) : out;
}

int run(const ExposureOptions& options) {
    const Input input = read_input(options.paths, options.input);
    if (is_unusable(input))
        return kBadInput;
    diag::Diagnostics diagnostics;
    const auto cluster =
        passes::lower(input.cluster, diagnostics, lower_options(options.unknown_address));
    const decision::Identities identities(cluster);
    std::vector<json> entries;
    for (const net::Family family : families_in_use(cluster))
        for (json& entry : Exposure(input, cluster, identities, family).run())
            entries.push_back(std::move(entry));
    const bool open = std::any_of(entries.begin(), entries.end(),
                                  [](const json& entry) { return !entry["outside"].empty(); });
    Hanging hanging;
    for (const json& entry : entries)
        hanging.add(entry.contains("hangs_on_unread"));
    const auto unread = unread_lines(input, hanging);
    std::string text;
    if (options.format == "text") {
        text = text_of(entries);
        if (const std::string note = hooks_note(cluster); !note.empty())
            text += "(" + note + ")\n";
    } else {
        tell_notes(cluster);
        for (json& entry : entries) {
            for (json& each : entry["outside"])
                each.erase("shown");
            if (!unread.empty())
                entry["unread"] = unread;
        }
        text = json(entries).dump(1, ' ', false, json::error_handler_t::replace) + "\n";
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
