// The table of kinds that polecat does not read. Those that it reads: kinds.cpp.
#include "frontend/kinds/other_kinds.h"

#include <algorithm>

namespace polecat::frontend {

namespace {

struct OtherRow {
    std::string_view group; ///< "*.istio.io": that group and those below it
    std::string_view kind;  ///< "*": every kind of the group; "*Policy": those that end so
    OtherUse use;
};

constexpr OtherRow kOtherKinds[] = {
    // Calico's, that lowering has no use for: the state of IPAM, what only its enterprise edition
    // has, and the configuration of its own tools.
    {"*.projectcalico.org", "IPAMBlock", OtherUse::NoPolicy},
    {"*.projectcalico.org", "IPAMConfig", OtherUse::NoPolicy},
    {"*.projectcalico.org", "IPAMHandle", OtherUse::NoPolicy},
    {"*.projectcalico.org", "CalicoAPIConfig", OtherUse::NoPolicy},
    {"*.projectcalico.org", "RemoteClusterConfiguration", OtherUse::NoPolicy},
    {"*.projectcalico.org", "LicenseKey", OtherUse::NoPolicy},
    {"*.projectcalico.org", "GlobalAlert", OtherUse::NoPolicy},
    {"*.projectcalico.org", "GlobalAlertTemplate", OtherUse::NoPolicy},
    {"*.projectcalico.org", "GlobalReport", OtherUse::NoPolicy},
    {"*.projectcalico.org", "GlobalReportType", OtherUse::NoPolicy},
    {"*.projectcalico.org", "GlobalThreatFeed", OtherUse::NoPolicy},
    {"*.projectcalico.org", "AlertException", OtherUse::NoPolicy},
    {"*.projectcalico.org", "ManagedCluster", OtherUse::NoPolicy},
    {"*.projectcalico.org", "PacketCapture", OtherUse::NoPolicy},
    {"*.projectcalico.org", "DeepPacketInspection", OtherUse::NoPolicy},
    {"*.projectcalico.org", "UISettings", OtherUse::NoPolicy},
    {"*.projectcalico.org", "UISettingsGroup", OtherUse::NoPolicy},
    {"*.projectcalico.org", "BFDConfiguration", OtherUse::NoPolicy},
    {"*.projectcalico.org", "EgressGatewayPolicy", OtherUse::NoPolicy},
    {"*.projectcalico.org", "ExternalNetwork", OtherUse::NoPolicy},
    {"*.projectcalico.org", "Network", OtherUse::NoPolicy}, // of Calico's VPP dataplane
    {"*.projectcalico.org", "SecurityEventWebhook", OtherUse::NoPolicy},

    // By which other systems let traffic through or keep it out.
    {"*.cilium.io", "*NetworkPolicy", OtherUse::Policy},
    {"*.cilium.io", "*EgressGatewayPolicy", OtherUse::Policy},
    {"*.antrea.io", "*NetworkPolicy", OtherUse::Policy},
    {"*.istio.io", "*AuthorizationPolicy", OtherUse::Policy},
    {"*.istio.io", "*PeerAuthentication", OtherUse::Policy},
    {"*.linkerd.io", "*AuthorizationPolicy", OtherUse::Policy},
    {"*.linkerd.io", "*ServerAuthorization", OtherUse::Policy},
    {"*.ovn.org", "*EgressFirewall", OtherUse::Policy},
    {"*.openshift.io", "*EgressNetworkPolicy", OtherUse::Policy},
    {"*.hashicorp.com", "*ServiceIntentions", OtherUse::Policy},
    {"*.kuma.io", "*TrafficPermission", OtherUse::Policy},
    {"*.cncf.io", "*MultiNetworkPolicy", OtherUse::Policy},
    {"*.gke.io", "*NetworkPolicy", OtherUse::Policy},
    {"*.k8s.aws", "*NetworkPolicy", OtherUse::Policy},
    {"*.k8s.aws", "*SecurityGroupPolicy", OtherUse::Policy},
    {"*.vmware.com", "*SecurityPolicy", OtherUse::Policy},
    {"*.kubeovn.io", "*SecurityGroup", OtherUse::Policy},

    // Of which controllers make pods, whether they show it or not: their fields are their
    // operator's own.
    {"monitoring.coreos.com", "Prometheus", OtherUse::MakesPods},
    {"monitoring.coreos.com", "PrometheusAgent", OtherUse::MakesPods},
    {"monitoring.coreos.com", "Alertmanager", OtherUse::MakesPods},
    {"monitoring.coreos.com", "ThanosRuler", OtherUse::MakesPods},
    {"monitoring.rhobs", "MonitoringStack", OtherUse::MakesPods},
    {"operator.victoriametrics.com", "*", OtherUse::MakesPods},
    {"grafana.integreatly.org", "Grafana", OtherUse::MakesPods},
    {"loki.grafana.com", "LokiStack", OtherUse::MakesPods},
    {"tempo.grafana.com", "*", OtherUse::MakesPods},
    {"jaegertracing.io", "Jaeger", OtherUse::MakesPods},
    {"opentelemetry.io", "OpenTelemetryCollector", OtherUse::MakesPods},
    {"logging.banzaicloud.io", "*", OtherUse::MakesPods},
    {"fluentd.fluent.io", "*", OtherUse::MakesPods},
    {"kafka.strimzi.io", "Kafka", OtherUse::MakesPods},
    {"kafka.strimzi.io", "KafkaNodePool", OtherUse::MakesPods},
    {"kafka.strimzi.io", "KafkaConnect", OtherUse::MakesPods},
    {"kafka.strimzi.io", "KafkaBridge", OtherUse::MakesPods},
    {"kafka.strimzi.io", "KafkaMirrorMaker", OtherUse::MakesPods},
    {"kafka.strimzi.io", "KafkaMirrorMaker2", OtherUse::MakesPods},
    {"platform.confluent.io", "*", OtherUse::MakesPods},
    {"postgresql.cnpg.io", "Cluster", OtherUse::MakesPods},
    {"postgresql.cnpg.io", "Pooler", OtherUse::MakesPods},
    {"acid.zalan.do", "postgresql", OtherUse::MakesPods},
    {"postgres-operator.crunchydata.com", "*", OtherUse::MakesPods},
    {"stackgres.io", "SGCluster", OtherUse::MakesPods},
    {"k8s.mariadb.com", "MariaDB", OtherUse::MakesPods},
    {"k8s.mariadb.com", "MaxScale", OtherUse::MakesPods},
    {"mysql.oracle.com", "InnoDBCluster", OtherUse::MakesPods},
    {"planetscale.com", "*", OtherUse::MakesPods},
    {"pxc.percona.com", "PerconaXtraDBCluster", OtherUse::MakesPods},
    {"ps.percona.com", "PerconaServerMySQL", OtherUse::MakesPods},
    {"pgv2.percona.com", "PerconaPGCluster", OtherUse::MakesPods},
    {"psmdb.percona.com", "PerconaServerMongoDB", OtherUse::MakesPods},
    {"mongodbcommunity.mongodb.com", "MongoDBCommunity", OtherUse::MakesPods},
    {"mongodb.com", "*", OtherUse::MakesPods},
    {"databases.spotahome.com", "RedisFailover", OtherUse::MakesPods},
    {"redis.redis.opstreelabs.in", "*", OtherUse::MakesPods},
    {"dragonflydb.io", "Dragonfly", OtherUse::MakesPods},
    {"rabbitmq.com", "RabbitmqCluster", OtherUse::MakesPods},
    {"cassandra.datastax.com", "*", OtherUse::MakesPods},
    {"k8ssandra.io", "K8ssandraCluster", OtherUse::MakesPods},
    {"scylla.scylladb.com", "ScyllaCluster", OtherUse::MakesPods},
    {"clickhouse.altinity.com", "*", OtherUse::MakesPods},
    {"elasticsearch.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"kibana.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"logstash.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"beat.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"agent.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"apm.k8s.elastic.co", "*", OtherUse::MakesPods},
    {"opensearch.opster.io", "OpenSearchCluster", OtherUse::MakesPods},
    {"solr.apache.org", "*", OtherUse::MakesPods},
    {"zookeeper.pravega.io", "*", OtherUse::MakesPods},
    {"minio.min.io", "Tenant", OtherUse::MakesPods},
    {"ceph.rook.io", "CephCluster", OtherUse::MakesPods},
    {"ceph.rook.io", "CephFilesystem", OtherUse::MakesPods},
    {"ceph.rook.io", "CephObjectStore", OtherUse::MakesPods},
    {"ceph.rook.io", "CephNFS", OtherUse::MakesPods},
    {"longhorn.io", "*", OtherUse::MakesPods},
    {"k8s.keycloak.org", "Keycloak", OtherUse::MakesPods},
    {"keycloak.org", "Keycloak", OtherUse::MakesPods},
    {"vault.banzaicloud.com", "Vault", OtherUse::MakesPods},
    {"argoproj.io", "Application", OtherUse::MakesPods},
    {"argoproj.io", "ApplicationSet", OtherUse::MakesPods},
    {"argoproj.io", "ArgoCD", OtherUse::MakesPods},
    {"helm.toolkit.fluxcd.io", "HelmRelease", OtherUse::MakesPods},
    {"kustomize.toolkit.fluxcd.io", "Kustomization", OtherUse::MakesPods},
    {"helm.cattle.io", "HelmChart", OtherUse::MakesPods},
    {"operators.coreos.com", "Subscription", OtherUse::MakesPods},
    {"install.istio.io", "IstioOperator", OtherUse::MakesPods},
    {"sailoperator.io", "*", OtherUse::MakesPods},
    {"gateway.networking.k8s.io", "Gateway", OtherUse::MakesPods},
    {"serving.knative.dev", "Service", OtherUse::MakesPods},
    {"tekton.dev", "PipelineRun", OtherUse::MakesPods},
    {"tekton.dev", "TaskRun", OtherUse::MakesPods},
    {"sparkoperator.k8s.io", "*", OtherUse::MakesPods},
    {"flink.apache.org", "FlinkDeployment", OtherUse::MakesPods},
    {"ray.io", "*", OtherUse::MakesPods},
    {"kubeflow.org", "*", OtherUse::MakesPods},
    {"serving.kserve.io", "InferenceService", OtherUse::MakesPods},
    {"kubevirt.io", "*", OtherUse::MakesPods},
    {"cdi.kubevirt.io", "DataVolume", OtherUse::MakesPods},
    {"build.openshift.io", "BuildConfig", OtherUse::MakesPods},
    {"airflow.apache.org", "*", OtherUse::MakesPods},
    {"nifi.apache.org", "*", OtherUse::MakesPods},
    {"temporal.io", "TemporalCluster", OtherUse::MakesPods},
    {"actions.github.com", "*", OtherUse::MakesPods},
    {"actions.summerwind.dev", "*", OtherUse::MakesPods},
};

/// "*.a.b" and "*b" have an end; "*" alone is anything.
bool is_group_of(std::string_view pattern, std::string_view group) {
    if (!pattern.starts_with("*."))
        return pattern == group;
    const std::string_view end = pattern.substr(2);
    return group.ends_with(end) &&
           (group.size() == end.size() || group[group.size() - end.size() - 1] == '.');
}

bool is_kind_of(std::string_view pattern, std::string_view kind) {
    return pattern.starts_with('*') ? kind.ends_with(pattern.substr(1)) : pattern == kind;
}

} // namespace

bool is_known_as(OtherUse use, std::string_view group, std::string_view kind) {
    return std::any_of(std::begin(kOtherKinds), std::end(kOtherKinds), [&](const OtherRow& each) {
        return each.use == use && is_kind_of(each.kind, kind) && is_group_of(each.group, group);
    });
}

} // namespace polecat::frontend
