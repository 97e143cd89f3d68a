/// Why a way ends as it does where no policy says so. to_string() has all the words.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace polecat::ir {

struct Reason {
    enum class Kind : std::uint8_t {
        InsideOnePod,
        NoCommonFamily,
        HostReachesItself,
        // Services.
        NoSuchService,
        ExternalName,    ///< the service stands for a name outside the cluster
        NoSuchPort,      ///< `what`: " (it has 80/TCP)"
        NoSuchPortThere, ///< the same of service `of`, whose address was asked
        NoEndpoints,
        UnreadService,     ///< `of`
        LeftOutByRanges,   ///< of loadBalancerSourceRanges of service `of`
        MayBeLeftOut,      ///< the same, where the source's address is not known
        LeftOutByBalancer, ///< the same, at an address of externalIPs
        RangesDoNotCount,  ///< at the cluster address
        NoLocalPod,        ///< of service `of` on `what` ("node n1"); externalTrafficPolicy
        NoLocalPodInside,  ///< the same; internalTrafficPolicy
        MayHaveHostPort,   ///< pod `of`
        // Felix.
        UnsureGovernor,     ///< which host endpoint governs a pod on its node's network
        UnreadFailsafes,    ///< FelixConfiguration could not be read
        FailsafeNetUnknown, ///< whether the net of a failsafe port holds an address
        UnreadHostAction,   ///< FelixConfiguration could not be read
        HostActionNotSaid,  ///< defaultEndpointToHostAction
        HostActionReturns,
        HostActionDrops,
        NatOutgoingUnknown, ///< of the pod's pool
    };
    Kind kind;
    std::string of, what; ///< as `kind` says

    Reason(Kind is, std::string about = "", std::string detail = "") // NOLINT: implicit
        : kind(is), of(std::move(about)), what(std::move(detail)) {}
};

std::string to_string(const Reason& reason);

} // namespace polecat::ir
