#include "backends/node/felix_keys.h"

#include <algorithm>

namespace polecat::backends {

namespace {

constexpr std::string_view kFollowed[] = {"allowIPIPPacketsFromWorkloads",
                                          "allowVXLANPacketsFromWorkloads",
                                          "defaultEndpointToHostAction",
                                          "disableConntrackInvalidCheck",
                                          "failsafeInboundHostPorts",
                                          "failsafeOutboundHostPorts",
                                          "interfacePrefix",
                                          "ipipEnabled",
                                          "iptablesFilterDenyAction",
                                          "logActionRateLimit",
                                          "logActionRateLimitBurst",
                                          "nftablesFilterDenyAction",
                                          "vxlanEnabled",
                                          "vxlanPort",
                                          "wireguardEnabled",
                                          "wireguardEnabledV6",
                                          "wireguardListeningPort",
                                          "wireguardListeningPortV6",
                                          "workloadSourceSpoofing"};

/// Not by rules, and why that matters. `harmless`: with this value it does not.
struct NotFollowed {
    std::string_view key, harmless, why;
};
constexpr NotFollowed kNotFollowed[] = {
    {"externalNodesList", "", "IPIP from these nodes is for the policy of host endpoints"},
    {"interfaceExclude", "", "a host endpoint of such an interface counts"},
    {"ipv6Support", "true", "IPv6 is judged as IPv4 is"},
    {"istioAmbientMode", "Disabled", "no packets of Istio's are let past policy"},
    {"metadataAddr", "none", "machines reach it by policy only"},
    {"metadataPort", "", "machines reach it by policy only"},
    {"nodeSelector", "", ""}, // PC3008 says it where it is read
    {"serviceLoopPrevention", "Disabled",
     "packets to addresses of services that nothing translates are left to routing"},
};

/// What Felix does beside rules; what is another dataplane's; how it writes its own rules. Marks:
/// these rules use none. Accept or Return: what is allowed meets the chains of other tables anyway.
constexpr std::string_view kWithoutEffect[] = {"awsSrcDstCheck",
                                               "bpfAttachType",
                                               "bpfConnectTimeLoadBalancing",
                                               "bpfConnectTimeLoadBalancingEnabled",
                                               "bpfConntrackLogLevel",
                                               "bpfConntrackMode",
                                               "bpfConntrackTimeouts",
                                               "bpfCTLBLogFilter",
                                               "bpfDataIfacePattern",
                                               "bpfDisableGROForIfaces",
                                               "bpfDisableUnprivileged",
                                               "bpfDSROptoutCIDRs",
                                               "bpfEnabled",
                                               "bpfEnforceRPF",
                                               "bpfExcludeCIDRsFromNAT",
                                               "bpfExportBufferSizeMB",
                                               "bpfExternalServiceMode",
                                               "bpfExtToServiceConnmark",
                                               "bpfForceTrackPacketsFromIfaces",
                                               "bpfHostConntrackBypass",
                                               "bpfHostNetworkedNATWithoutCTLB",
                                               "bpfIPFragmentReassemblyEnabled",
                                               "bpfIPFragTimeout",
                                               "bpfJITHardening",
                                               "bpfKubeProxyHealthzPort",
                                               "bpfKubeProxyIptablesCleanupEnabled",
                                               "bpfKubeProxyMinSyncPeriod",
                                               "bpfL3IfacePattern",
                                               "bpfLogFilters",
                                               "bpfLogLevel",
                                               "bpfMaglevMaxEndpointsPerService",
                                               "bpfMaglevMaxServices",
                                               "bpfMapSizeConntrack",
                                               "bpfMapSizeConntrackCleanupQueue",
                                               "bpfMapSizeConntrackScaling",
                                               "bpfMapSizeIfState",
                                               "bpfMapSizeIPSets",
                                               "bpfMapSizeNATAffinity",
                                               "bpfMapSizeNATBackend",
                                               "bpfMapSizeNATFrontend",
                                               "bpfMapSizePerCpuConntrack",
                                               "bpfMapSizeRoute",
                                               "bpfOverlayHostSourceIP",
                                               "bpfPolicyDebugEnabled",
                                               "bpfProfiling",
                                               "bpfPSNATPorts",
                                               "bpfRedirectToPeer",
                                               "calicoVersion",
                                               "cgroupV2Path",
                                               "chainInsertMode",
                                               "clusterGUID",
                                               "clusterType",
                                               "dataplaneDriver",
                                               "dataplaneWatchdogTimeout",
                                               "debugDisableLogDropping",
                                               "debugHost",
                                               "debugMemoryProfilePath",
                                               "debugPort",
                                               "debugSimulateCalcGraphHangAfter",
                                               "debugSimulateDataplaneApplyDelay",
                                               "debugSimulateDataplaneHangAfter",
                                               "deviceRouteProtocol",
                                               "deviceRouteSourceAddress",
                                               "deviceRouteSourceAddressIPv6",
                                               "endpointReportingDelay",
                                               "endpointReportingEnabled",
                                               "endpointStatusPathPrefix",
                                               "featureDetectOverride",
                                               "featureGates",
                                               "floatingIPs",
                                               "flowLogsCollectorDebugTrace",
                                               "flowLogsFlushInterval",
                                               "flowLogsGoldmaneServer",
                                               "flowLogsLocalReporter",
                                               "flowLogsPolicyEvaluationMode",
                                               "genericXDPEnabled",
                                               "goGCThreshold",
                                               "goMaxProcs",
                                               "goMemoryLimitMB",
                                               "healthEnabled",
                                               "healthHost",
                                               "healthPort",
                                               "healthTimeoutOverrides",
                                               "interfaceRefreshInterval",
                                               "ipForwarding",
                                               "ipipMTU",
                                               "ipsetsRefreshInterval",
                                               "iptablesBackend",
                                               "iptablesFilterAllowAction",
                                               "iptablesLockProbeInterval",
                                               "iptablesLockTimeout",
                                               "iptablesMangleAllowAction",
                                               "iptablesMarkMask",
                                               "iptablesNATOutgoingInterfaceFilter",
                                               "iptablesPostWriteCheckInterval",
                                               "iptablesRefreshInterval",
                                               "ipv4ElevatedRoutePriority",
                                               "ipv4NormalRoutePriority",
                                               "ipv6ElevatedRoutePriority",
                                               "ipv6NormalRoutePriority",
                                               "istioDSCPMark",
                                               "kubeNodePortRanges",
                                               "liveMigrationRouteConvergenceTime",
                                               "localSubnetL2Reachability",
                                               "localSubnetL2ReachabilityRefreshInterval",
                                               "logDebugFilenameRegex",
                                               "logFilePath",
                                               "logPrefix",
                                               "logSeverityFile",
                                               "logSeverityScreen",
                                               "logSeveritySys",
                                               "maxIpsetSize",
                                               "mtuIfacePattern",
                                               "natOutgoingAddress",
                                               "natOutgoingExclusions",
                                               "natPortRange",
                                               "netlinkTimeout",
                                               "nftablesFilterAllowAction",
                                               "nftablesFlowTableDataIfacePattern",
                                               "nftablesFlowTableOffload",
                                               "nftablesMangleAllowAction",
                                               "nftablesMarkMask",
                                               "nftablesMode",
                                               "nftablesRefreshInterval",
                                               "openstackRegion",
                                               "policySyncPathPrefix",
                                               "programClusterRoutes",
                                               "prometheusGoMetricsEnabled",
                                               "prometheusMetricsCAFile",
                                               "prometheusMetricsCertFile",
                                               "prometheusMetricsClientAuth",
                                               "prometheusMetricsEnabled",
                                               "prometheusMetricsHost",
                                               "prometheusMetricsKeyFile",
                                               "prometheusMetricsPort",
                                               "prometheusProcessMetricsEnabled",
                                               "prometheusWireGuardMetricsEnabled",
                                               "removeExternalRoutes",
                                               "reportingInterval",
                                               "reportingTTL",
                                               "requireMTUFile",
                                               "routeRefreshInterval",
                                               "routeSource",
                                               "routeSyncDisabled",
                                               "routeTableRange",
                                               "routeTableRanges",
                                               "sidecarAccelerationEnabled",
                                               "usageReportingEnabled",
                                               "usageReportingInitialDelay",
                                               "usageReportingInterval",
                                               "useInternalDataplaneDriver",
                                               "vxlanMTU",
                                               "vxlanMTUV6",
                                               "vxlanVNI",
                                               "windowsManageFirewallRules",
                                               "windowsNetworkName",
                                               "wireguardHostEncryptionEnabled",
                                               "wireguardInterfaceName",
                                               "wireguardInterfaceNameV6",
                                               "wireguardKeepAlive",
                                               "wireguardMTU",
                                               "wireguardMTUV6",
                                               "wireguardRoutingRulePriority",
                                               "wireguardThreadingEnabled",
                                               "xdpEnabled",
                                               "xdpRefreshInterval"};

bool holds(std::span<const std::string_view> keys, std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool is_harmless(const policy::Settings& spec, const NotFollowed& row) {
    const std::string key(row.key);
    if (const auto flag = spec.boolean(key))
        return row.harmless == (flag->value ? "true" : "false");
    return !row.harmless.empty() && spec.is(key, row.harmless);
}

} // namespace

std::optional<FelixUse> use_of_felix_key(std::string_view key) {
    if (holds(kFollowed, key))
        return FelixUse::Followed;
    if (holds(kWithoutEffect, key))
        return FelixUse::WithoutEffect;
    for (const NotFollowed& row : kNotFollowed)
        if (row.key == key)
            return FelixUse::NotFollowed;
    return std::nullopt;
}

void report_felix_keys(const policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    for (const policy::OtherObject& each : cluster.others) {
        if (each.kind != "FelixConfiguration")
            continue;
        for (const NotFollowed& row : kNotFollowed)
            if (!row.why.empty() && each.spec.has(row.key) && !is_harmless(each.spec, row))
                diagnostics.report(diag::Code::FelixKeyNotInRules, each.spec.span(row.key),
                                   {each.meta.name, row.key, row.why});
    }
}

} // namespace polecat::backends
