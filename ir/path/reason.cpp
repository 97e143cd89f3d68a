#include "ir/path/reason.h"

#include "ir/path/host_network.h"

namespace polecat::ir {

namespace {

std::string ranges_of(const std::string& service) {
    return "loadBalancerSourceRanges of service " + service + " ";
}

std::string no_local_pod(const Reason& reason, const char* direction) {
    return reason.what + " has no pod of service " + reason.of + ": with " + direction +
           "TrafficPolicy Local it drops the packet";
}

std::string of_services(const Reason& reason) {
    using Kind = Reason::Kind;
    switch (reason.kind) {
    case Kind::NoSuchService:
        return "there is no such service";
    case Kind::ExternalName:
        return "the service stands for a name outside the cluster";
    case Kind::NoSuchPort:
        return "the service has no such port" + reason.what;
    case Kind::NoSuchPortThere:
        return "the service " + reason.of + ", whose address it is, has no such port" + reason.what;
    case Kind::NoEndpoints:
        return "the service has no endpoints";
    case Kind::UnreadService:
        return "service " + reason.of + " could not be read";
    case Kind::LeftOutByRanges:
        return ranges_of(reason.of) +
               "leaves the source out: kube-proxy drops it at the load balancer's address";
    case Kind::MayBeLeftOut:
        return ranges_of(reason.of) +
               "may leave the source out: kube-proxy drops it at the load balancer's address";
    case Kind::LeftOutByBalancer:
        return ranges_of(reason.of) + "leaves the source out: a load balancer drops it";
    case Kind::RangesDoNotCount:
        return "loadBalancerSourceRanges does not count at the service's cluster address, which "
               "the source asks";
    case Kind::NoLocalPod:
        return no_local_pod(reason, "external");
    case Kind::NoLocalPodInside:
        return no_local_pod(reason, "internal");
    case Kind::MayHaveHostPort:
        return "a pod with this hostPort may be on the node: " + reason.of;
    default:
        return "";
    }
}

} // namespace

std::string to_string(const Reason& reason) {
    using Kind = Reason::Kind;
    switch (reason.kind) {
    case Kind::InsideOnePod:
        return "traffic inside one pod meets no policy";
    case Kind::NoCommonFamily:
        return "the ends have no address of the same IP family";
    case Kind::HostReachesItself:
        return "a host always reaches itself and its own pods";
    case Kind::UnsureGovernor:
        return std::string(kUnsureGovernor) + " governs a pod";
    case Kind::UnreadFailsafes:
        return "FelixConfiguration could not be read, and which ports are failsafe";
    case Kind::FailsafeNetUnknown:
        return "an address is not known, and whether the net of a failsafe port holds it";
    case Kind::UnreadHostAction:
        return "FelixConfiguration could not be read, and whether pods reach their own node";
    case Kind::HostActionNotSaid:
        return "whether pods reach their own node is not said: Felix drops by default, Calico's "
               "manifests and its operator make it accept (defaultEndpointToHostAction)";
    case Kind::HostActionReturns:
        return "defaultEndpointToHostAction is Return: the host's own rules decide";
    case Kind::HostActionDrops:
        return "defaultEndpointToHostAction is Drop: pods don't reach their own node";
    case Kind::NatOutgoingUnknown:
        return "natOutgoing of the pod's pool, which no manifest gives, may give answers to "
               "untracked packets another source";
    default:
        return of_services(reason);
    }
}

} // namespace polecat::ir
