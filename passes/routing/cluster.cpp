// The whole cluster: BGPConfiguration, and the other parts in their order.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "passes/routing/parts.h"

namespace polecat::passes {

namespace routing_parts {

using diag::Code;

const policy::Settings& Input::settings() const {
    static const policy::Settings kNone;
    return configuration != nullptr ? configuration->spec : kNone;
}

routing::Origin Input::configured(std::string_view field) const {
    return configuration != nullptr ? origin_of(*configuration, field) : routing::Origin{};
}

routing::Origin origin_of(const policy::OtherObject& object, std::string_view field) {
    const Span span = field.empty() ? Span{} : object.spec.span(field);
    return {object.kind + " " + object.meta.name, span.known() ? span : object.meta.span};
}

std::optional<net::AsNumber> as_number(const policy::Settings& spec, std::string_view path) {
    std::optional<net::AsNumber> out;
    if (const auto number = spec.integer(path))
        out = static_cast<net::AsNumber>(number->value);
    else if (const auto text = spec.text(path))
        out = net::parse_as_number(text->value);
    return out == 0U ? std::nullopt : out;
}

std::optional<net::AsNumber> own_as_number(const Input& input, const policy::Settings& spec,
                                           std::string_view path) {
    const auto number = spec.integer(path);
    const auto text = spec.text(path);
    if ((number && number->value == 0) || (text && net::parse_as_number(text->value) == 0U))
        input.diagnostics.report(diag::Code::RefusedByBird, spec.span(path),
                                 {fmt::format("{} must not be 0, which is no AS number",
                                              path.substr(path.rfind('.') + 1))});
    return as_number(spec, path);
}

std::optional<std::uint32_t> seconds(const policy::Settings& spec, std::string_view path) {
    const auto text = spec.text(path);
    if (!text)
        return std::nullopt;
    static constexpr std::pair<std::string_view, double> kUnits[] = {
        {"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
    double sum = 0;
    std::string_view rest = text->value;
    while (!rest.empty()) {
        const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
        const double number = std::strtod(std::string(rest.substr(0, digits)).c_str(), nullptr);
        rest.remove_prefix(digits);
        const std::size_t end = std::min(rest.find_first_of("0123456789."), rest.size());
        for (const auto& [name, factor] : kUnits)
            if (rest.substr(0, end) == name)
                sum += number * factor;
        rest.remove_prefix(end);
    }
    return static_cast<std::uint32_t>(std::min(std::round(sum), 4294967295.0));
}

bool contains_text(std::string_view text, char c) {
    return text.find(c) != std::string_view::npos;
}

std::optional<routing::PasswordRef> password(const Input& input, const policy::OtherObject& object,
                                             const std::string& path) {
    const auto name = object.spec.text(path + ".secretKeyRef.name");
    const auto key = object.spec.text(path + ".secretKeyRef.key");
    if (!name && key)
        input.diagnostics.report(Code::SessionWithoutPassword, key->span, {"", "has no name here"})
            .about(origin_of(object).object)
            .with_hint("Calico makes such sessions without a password");
    if (!name || !key)
        return std::nullopt;
    bool secret_there = false, key_there = false;
    for (const policy::Secret& secret : input.cluster.secrets) {
        const std::string& wanted = input.options.agent_namespace;
        const std::string& space = secret.meta.space;
        if (secret.meta.name != name->value ||
            (wanted.empty() ? space != "kube-system" && space != "calico-system" : space != wanted))
            continue;
        secret_there = true;
        key_there = key_there || secret.has(key->value);
    }
    if (key_there || (!secret_there && !input.options.secrets_are_all))
        return routing::PasswordRef{name->value, key->value};
    input.diagnostics
        .report(Code::SessionWithoutPassword, name->span,
                {name->value, secret_there ? fmt::format("has no key `{}`", key->value)
                                           : std::string("is not there")})
        .about(origin_of(object).object)
        .with_hint("Calico makes such sessions without a password");
    return std::nullopt;
}

namespace {

class ClusterPass {
  public:
    explicit ClusterPass(const Input& input) : input_(input) {}

    routing::ClusterRouting run() {
        out_.nodes = nodes(input_);
        settings();
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            routing::FamilyShared& shared = out_.of(family);
            shared.filters = filters(input_, family);
            const bool v4 = family == net::Family::V4;
            const auto priority = input_.settings().integer(v4 ? "ipv4NormalRoutePriority"
                                                               : "ipv6NormalRoutePriority");
            if (priority)
                shared.normal_priority = static_cast<std::uint32_t>(priority->value);
        }
        if (input_.configuration != nullptr)
            for (routing::CommunityLine& line : communities(*input_.configuration))
                out_.of(line.prefix.family()).communities.push_back(std::move(line));
        add_pools(input_, out_);
        add_services(input_, out_);
        add_peers(input_, out_);
        return std::move(out_);
    }

  private:
    void settings() {
        const policy::Settings& spec = input_.settings();
        out_.as = own_as_number(input_, spec, "asNumber").value_or(out_.as);
        if (const auto port = spec.integer("listenPort"))
            out_.port = static_cast<std::uint16_t>(port->value);
        const auto mesh = spec.boolean("nodeToNodeMeshEnabled");
        out_.mesh = !mesh || mesh->value;
        out_.mesh_origin = input_.configured("nodeToNodeMeshEnabled");
        out_.bind_node_address = spec.is("bindMode", "NodeIP");
        for (const At<std::string>& pattern : spec.texts("ignoredInterfaces"))
            out_.ignored_interfaces.push_back(pattern.value);
        out_.router_id = input_.options.router_id;
        out_.mesh_restart_seconds = seconds(spec, "nodeMeshMaxRestartTime");
        if (out_.mesh_restart_seconds.value_or(0) > kLongestRestart)
            input_.diagnostics.report(
                diag::Code::RefusedByBird, spec.span("nodeMeshMaxRestartTime"),
                {fmt::format("nodeMeshMaxRestartTime must be 0 to {} seconds", kLongestRestart)});
        if (input_.configuration != nullptr && out_.mesh)
            out_.mesh_password = password(input_, *input_.configuration, "nodeMeshPassword");
    }

    const Input& input_;
    routing::ClusterRouting out_;
};

} // namespace

} // namespace routing_parts

routing::ClusterRouting lower_routing(const policy::Cluster& cluster, const RoutingOptions& options,
                                      diag::Diagnostics& diagnostics) {
    routing_parts::Input input{cluster, options, diagnostics};
    input.configuration = policy::default_object(cluster, "BGPConfiguration");
    return routing_parts::ClusterPass(input).run();
}

} // namespace polecat::passes
