// What Kubernetes NetworkPolicies show by themselves.
#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using policy::KubernetesNetworkPolicy;
using policy::KubernetesPeer;
using policy::KubernetesRule;

namespace {

bool selects_all(const policy::LabelSelector& selector) {
    return selector.match_labels.empty() && selector.expressions.empty();
}

class KubernetesChecker {
  public:
    explicit KubernetesChecker(Diagnostics& out) : out_(out) {}

    void check(const KubernetesNetworkPolicy& policy) {
        object_ =
            (policy.staged_action.empty() ? "NetworkPolicy " : "StagedKubernetesNetworkPolicy ") +
            policy.meta.space + "/" + policy.meta.name;
        for (const KubernetesRule& rule : policy.ingress)
            check(rule);
        for (const KubernetesRule& rule : policy.egress)
            check(rule);
    }

  private:
    void check(const KubernetesRule& rule) {
        for (const KubernetesPeer& peer : rule.peers) {
            const bool every_space =
                peer.namespace_selector && selects_all(*peer.namespace_selector);
            if (every_space && (!peer.pod_selector || selects_all(*peer.pod_selector)))
                out_.report(Code::EveryNamespace, peer.span).about(object_);
        }
        for (std::size_t i = 0; i + 1 < rule.peers.size(); ++i)
            either_or(rule.peers[i], rule.peers[i + 1]);
        for (const policy::KubernetesPort& port : rule.ports) {
            if (port.protocol || !port.port)
                continue;
            const std::string text =
                std::visit([](const auto& value) { return fmt::format("{}", value); }, *port.port);
            auto& diagnostic =
                out_.report(Code::PortWithoutProtocol, port.span, {text}).about(object_);
            // Of DNS and QUIC the other half may be meant.
            if (text != "53" && text != "443" && text.find("dns") == text.npos)
                diagnostic.with_fix(diag::add_to_mapping(port.span, "", "{protocol: TCP}",
                                                         "write the protocol that counts"));
        }
    }

    /// "- podSelector" and "- namespaceSelector" one after the other: the dash before the second
    /// one makes two peers of what looks like one.
    void either_or(const KubernetesPeer& a, const KubernetesPeer& b) {
        const auto only_pods = [](const KubernetesPeer& peer) {
            return peer.pod_selector && !selects_all(*peer.pod_selector) &&
                   !peer.namespace_selector;
        };
        const auto only_spaces = [](const KubernetesPeer& peer) {
            return peer.namespace_selector && !peer.pod_selector;
        };
        if ((only_pods(a) && only_spaces(b)) || (only_spaces(a) && only_pods(b)))
            out_.report(Code::PeerAndOr, b.span)
                .about(object_)
                .with_label(a.span, "the other one")
                .with_hint("for pods of those namespaces, put both selectors into one peer: no "
                           "dash before the second");
    }

    Diagnostics& out_;
    std::string object_;
};

} // namespace

void check_kubernetes(Context& context, Diagnostics& out) {
    KubernetesChecker checker(out);
    for (const KubernetesNetworkPolicy& policy : context.cluster.kubernetes_policies)
        checker.check(policy);
}

} // namespace polecat::lint
