#include "frontend/kinds/pod_makers.h"

#include <algorithm>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

namespace {

struct Maker {
    std::string_view group;
    std::string_view kind; ///< empty: every kind of the group
};

/// Those that need not show it: their fields are their operator's own.
constexpr Maker kMakers[] = {
    {"monitoring.coreos.com", "Prometheus"},
    {"monitoring.coreos.com", "PrometheusAgent"},
    {"monitoring.coreos.com", "Alertmanager"},
    {"monitoring.coreos.com", "ThanosRuler"},
    {"monitoring.rhobs", "MonitoringStack"},
    {"operator.victoriametrics.com", ""},
    {"grafana.integreatly.org", "Grafana"},
    {"loki.grafana.com", "LokiStack"},
    {"tempo.grafana.com", ""},
    {"jaegertracing.io", "Jaeger"},
    {"opentelemetry.io", "OpenTelemetryCollector"},
    {"logging.banzaicloud.io", ""},
    {"fluentd.fluent.io", ""},
    {"kafka.strimzi.io", "Kafka"},
    {"kafka.strimzi.io", "KafkaNodePool"},
    {"kafka.strimzi.io", "KafkaConnect"},
    {"kafka.strimzi.io", "KafkaBridge"},
    {"kafka.strimzi.io", "KafkaMirrorMaker"},
    {"kafka.strimzi.io", "KafkaMirrorMaker2"},
    {"platform.confluent.io", ""},
    {"postgresql.cnpg.io", "Cluster"},
    {"postgresql.cnpg.io", "Pooler"},
    {"acid.zalan.do", "postgresql"},
    {"postgres-operator.crunchydata.com", ""},
    {"stackgres.io", "SGCluster"},
    {"k8s.mariadb.com", "MariaDB"},
    {"k8s.mariadb.com", "MaxScale"},
    {"mysql.oracle.com", "InnoDBCluster"},
    {"planetscale.com", ""},
    {"pxc.percona.com", "PerconaXtraDBCluster"},
    {"ps.percona.com", "PerconaServerMySQL"},
    {"pgv2.percona.com", "PerconaPGCluster"},
    {"psmdb.percona.com", "PerconaServerMongoDB"},
    {"mongodbcommunity.mongodb.com", "MongoDBCommunity"},
    {"mongodb.com", ""},
    {"databases.spotahome.com", "RedisFailover"},
    {"redis.redis.opstreelabs.in", ""},
    {"dragonflydb.io", "Dragonfly"},
    {"rabbitmq.com", "RabbitmqCluster"},
    {"cassandra.datastax.com", ""},
    {"k8ssandra.io", "K8ssandraCluster"},
    {"scylla.scylladb.com", "ScyllaCluster"},
    {"clickhouse.altinity.com", ""},
    {"elasticsearch.k8s.elastic.co", ""},
    {"kibana.k8s.elastic.co", ""},
    {"logstash.k8s.elastic.co", ""},
    {"beat.k8s.elastic.co", ""},
    {"agent.k8s.elastic.co", ""},
    {"apm.k8s.elastic.co", ""},
    {"opensearch.opster.io", "OpenSearchCluster"},
    {"solr.apache.org", ""},
    {"zookeeper.pravega.io", ""},
    {"minio.min.io", "Tenant"},
    {"ceph.rook.io", "CephCluster"},
    {"ceph.rook.io", "CephFilesystem"},
    {"ceph.rook.io", "CephObjectStore"},
    {"ceph.rook.io", "CephNFS"},
    {"longhorn.io", ""},
    {"k8s.keycloak.org", "Keycloak"},
    {"keycloak.org", "Keycloak"},
    {"vault.banzaicloud.com", "Vault"},
    {"argoproj.io", "Application"},
    {"argoproj.io", "ApplicationSet"},
    {"argoproj.io", "ArgoCD"},
    {"helm.toolkit.fluxcd.io", "HelmRelease"},
    {"kustomize.toolkit.fluxcd.io", "Kustomization"},
    {"helm.cattle.io", "HelmChart"},
    {"operators.coreos.com", "Subscription"},
    {"install.istio.io", "IstioOperator"},
    {"sailoperator.io", ""},
    {"gateway.networking.k8s.io", "Gateway"},
    {"serving.knative.dev", "Service"},
    {"tekton.dev", "PipelineRun"},
    {"tekton.dev", "TaskRun"},
    {"sparkoperator.k8s.io", ""},
    {"flink.apache.org", "FlinkDeployment"},
    {"ray.io", ""},
    {"kubeflow.org", ""},
    {"serving.kserve.io", "InferenceService"},
    {"kubevirt.io", ""},
    {"cdi.kubevirt.io", "DataVolume"},
    {"build.openshift.io", "BuildConfig"},
    {"airflow.apache.org", ""},
    {"nifi.apache.org", ""},
    {"temporal.io", "TemporalCluster"},
    {"actions.github.com", ""},
    {"actions.summerwind.dev", ""},
};

/// A list of containers or a single one, anywhere below.
bool holds_containers(const yaml::Node& node, int depth) {
    constexpr int kDeepest = 8;
    if (depth > kDeepest)
        return false;
    const auto names_image = [](const yaml::Node& each) {
        return each.is_mapping() && each.find("image") != nullptr;
    };
    for (const yaml::Member& member : node.members) {
        if (member.key == "containers" && member.value.is_sequence() &&
            std::any_of(member.value.items.begin(), member.value.items.end(), names_image))
            return true;
        if ((member.key == "container" && names_image(member.value)) ||
            member.key == "podTemplate" || holds_containers(member.value, depth + 1))
            return true;
    }
    return std::any_of(node.items.begin(), node.items.end(),
                       [&](const yaml::Node& each) { return holds_containers(each, depth + 1); });
}

bool counts_pods(const yaml::Node& spec) {
    for (const char* key : {"replicas", "instances"})
        if (const yaml::Node* found = spec.find(key);
            found != nullptr && yaml::as_integer(*found).has_value())
            return true;
    return false;
}

/// Where the pods will be: what deploys other objects may name another namespace than its own.
std::string namespace_of(const yaml::Node& root) {
    const yaml::Node* spec = root.find("spec");
    const yaml::Node* destination =
        spec != nullptr && spec->is_mapping() ? spec->find("destination") : nullptr;
    for (std::string space :
         {scalar_text(destination, "namespace"), scalar_text(spec, "targetNamespace"),
          scalar_text(root.find("metadata"), "namespace")})
        if (!space.empty())
            return space;
    return "default";
}

} // namespace

bool makes_pods(std::string_view group, std::string_view kind, const yaml::Node& root) {
    if (group == "apiextensions.k8s.io" || group == "autoscaling")
        return false; // schemas of kinds, and what counts the pods of another object
    const bool known = std::any_of(std::begin(kMakers), std::end(kMakers), [&](const Maker& each) {
        return each.group == group && (each.kind.empty() || each.kind == kind);
    });
    const yaml::Node* spec = root.find("spec");
    return known || (spec != nullptr && spec->is_mapping() &&
                     (counts_pods(*spec) || holds_containers(*spec, 0)));
}

void note_unread_pods(const yaml::Node& root, const std::string& kind, policy::Cluster& cluster) {
    const yaml::Node* meta = root.find("metadata");
    const yaml::Node* name = meta != nullptr && meta->is_mapping() ? meta->find("name") : nullptr;
    cluster.unread_pods.try_emplace(
        namespace_of(root),
        policy::UnreadPods{object_label(root, kind), name != nullptr ? name->span : root.span});
}

} // namespace polecat::frontend
