// FelixConfiguration: settings that take policy's force away.
// Source: felix/config/config_params.go.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using policy::OtherObject;
using policy::Policy;

namespace {

std::string name_of_object(const OtherObject& object) {
    return object.kind + " " + object.meta.name;
}

bool has_host_endpoints(const policy::Cluster& cluster) {
    if (!cluster.host_endpoints.empty())
        return true;
    return policy::has_automatic_host_endpoints(cluster);
}

class FelixChecker {
  public:
    FelixChecker(Context& context, Diagnostics& out)
        : context_(context), cluster_(context.cluster), out_(out) {}

    void run() {
        for (const OtherObject& each : cluster_.others)
            if (each.kind == "FelixConfiguration")
                settings(each);
        mixed_dataplanes();
        if (context_.dataplane() == Dataplane::Bpf)
            each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
                untracked_egress(policy);
            });
    }

  private:
    diag::Diagnostic& report(Code code, const OtherObject& object, const char* field) {
        return out_.report(code, object.spec.span(field)).about(name_of_object(object));
    }

    void settings(const OtherObject& felix) {
        if (felix.spec.is("chainInsertMode", "Append"))
            report(Code::ChainAppend, felix, "chainInsertMode")
                .with_hint("Insert, the default, puts Calico's rules first")
                .with_fix(set(felix, "chainInsertMode", "Insert"));
        if (felix.spec.is("defaultEndpointToHostAction", "Accept") && has_host_endpoints(cluster_))
            report(Code::HostAccept, felix, "defaultEndpointToHostAction")
                .with_hint("only Drop closes it: Return hands the packets to the host's own rules, "
                           "and host endpoint policy is not asked either way");
        if (felix.spec.is("workloadSourceSpoofing", "Any"))
            report(Code::SpoofingAllowed, felix, "workloadSourceSpoofing")
                .with_note(
                    "a pod does so with the annotation "
                    "cni.projectcalico.org/allowedSourcePrefixes: whoever writes pods decides "
                    "whom policy takes them for")
                .with_fix(pods_spoof() ? std::nullopt
                                       : set(felix, "workloadSourceSpoofing", "Disabled"));
        if (felix.spec.is("flowLogsPolicyEvaluationMode", "None") && has_staged())
            report(Code::StagedUnseen, felix, "flowLogsPolicyEvaluationMode")
                .with_hint("Continuous, the default, shows what staged policies would do")
                .with_fix(set(felix, "flowLogsPolicyEvaluationMode", "Continuous"));
    }

    /// Some pod makes use of it, and would lose what it sends.
    bool pods_spoof() const {
        return std::any_of(
            cluster_.workloads.begin(), cluster_.workloads.end(), [](const auto& each) {
                return each.pod_annotations.contains("cni.projectcalico.org/allowedSourcePrefixes");
            });
    }

    static std::optional<diag::Fix> set(const OtherObject& felix, const char* field,
                                        const char* value) {
        const auto said = felix.spec.text(field);
        return said ? diag::replace_text(said->span, said->value, value,
                                         std::string("write ") + value)
                    : std::nullopt;
    }

    bool has_staged() const {
        bool found = false;
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            found = found || policy::is_staged(policy.kind);
        });
        return found;
    }

    // --- dataplanes ------------------------------------------------------------------------------

    /// What an object says by itself, empty: nothing.
    static std::string_view dataplane_of(const OtherObject& object) {
        const policy::Settings& spec = object.spec;
        if (object.kind == "Installation") {
            if (spec.is("linuxDataplane", "BPF"))
                return "BPF";
            return spec.has("linuxDataplane") ? "other" : "";
        }
        if (object.kind != "FelixConfiguration" || !spec.has("bpfEnabled"))
            return "";
        return spec.is_true("bpfEnabled") ? "BPF" : "other";
    }

    static bool of_cluster(const OtherObject& object) {
        return object.kind == "Installation" || object.meta.name == "default";
    }

    /// Some nodes with BPF and others without, or the operator and Felix told different things.
    void mixed_dataplanes() {
        const OtherObject* cluster_wide = nullptr;
        for (const OtherObject& each : cluster_.others)
            if (of_cluster(each) && !dataplane_of(each).empty()) {
                if (cluster_wide != nullptr)
                    compare(*cluster_wide, each);
                cluster_wide = &each;
            }
        for (const OtherObject& each : cluster_.others)
            if (cluster_wide != nullptr && !of_cluster(each))
                compare(*cluster_wide, each);
    }

    void compare(const OtherObject& first, const OtherObject& second) {
        const std::string_view other = dataplane_of(second);
        if (other.empty() || other == dataplane_of(first))
            return;
        const char* field = second.kind == "Installation" ? "linuxDataplane" : "bpfEnabled";
        out_.report(Code::MixedDataplanes, second.spec.span(field),
                    {name_of_object(first), name_of_object(second)})
            .about(name_of_object(second))
            .with_hint("fine while nodes move from one to the other, not for long: what each gets "
                       "wrong differs");
    }

    void untracked_egress(const Policy& policy) {
        if (*policy.do_not_track && policy.egress_type && !policy.egress.empty())
            out_.report(Code::UntrackedEgressBpf, policy.egress.front().span)
                .about(name_of(policy))
                .with_hint("its egress rules have no effect");
    }

    Context& context_;
    const policy::Cluster& cluster_;
    Diagnostics& out_;
};

} // namespace

void check_felix(Context& context, Diagnostics& out) {
    FelixChecker(context, out).run();
}

} // namespace polecat::lint
