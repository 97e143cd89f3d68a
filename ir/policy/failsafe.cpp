#include "ir/policy/failsafe.h"

namespace polecat::policy {

const std::vector<FelixSettings::FailsafePort>& failsafe_ports(const FelixSettings& felix,
                                                               Direction direction) {
    using net::kTcp;
    using net::kUdp;
    static const std::vector<FelixSettings::FailsafePort> inbound{
        {kTcp, 22, {}},   {kUdp, 68, {}},   {kTcp, 179, {}},  {kTcp, 2379, {}}, {kTcp, 2380, {}},
        {kTcp, 5473, {}}, {kTcp, 6443, {}}, {kTcp, 6666, {}}, {kTcp, 6667, {}}};
    static const std::vector<FelixSettings::FailsafePort> outbound{
        {kUdp, 53, {}},   {kUdp, 67, {}},   {kTcp, 179, {}},  {kTcp, 2379, {}}, {kTcp, 2380, {}},
        {kTcp, 5473, {}}, {kTcp, 6443, {}}, {kTcp, 6666, {}}, {kTcp, 6667, {}}};
    const auto& given =
        direction == Direction::Ingress ? felix.failsafe_inbound : felix.failsafe_outbound;
    return given ? *given : direction == Direction::Ingress ? inbound : outbound;
}

} // namespace polecat::policy
