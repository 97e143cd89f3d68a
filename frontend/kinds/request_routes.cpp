/// Ingress and the routes of the Gateway API: only which services they send requests to, and who
/// does. The rest passes unread.
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"

namespace polecat::frontend {

namespace {

using policy::RequestRoute;

policy::Metadata read_root(Fields& root) {
    root.ignore_rest();
    return read_metadata(root, true);
}

std::vector<Fields> items(Fields& of, std::string_view key) {
    std::vector<Fields> out;
    for (const yaml::Node* each : of.list(key)) {
        const std::string path = of.path_of(key) + "[" + std::to_string(out.size()) + "]";
        out.emplace_back(each, path, of.object(), of.diagnostics());
        out.back().ignore_rest();
    }
    return out;
}

std::uint16_t port_of(Fields& fields, std::string_view key) {
    const auto number = fields.integer(key);
    if (!number)
        return 0;
    if (number->value < 1 || number->value > 65535) {
        refuse_value(fields, number->span, fields.path_of(key), "must be between 1 and 65535");
        return 0;
    }
    return static_cast<std::uint16_t>(number->value);
}

/// `servicePort` of the versions before v1: a number or a name.
void read_old_port(Fields& of, RequestRoute::Backend& into) {
    const yaml::Node* port = of.get("servicePort");
    if (port == nullptr || !port->is_scalar())
        return;
    const bool number = port->text.find_first_not_of("0123456789") == std::string::npos;
    if (number)
        into.port = port_of(of, "servicePort");
    else
        into.port_name = port->text;
}

/// A backend of an Ingress: a service, or a resource that no policy stands before.
void read_backend(Fields of, RequestRoute& into) {
    of.ignore_rest();
    Fields service = of.mapping("service");
    service.ignore_rest();
    const auto name = service.string("name");
    const auto old_name = of.string("serviceName");
    if (!name && !old_name)
        return;
    RequestRoute::Backend backend{
        into.meta.space, (name ? name : old_name)->value, {}, 0, (name ? name : old_name)->span};
    if (name) {
        Fields port = service.mapping("port");
        port.ignore_rest();
        if (const auto port_name = port.string("name"))
            backend.port_name = port_name->value;
        backend.port = port_of(port, "number");
    } else {
        read_old_port(of, backend);
    }
    into.backends.push_back(std::move(backend));
}

} // namespace

void read_ingress(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    RequestRoute out{context.kind, read_root(root), {}, {}, {}, false};
    Fields spec = root.mapping("spec");
    spec.ignore_rest();
    const auto old_class = out.meta.annotations.find("kubernetes.io/ingress.class");
    if (const auto given = spec.string("ingressClassName"))
        out.class_name = given->value;
    else if (old_class != out.meta.annotations.end())
        out.class_name = old_class->second;
    read_backend(spec.mapping("defaultBackend"), out);
    read_backend(spec.mapping("backend"), out); // before v1
    for (Fields& rule : items(spec, "rules")) {
        Fields http = rule.mapping("http");
        http.ignore_rest();
        for (Fields& path : items(http, "paths"))
            read_backend(path.mapping("backend"), out);
    }
    context.cluster.request_routes.push_back(std::move(out));
}

void read_ingress_class(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore_rest();
    policy::IngressClass out{read_metadata(root, false), {}};
    Fields spec = root.mapping("spec");
    spec.ignore_rest();
    if (const auto controller = spec.string("controller"))
        out.controller = controller->value;
    context.cluster.ingress_classes.push_back(std::move(out));
}

void read_gateway_route(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    RequestRoute out{context.kind, read_root(root), {}, {}, {}, false};
    Fields spec = root.mapping("spec");
    spec.ignore_rest();
    for (Fields& parent : items(spec, "parentRefs")) {
        out.has_parents = true;
        const auto group = parent.string("group"), kind = parent.string("kind");
        const auto name = parent.string("name"), space = parent.string("namespace");
        if (name && (!group || group->value == "gateway.networking.k8s.io") &&
            (!kind || kind->value == "Gateway"))
            out.gateways.push_back({space ? space->value : out.meta.space, name->value});
    }
    for (Fields& rule : items(spec, "rules"))
        for (Fields& backend : items(rule, "backendRefs")) {
            const auto group = backend.string("group"), kind = backend.string("kind");
            const auto name = backend.string("name"), space = backend.string("namespace");
            if (name && (!group || group->value.empty()) && (!kind || kind->value == "Service"))
                out.backends.push_back({space ? space->value : out.meta.space, name->value, "",
                                        port_of(backend, "port"), name->span});
        }
    context.cluster.request_routes.push_back(std::move(out));
}

} // namespace polecat::frontend
