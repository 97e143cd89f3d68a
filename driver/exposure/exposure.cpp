#include "driver/exposure/exposure.h"

#include <algorithm>

#include "analyzer/explain/trail.h"
#include "analyzer/questions/new_pods.h"
#include "analyzer/questions/open_ends.h"
#include "driver/input/outside.h"
#include "driver/input/unread.h"
#include "driver/map/rows.h"
#include "ir/path/host_network.h"
#include "ir/policy/scope.h"

namespace polecat::driver {

namespace {

using analyzer::Answers;
using analyzer::ConnectionSet;
using analyzer::Party;

/// An answer without that stands in every reading of what was not read.
bool depends(const Exposure& exposure) {
    const auto any_of = [](const auto& rows) {
        return std::any_of(rows.begin(), rows.end(),
                           [](const auto& row) { return !row.connections.depends.empty(); });
    };
    return any_of(exposure.outside) || any_of(exposure.new_pods);
}

/// Without what Calico adds and the namespace's name says.
void add_label(OpenToNewPod& pod, const std::string& label, const std::string& value) {
    const std::string prefix(policy::kNamespacePrefix), account(policy::kServiceAccountPrefix);
    if (label == policy::kNamespaceLabel || label == policy::kOrchestratorLabel ||
        label == prefix + std::string(policy::kCalicoNameLabel) ||
        label == prefix + std::string(policy::kNameLabel))
        return;
    if (label == policy::kServiceAccountLabel) // nobody can set it on a pod
        pod.account = value;
    else if (label.starts_with(prefix))
        pod.space_labels[label.substr(prefix.size())] = value;
    else if (label.starts_with(account)) // nobody can set these on a pod
        pod.account_labels[label.substr(account.size())] = value;
    else
        pod.labels[label] = value;
}

/// Of one IP family.
class ExposureSearch {
  public:
    ExposureSearch(const Input& input, const decision::LoweredCluster& cluster,
                   const analyzer::ConnectivityMap& map)
        : input_(input), cluster_(cluster), ask_(cluster, map),
          new_pods_(cluster, input.cluster.namespaces) {}

    void run(std::vector<Exposure>& out) {
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
        for (std::uint32_t i = 0; i < answers.to.size(); ++i)
            if (!answers.to[i].is_outside())
                out.push_back(of_party(answers, answers.to[i], open[i]));
    }

  private:
    static void merge(std::vector<analyzer::Answer>& rows, const analyzer::Answer& row) {
        for (analyzer::Answer& each : rows)
            if (each.connections == row.connections) {
                each.from.insert(each.from.end(), row.from.begin(), row.from.end());
                return;
            }
        rows.push_back({row.from, {}, row.connections});
    }

    Exposure of_party(const Answers& answers, const Party& to,
                      const std::vector<analyzer::Answer>& open) {
        Exposure out{ask_.family(), {}, {}, from_new_pods(to), false};
        for (const decision::ObjectId id : to.objects)
            out.endpoints.push_back(name_of(cluster_, id));
        for (const analyzer::Answer& row : open)
            out.outside.push_back(from_outside(answers, row, to));
        out.hangs_on_unread =
            depends(out) &&
            endpoints_in_doubt(input_, cluster_, to.objects, decision::Direction::Ingress).some > 0;
        return out;
    }

    OpenConnections described(const analyzer::Bounds<ConnectionSet>& of) const {
        const auto& atoms = ask_.map().http();
        return {of.sure.empty() ? "" : of.sure.describe(atoms),
                of.is_certain() ? "" : (of.may - of.sure).describe(atoms)};
    }

    std::vector<std::string> deciders(const Answers& answers, const analyzer::Answer& row,
                                      const Party& to) {
        std::vector<std::string> by;
        for (const std::uint32_t from : row.from) {
            const auto* trail = ask_.trail(answers.from[from], to, decision::Direction::Ingress);
            if (trail == nullptr)
                continue;
            for (const analyzer::SetStep& step : *trail) {
                if (step.action != decision::Action::Allow ||
                    (step.taken.may & row.connections.sure).empty())
                    continue;
                const auto& slot = to.ingress->slots[step.slot.value];
                std::string text = analyzer::decider(slot, decision::Direction::Ingress);
                if (slot.span.known())
                    text += "   (" + input_.sources.describe(slot.span) + ")";
                if (std::find(by.begin(), by.end(), text) == by.end())
                    by.push_back(std::move(text));
            }
        }
        return by;
    }

    OpenToOutside from_outside(const Answers& answers, const analyzer::Answer& row,
                               const Party& to) {
        OpenToOutside out;
        for (const std::uint32_t from : row.from)
            out.from = out.from | answers.from[from].outside;
        out.shown = outside_label(out.from, whole_);
        out.connections = described(row.connections);
        out.by = deciders(answers, row, to);
        if (to.unsure)
            out.reason = std::string(ir::kUnsureGovernor) + " governs it";
        else if (!row.connections.is_certain())
            out.reason = ask_.doubt(answers.from[row.from.front()], to,
                                    row.connections.may - row.connections.sure);
        return out;
    }

    std::vector<OpenToNewPod> from_new_pods(const Party& party) {
        std::vector<OpenToNewPod> out;
        const auto add = [&](const analyzer::NewPod& pod) {
            OpenToNewPod& each = out.emplace_back();
            each.connections = described(pod.connections);
            each.space = pod.space;
            for (const auto& [label, value] : pod.labels)
                add_label(each, std::string(label), std::string(value));
        };
        if (party.ingress == nullptr) {
            add({"",
                 {},
                 {party.unsure ? ConnectionSet{} : ConnectionSet::all(), ConnectionSet::all()}});
            return out;
        }
        for (const analyzer::NewPod& pod : new_pods_.reaching(
                 ask_.view(party.ingress->program), ask_.map().ends().identity(party.group)))
            add(pod);
        return out;
    }

    const Input& input_;
    const decision::LoweredCluster& cluster_;
    analyzer::Questions ask_;
    analyzer::NewPods new_pods_;
    net::AddressSet whole_; ///< every outside address
};

} // namespace

std::vector<Exposure> exposure_of(Session& session) {
    std::vector<Exposure> out;
    for (const net::Family family : families_in_use(session.cluster()))
        ExposureSearch(session.input(), session.cluster(), session.map(family)).run(out);
    return out;
}

} // namespace polecat::driver
