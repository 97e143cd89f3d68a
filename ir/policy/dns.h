/// The labels by which the pods that answer a cluster's DNS are known.
#pragma once

#include <utility>

#include "ir/selector/selector.h"

namespace polecat::policy {

inline constexpr std::pair<const char*, const char*> kDnsLabels[] = {
    {"k8s-app", "kube-dns"},
    {"k8s-app", "coredns"},
    {"app.kubernetes.io/name", "coredns"},
    {"dns.operator.openshift.io/daemonset-dns", "default"}};

} // namespace polecat::policy
