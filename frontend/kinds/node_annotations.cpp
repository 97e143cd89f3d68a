#include "frontend/kinds/node_annotations.h"

#include "ir/net/address.h"
#include "ir/net/as_number.h"

namespace polecat::frontend {

namespace {

constexpr std::string_view kPrefix = "projectcalico.org/";

bool is_address(std::string_view text, net::Family family) {
    const auto address = net::parse_address(text);
    return address && address->family == family;
}

bool is_network(std::string_view text, net::Family family) {
    const auto cidr = net::parse_cidr(text, net::CidrForm::OrAddress);
    return cidr && cidr->family() == family;
}

/// What the value must be and is not; nullptr: all is well, or it is another's annotation.
const char* wrong(std::string_view key, std::string_view value) {
    using net::Family;
    if (key == "IPv4Address")
        return is_network(value, Family::V4) ? nullptr : "must be an IPv4 address or CIDR";
    if (key == "IPv6Address")
        return is_network(value, Family::V6) ? nullptr : "must be an IPv6 address or CIDR";
    if (key == "ASNumber")
        return net::parse_as_number(value).value_or(0) != 0 ? nullptr : "must be an AS number";
    if (key == "RouteReflectorClusterID")
        return is_address(value, Family::V4) ? nullptr : "must be an IPv4 address";
    if (key == "IPv4IPIPTunnelAddr" || key == "IPv4VXLANTunnelAddr" ||
        key == "IPv4WireguardInterfaceAddr")
        return is_address(value, Family::V4) ? nullptr : "must be an IPv4 address";
    if (key == "IPv6VXLANTunnelAddr" || key == "IPv6WireguardInterfaceAddr")
        return is_address(value, Family::V6) ? nullptr : "must be an IPv6 address";
    return nullptr;
}

} // namespace

void check_node_annotations(ObjectContext& context) {
    const yaml::Node* meta = context.root.find("metadata");
    const yaml::Node* annotations =
        meta != nullptr && meta->is_mapping() ? meta->find("annotations") : nullptr;
    if (annotations == nullptr || !annotations->is_mapping())
        return;
    for (const yaml::Member& member : annotations->members) {
        if (!member.key.starts_with(kPrefix) || !member.value.is_scalar() ||
            member.value.text.empty())
            continue;
        const char* problem =
            wrong(std::string_view(member.key).substr(kPrefix.size()), member.value.text);
        if (problem != nullptr)
            context.diagnostics
                .report(diag::Code::SchemaValue, member.value.span,
                        {"annotation " + member.key, problem})
                .about(object_label(context))
                .with_note("Calico passes over it, as if the node had none");
    }
}

} // namespace polecat::frontend
