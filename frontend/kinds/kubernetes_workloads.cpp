/// Pods and the workloads that make them. Only what policy needs is read; the rest passes unread.
#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/kubernetes_fields.h"
#include "frontend/kinds/label_selector.h"

namespace polecat::frontend {

namespace {

namespace known = kubernetes_fields;
using policy::Workload;

/// calico-node's settings by environment, as far as they stand there.
void read_felix_environment(Fields& container, Workload& into) {
    for (const yaml::Node* each : container.list("env")) {
        const std::string name = scalar_text(*each, "name"), value = scalar_text(*each, "value");
        if (each->is_mapping() && name.starts_with("FELIX_") && !value.empty())
            into.felix_environment[name] = value;
    }
}

/// Ports with a name and a protocol that Calico knows, of containers and init containers.
void read_ports(Fields& spec, std::string_view key, Workload& into) {
    std::size_t index = 0;
    for (const yaml::Node* each : spec.list(key)) {
        Fields container = item(each, spec, key, index++);
        std::size_t at = 0;
        for (const yaml::Node* port : container.list("ports")) {
            Fields fields = item(port, container, "ports", at++);
            const auto name = fields.string("name");
            const auto protocol = fields.string("protocol");
            const auto number = fields.integer("containerPort");
            const auto host = fields.integer("hostPort");
            // A port without its number is no port, which narrows what names it.
            fields.finish_open(known::kContainerPort, diag::Severity::Warning);
            const auto known =
                protocol ? kubernetes_protocol(*protocol, fields.path_of("protocol"), fields)
                         : std::optional(net::kTcp);
            const auto value = number
                                   ? port_number(*number, fields.path_of("containerPort"), fields)
                                   : std::nullopt;
            if (!known || !value)
                continue;
            const auto on_host =
                host && host->value != 0
                    ? port_number(*host, fields.path_of("hostPort"), fields).value_or(0)
                    : std::uint16_t{0};
            const bool named = name && !name->value.empty();
            into.listens.push_back({named ? name->value : "", *known, *value, on_host});
            if (named)
                into.ports.push_back({name->value, *known, *value});
        }
        read_felix_environment(container, into);
        container.finish_open(known::kContainer, diag::Severity::Warning);
    }
}

void read_pod_spec(Fields& spec, Workload& into) {
    const auto account = spec.string("serviceAccountName");
    const auto old_account = spec.string("serviceAccount");
    into.service_account = account && !account->value.empty()           ? account->value
                           : old_account && !old_account->value.empty() ? old_account->value
                                                                        : "default";
    into.node = read_node_name(spec, "nodeName");
    if (const auto dns = spec.string("dnsPolicy"))
        into.dns_policy = dns->value;
    // They come behind the cluster's, and are asked where that does not answer.
    if (!spec.mapping("dnsConfig").strings("nameservers").empty())
        into.dns_policy = "None";
    if (const auto host = spec.boolean("hostNetwork"))
        into.host_network = host->value;
    read_ports(spec, "containers", into);
    read_ports(spec, "initContainers", into);
    spec.finish_open(known::kPodSpec);
}

constexpr const char* kPodIpAnnotation = "cni.projectcalico.org/podIP";
constexpr const char* kAwsPodIpsAnnotation = "vpc.amazonaws.com/pod-ips";

void add_address(const At<std::string>& text, Fields& fields, const std::string& path,
                 Workload& into) {
    const auto cidr = net::parse_cidr(text.value, net::CidrForm::OrAddress);
    if (!cidr || cidr->prefix != net::width(cidr->family()))
        refuse_value(fields, text.span, path, "must be an IP address");
    else
        into.addresses.push_back({*cidr, text.span});
}

/// The addresses that kubelet reports; before that, those that the CNI plugin noted
/// (libcalico-go k8s/conversion, getPodIPs).
void read_pod_addresses(Fields& root, const policy::Metadata& meta, Workload& into) {
    Fields status = root.mapping("status");
    std::size_t index = 0;
    for (const yaml::Node* each : status.list("podIPs")) {
        Fields entry = item(each, status, "podIPs", index++);
        if (const auto ip = entry.string("ip"); ip && !ip->value.empty())
            add_address(*ip, entry, entry.path_of("ip"), into);
        entry.finish_open(known::kNone);
    }
    const auto one = status.string("podIP");
    if (into.addresses.empty() && one && !one->value.empty())
        add_address(*one, status, status.path_of("podIP"), into);
    status.ignore({"phase"}); // is_finished reads it
    status.finish_open(known::kPodStatus);
    for (const char* key :
         {"cni.projectcalico.org/podIPs", kPodIpAnnotation, kAwsPodIpsAnnotation}) {
        const auto found = meta.annotations.find(key);
        if (!into.addresses.empty() || found == meta.annotations.end() || found->second.empty())
            continue;
        for (std::size_t from = 0; from <= found->second.size();) {
            const std::size_t comma = std::min(found->second.find(',', from), found->second.size());
            add_address({found->second.substr(from, comma - from), meta.span}, root,
                        std::string("metadata.annotations.") + key, into);
            from = comma + 1;
        }
    }
}

/// A pod that has no address any more (IsFinished): it ended, or it is being deleted and the CNI
/// plugin has taken the address back.
bool is_finished(Fields& root, const policy::Metadata& meta) {
    Fields status = root.mapping("status");
    if (const auto phase = status.string("phase"))
        if (**phase == "Succeeded" || **phase == "Failed" || **phase == "Completed")
            return true;
    const auto emptied = [&](const char* key) {
        const auto noted = meta.annotations.find(key);
        return noted != meta.annotations.end() && noted->second.empty();
    };
    Fields fields = root.mapping("metadata");
    return fields.get("deletionTimestamp") != nullptr &&
           (emptied(kPodIpAnnotation) || emptied(kAwsPodIpsAnnotation));
}

void read_owner(Fields& root, Workload& into) {
    Fields meta = root.mapping("metadata");
    std::size_t index = 0;
    for (const yaml::Node* each : meta.list("ownerReferences")) {
        Fields owner = item(each, meta, "ownerReferences", index++);
        const auto kind = owner.string("kind"), name = owner.string("name");
        owner.finish_open(known::kOwnerReference);
        if (kind && name) {
            into.owner_kind = kind->value;
            into.owner_name = name->value;
            return;
        }
    }
}

/// Labels that controllers give the pods they make (Kubernetes' job and statefulset controllers),
/// as far as they are the same for each of them. A CronJob's Job is called NAME-TIME.
void add_labels_of_controller(Fields& spec, Workload& into) {
    const bool cron = into.kind == "CronJob";
    if (into.meta.name.empty())
        return;
    const auto add = [&](const char* key, const std::string& value) {
        if (!into.pod_labels.find(key))
            into.pod_labels.set(key, value);
    };
    const auto manual = spec.boolean("manualSelector");
    if ((into.kind == "Job" || cron) && !(manual && **manual))
        for (const char* key : {"job-name", "batch.kubernetes.io/job-name"})
            add(key, into.meta.name + (cron ? "-00000000" : ""));
    if (into.kind != "StatefulSet")
        return;
    Fields ordinals = spec.mapping("ordinals");
    constexpr std::int64_t kMost = 1'000'000'000;
    if (const auto start = ordinals.integer("start"); start && **start >= 0 && **start <= kMost)
        into.first_ordinal = **start;
    ordinals.finish_open(known::kNone);
    if (!into.replicas || **into.replicas == 1) { // of more: tell_replicas_apart
        const std::string first = std::to_string(into.first_ordinal);
        add("statefulset.kubernetes.io/pod-name", into.meta.name + "-" + first);
        add("apps.kubernetes.io/pod-index", first);
    }
}

/// A template's metadata has no name; labels and annotations are read as a pod's.
void read_pod_template(Fields& parent, Workload& into) {
    Fields pod = parent.mapping("template");
    Fields meta = pod.mapping("metadata");
    std::vector<std::pair<std::string, std::string>> labels;
    for (auto& [key, value] : meta.string_map("labels"))
        labels.emplace_back(key.value, value.value);
    into.pod_labels = selector::Labels(labels);
    for (auto& [key, value] : meta.string_map("annotations"))
        into.pod_annotations[key.value] = value.value;
    meta.ignore({"name", "namespace"});
    meta.finish_open(known::kMetadata);
    Fields pod_spec = pod.mapping("spec");
    read_pod_spec(pod_spec, into);
    pod.finish_open(known::kNone);
}

} // namespace

void read_pod(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind"});
    Workload out;
    out.meta = read_metadata(root, true);
    out.kind = "Pod";
    out.pod_labels = out.meta.labels;
    out.pod_annotations = out.meta.annotations;
    Fields spec = root.mapping("spec");
    read_pod_spec(spec, out);
    read_pod_addresses(root, out.meta, out);
    read_owner(root, out);
    out.finished = is_finished(root, out.meta);
    root.finish_open(known::kNone);
    context.cluster.workloads.push_back(std::move(out));
}

void read_workload(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    Workload out;
    out.meta = read_metadata(root, true);
    out.kind = context.kind;
    read_owner(root, out);
    Fields spec = root.mapping("spec");
    root.finish_open(known::kNone);
    out.replicas = spec.integer("replicas");
    if (context.kind == "CronJob") {
        Fields job_template = spec.mapping("jobTemplate");
        Fields job = job_template.mapping("spec");
        job_template.finish_open(known::kJobTemplate);
        read_pod_template(job, out);
        add_labels_of_controller(job, out);
        job.finish_open(known::kWorkloadSpec);
    } else {
        read_pod_template(spec, out);
        add_labels_of_controller(spec, out);
    }
    spec.finish_open(known::kWorkloadSpec);
    context.cluster.workloads.push_back(std::move(out));
}

} // namespace polecat::frontend
