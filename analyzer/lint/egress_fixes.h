/// Fixes that change what a policy lets out: DNS, answers, the cloud's metadata address. Each opens
/// what its finding says and nothing else, or closes. For analyzer/lint only.
#pragma once

#include <optional>
#include <string>

#include "ir/decision/program.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

/// How the pods that answer DNS are told from others.
struct DnsPods {
    std::string space, label, value;
    bool operator==(const DnsPods&) const = default;
};

/// A rule for 53/UDP and 53/TCP to those pods. Nothing for policies of other kinds than
/// NetworkPolicy and GlobalNetworkPolicy.
std::optional<diag::Fix> allow_dns(const policy::Cluster& cluster,
                                   const decision::PolicyBlock& policy, const DnsPods& pods);

/// 53/TCP where the policy has one rule for 53/UDP to those pods. Nothing where its UDP rules reach
/// anything else, or a rule behind may deny 53/TCP.
std::optional<diag::Fix> allow_dns_tcp(const policy::Cluster& cluster,
                                       const decision::PolicyBlock& policy, const DnsPods& pods);

/// Some rule of a policy of Calico may deny that on port 53, other than one that takes everything.
bool may_deny_dns(const policy::Cluster& cluster, const decision::PolicyBlock& policy,
                  net::Protocol protocol);

/// An egress rule for the answers to what an ingress rule of an untracked policy lets in. Nothing
/// the other way round: who may choose his source port would come in with it.
std::optional<diag::Fix> allow_answers(const policy::Cluster& cluster, const decision::Slot& rule);

/// Leaves one address out of the nets that the rule allows, where it has nets.
std::optional<diag::Fix> leave_out(const policy::Cluster& cluster, const decision::Slot& rule,
                                   const net::Address& address);

} // namespace polecat::lint
