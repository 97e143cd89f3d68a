#include "frontend/expectation_file.h"

#include "frontend/expectation_text.h"
#include "frontend/kinds/fields.h"
#include "frontend/kinds/label_selector.h"

namespace polecat::frontend {

using expectation::Case;
using expectation::EndName;
using expectation::Probe;
using expectation::Traffic;

namespace {

/// A member that is a scalar or a list of scalars: `protocol: 47` is a number and good.
std::vector<At<std::string>> texts(Fields& fields, std::string_view key) {
    const yaml::Node* node = fields.get(key);
    std::vector<At<std::string>> out;
    if (node == nullptr)
        return out;
    const auto add = [&](const yaml::Node& one) {
        if (one.is_scalar())
            out.push_back({one.text, one.span});
        else
            report_wrong_type(fields.diagnostics(), one, fields.path_of(key), "text",
                              fields.object());
    };
    if (node->is_sequence())
        for (const yaml::Node& item : node->items)
            add(item);
    else
        add(*node);
    return out;
}

void refuse(Fields& fields, Span span, std::string_view key, const std::string& why) {
    refuse_value(fields, span, fields.path_of(key), why);
}

std::optional<EndName> end_of(Fields& fields, const At<std::string>& text, std::string_view key) {
    auto end = parse_end(*text);
    if (!end) {
        refuse(fields, text.span, key, end.error());
        return std::nullopt;
    }
    end->span = text.span;
    return std::move(*end);
}

std::vector<EndName> ends_of(Fields& fields, std::string_view key) {
    std::vector<EndName> out;
    const auto written = texts(fields, key);
    if (written.empty())
        refuse(fields, fields.span(), key, "an end is missing");
    for (const At<std::string>& text : written)
        if (auto end = end_of(fields, text, key))
            out.push_back(std::move(*end));
    return out;
}

std::optional<std::uint8_t> byte_of(Fields& fields, std::string_view key) {
    const auto value = fields.integer(key);
    if (!value)
        return std::nullopt;
    if (**value < 0 || **value > 255)
        refuse(fields, value->span, key, "must be 0 to 255");
    return static_cast<std::uint8_t>(**value);
}

/// `port`, or `protocol` with `icmp`; nothing: no question.
std::vector<Traffic> traffic_of(Fields& fields) {
    std::vector<Traffic> out;
    for (const At<std::string>& text : texts(fields, "port")) {
        const auto port = parse_port(*text);
        if (port)
            out.push_back(*port);
        else
            refuse(fields, text.span, "port", port.error());
    }
    const bool has_icmp = fields.has("icmp");
    Fields icmp = fields.mapping("icmp");
    const auto type = byte_of(icmp, "type"), code = byte_of(icmp, "code");
    icmp.finish();
    for (const At<std::string>& text : texts(fields, "protocol")) {
        const auto protocol = parse_protocol(*text);
        if (!protocol) {
            refuse(fields, text.span, "protocol", protocol.error());
            continue;
        }
        if (has_icmp && *protocol != net::kIcmp && *protocol != net::kIcmpV6)
            refuse(fields, text.span, "icmp", "goes with protocol ICMP or ICMPv6");
        out.push_back(Traffic{*protocol, std::nullopt, type, code});
    }
    if (out.empty())
        refuse(fields, fields.span(), "port", "port or protocol is missing");
    return out;
}

std::optional<decision::Hook> hook_of(std::string_view text) {
    if (text == "normal")
        return decision::Hook::Normal;
    if (text == "forward")
        return decision::Hook::Forward;
    if (text == "preDNAT")
        return decision::Hook::PreDnat;
    if (text == "untracked")
        return decision::Hook::Untracked;
    return std::nullopt;
}

std::optional<Probe> probe_of(Fields& fields) {
    const auto at = fields.string("at");
    const auto direction = fields.string("direction");
    const auto hook = fields.string("hook");
    if (!at) {
        if (direction || hook)
            refuse(fields, fields.span(), "at", "direction and hook go with `at`");
        return std::nullopt;
    }
    auto end = end_of(fields, *at, "at");
    if (!end)
        return std::nullopt;
    Probe probe;
    probe.at = std::move(*end);
    if (!direction || (**direction != "ingress" && **direction != "egress"))
        refuse(fields, direction ? direction->span : fields.span(), "direction",
               "must be ingress or egress");
    else if (**direction == "egress")
        probe.direction = policy::Direction::Egress;
    if (const auto known = hook_of(hook ? **hook : "normal"))
        probe.hook = *known;
    else
        refuse(fields, hook->span, "hook", "must be normal, forward, preDNAT or untracked");
    return probe;
}

void read_expect(Fields& fields, Case& out) {
    const auto expect = fields.string("expect");
    const std::string_view text = expect ? std::string_view(**expect) : std::string_view();
    if (text == "allow")
        out.expect.value = decision::Verdict::Allow;
    else if (text == "deny")
        out.expect.value = decision::Verdict::Deny;
    else if (text == "depends")
        out.expect.value = decision::Verdict::Depends;
    else
        refuse(fields, expect ? expect->span : fields.span(), "expect",
               "must be allow, deny or depends");
    out.expect.span = expect ? expect->span : fields.span();
}

Case read_case(Fields fields) {
    Case out;
    out.span = fields.span();
    out.from = ends_of(fields, "from");
    out.to = ends_of(fields, "to");
    out.traffic = traffic_of(fields);
    if (const auto port = fields.integer("sourcePort")) {
        if (**port < 0 || **port > 65535)
            refuse(fields, port->span, "sourcePort", "must be 0 to 65535");
        out.source_port = static_cast<std::uint16_t>(**port);
    }
    if (fields.has("http")) {
        Fields http = fields.mapping("http");
        const auto method = http.string("method"), path = http.string("path");
        http.finish();
        out.http = decision::Flow::Http{method ? **method : "GET", path ? **path : "/"};
    }
    for (const EndName& end : out.from)
        if (end.kind == EndName::Kind::Service)
            refuse(fields, out.span, "from", "a service sends nothing: name the pods behind it");
    if (const auto route = fields.string("route")) {
        out.whole_way = **route == "wire";
        if (!out.whole_way && **route != "ends")
            refuse(fields, route->span, "route", "must be ends or wire");
    }
    out.probe = probe_of(fields);
    read_expect(fields, out);
    if (auto by = fields.string("by"))
        out.by = std::move(*by);
    fields.finish();
    return out;
}

expectation::Connectivity read_connectivity(Fields fields) {
    expectation::Connectivity out;
    out.span = fields.span();
    if (fields.has("endpoints"))
        out.endpoints = ends_of(fields, "endpoints");
    std::size_t index = 0;
    for (const yaml::Node* item : fields.list("allow")) {
        const std::string path = fields.path_of("allow") + "[" + std::to_string(index++) + "]";
        if (!item->is_sequence() || item->items.size() != 3) {
            report_wrong_type(fields.diagnostics(), *item, path, "a list of from, to, connections",
                              fields.object());
            continue;
        }
        std::vector<At<std::string>> row;
        for (const yaml::Node& cell : item->items)
            if (auto text = as_text(cell, path, fields.object(), fields.diagnostics()))
                row.push_back(std::move(*text));
        if (row.size() != 3)
            continue;
        auto from = end_of(fields, row[0], "allow"), to = end_of(fields, row[1], "allow");
        auto connections = parse_connections(*row[2]);
        if (!connections)
            refuse(fields, row[2].span, "allow", connections.error());
        if (from && to && connections)
            out.allow.push_back(
                {std::move(*from), std::move(*to), std::move(*connections), *row[2], row[0].span});
    }
    fields.finish();
    return out;
}

struct Header {
    std::string name, source, note;
};

Header read_header(Fields& root) {
    Header out;
    Fields meta = root.mapping("metadata");
    const auto read = [&](std::string_view key, std::string& into) {
        if (auto text = meta.string(key))
            into = std::move(text->value);
    };
    read("name", out.name);
    read("source", out.source);
    read("note", out.note);
    meta.finish();
    root.ignore({"apiVersion", "kind"});
    return out;
}

expectation::Test read_test(Fields root) {
    auto [name, source, note] = read_header(root);
    expectation::Test out;
    out.name = std::move(name);
    out.source = std::move(source);
    out.note = std::move(note);
    out.span = root.span();
    Fields spec = root.mapping("spec");
    out.manifests = texts(spec, "manifests");
    if (out.manifests.empty())
        refuse(spec, spec.span(), "manifests", "no manifests are named");
    std::size_t index = 0;
    for (const yaml::Node* item : spec.list("cases"))
        out.cases.push_back(
            read_case(Fields(item, spec.path_of("cases") + "[" + std::to_string(index++) + "]",
                             out.name, spec.diagnostics())));
    if (spec.has("connectivity"))
        out.connectivity = read_connectivity(spec.mapping("connectivity"));
    if (out.cases.empty() && !out.connectivity)
        refuse(spec, spec.span(), "cases", "cases or connectivity are missing: nothing is asked");
    spec.finish();
    root.finish();
    return out;
}

expectation::DiffTest read_diff(Fields root) {
    auto [name, source, note] = read_header(root);
    expectation::DiffTest out;
    out.name = std::move(name);
    out.source = std::move(source);
    out.note = std::move(note);
    out.span = root.span();
    Fields spec = root.mapping("spec");
    out.base = texts(spec, "base");
    out.head = texts(spec, "head");
    Fields expect = spec.mapping("expect");
    out.opens = expect.boolean("opens");
    out.closes = expect.boolean("closes");
    if (!out.opens && !out.closes)
        refuse(expect, expect.span(), "opens", "opens or closes must be there: nothing is asked");
    expect.finish();
    spec.finish();
    root.finish();
    return out;
}

} // namespace

std::vector<expectation::Document> read_expectations(const std::vector<yaml::Document>& documents,
                                                     diag::Diagnostics& diagnostics) {
    std::vector<expectation::Document> out;
    for (const yaml::Document& document : documents) {
        Fields root(&document.root, "", "", diagnostics);
        const auto version = root.string("apiVersion"), kind = root.string("kind");
        if (kind && **kind == "PolicyTest")
            out.emplace_back(read_test(std::move(root)));
        else if (kind && **kind == "PolicyDiffTest")
            out.emplace_back(read_diff(std::move(root)));
        else
            refuse_value(root, kind ? kind->span : root.span(), "kind",
                         "must be PolicyTest or PolicyDiffTest");
        if (!version || **version != "polecat/v1")
            refuse_value(root, version ? version->span : document.root.span, "apiVersion",
                         "must be polecat/v1");
    }
    return out;
}

} // namespace polecat::frontend
