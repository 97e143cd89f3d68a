#include "frontend/kinds/schema/schema.h"

#include "frontend/kinds/fields.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/schema/tables.h"
#include "frontend/kinds/schema/value.h"
#include "support/letters.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace {

/// The rows that are fields of the object at `path` ("" is the spec itself).
bool is_field_of(std::string_view row, std::string_view path) {
    if (!path.empty()) {
        if (row.size() <= path.size() + 1 || row.substr(0, path.size()) != path ||
            row[path.size()] != '.')
            return false;
        row.remove_prefix(path.size() + 1);
    }
    return row.find('.') == std::string_view::npos && row.find('[') == std::string_view::npos;
}

/// `path` of a function below is a row's, `at` that of the field itself: items have their number.
class Checker {
  public:
    Checker(std::span<const FieldRow> rows, const std::string& object,
            diag::Diagnostics& diagnostics, policy::Settings& settings)
        : rows_(rows), object_(object), diagnostics_(diagnostics), settings_(settings) {}

    void object(const yaml::Node& node, const std::string& path, const std::string& at,
                const std::string& shown) {
        Fields fields(&node, shown, object_, diagnostics_);
        if (!node.is_mapping())
            return;
        for (const FieldRow& row : rows_) {
            if (!is_field_of(row.path, path))
                continue;
            const std::string_view name =
                path.empty() ? row.path : row.path.substr(path.size() + 1);
            const yaml::Node* value = fields.get(name);
            const bool required = row.type.front() == '!';
            if (value != nullptr)
                this->value(*value, row.path, required ? row.type.substr(1) : row.type,
                            at + (at.empty() ? "" : ".") + std::string(name), fields.path_of(name));
            else if (required && row.default_value.empty())
                diagnostics_
                    .report(diag::Code::MissingSchemaField, fields.home(), {fields.path_of(name)})
                    .about(object_);
        }
        if (path.empty() && object_.starts_with("FelixConfiguration "))
            pass_enterprise(node, fields);
        fields.finish();
    }

    /// Calico Enterprise's Felix has more settings, which change no verdict of what polecat reads.
    void pass_enterprise(const yaml::Node& node, Fields& fields) {
        static constexpr std::string_view kBegins[] = {"flowLogs",
                                                       "dnsLogs",
                                                       "dnsPolicy",
                                                       "l7Logs",
                                                       "captureRotation",
                                                       "captureMaxFiles",
                                                       "waf",
                                                       "egressIP",
                                                       "ipsec",
                                                       "tproxy",
                                                       "windowsFlowLogs",
                                                       "windowsDns",
                                                       "syslog",
                                                       "stats",
                                                       "nftablesDNSPolicy",
                                                       "bpfDNSPolicy",
                                                       "iptablesDNSPolicy"};
        std::vector<std::string_view> names;
        for (const FieldRow& row : rows_)
            names.push_back(row.path);
        std::vector<std::string> found;
        Span first;
        for (const yaml::Member& each : node.members) {
            const auto near = diag::nearest(each.key, names); // or it is one of them
            if ((near && (*near == each.key || is_misspelt(each.key, *near))) ||
                std::none_of(std::begin(kBegins), std::end(kBegins),
                             [&](auto begin) { return each.key.starts_with(begin); }))
                continue;
            first = found.empty() ? each.key_span : first;
            found.push_back(fields.path_of(each.key));
            fields.ignore({each.key});
        }
        if (!found.empty())
            diagnostics_.report(diag::Code::UnknownField, first, {listed(found)})
                .about(object_)
                .with_hint("not read: Calico Enterprise has such fields, Calico drops them")
                .as_usual()
                .severity = diag::Severity::Note;
    }

    /// Another word is no slip: `dnsLogs...` beside `flowLogs...`. A slip begins alike.
    static bool is_misspelt(std::string_view word, std::string_view meant) {
        return word.substr(0, 3) == meant.substr(0, 3);
    }

    void list(const yaml::Node& node, const std::string& path, const std::string& at,
              const std::string& shown) {
        if (!node.is_sequence())
            return (void)refuse(node, shown, "must be a list");
        settings_.add_list(at, node.items.size());
        for (const FieldRow& row : rows_) {
            if (row.path != path)
                continue;
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                const std::string number = "[" + std::to_string(i) + "]";
                value(node.items[i], path, row.type, at + number, shown + number);
            }
        }
    }

  private:
    void value(const yaml::Node& node, std::string_view path, std::string_view type,
               const std::string& at, const std::string& shown) {
        if (type == "any")
            return;
        if (type == "object") {
            if (node.is_mapping() && node.members.empty())
                settings_.add_list(at, 0); // there, with nothing in it
            object(node, std::string(path), at, shown);
        } else if (type == "list") {
            list(node, std::string(path) + "[]", at, shown);
        } else if (type == "map") {
            if (!node.is_mapping())
                refuse(node, shown, "must be a mapping");
        } else if (type == "annotations") {
            annotations(node, shown);
        } else if (const auto problem = schema::check_value(type, node)) {
            refuse(node, shown, *problem).with_fix(schema::fix_of_value(type, node));
        } else {
            settings_.add(at, schema::typed_value(type, node), node.span);
        }
    }

    /// Keys have the form of label keys, in any case.
    void annotations(const yaml::Node& node, const std::string& shown) {
        if (!node.is_mapping())
            return (void)refuse(node, shown, "must be a mapping");
        for (const yaml::Member& member : node.members) {
            if (const auto problem = check_label_key(lower_case(member.key)))
                refuse(member.value, shown + "." + member.key, *problem);
        }
    }

    diag::Diagnostic& refuse(const yaml::Node& node, const std::string& shown,
                             const std::string& problem) {
        return diagnostics_.report(diag::Code::SchemaValue, node.span, {shown, problem})
            .about(object_);
    }

    std::span<const FieldRow> rows_;
    const std::string& object_;
    diag::Diagnostics& diagnostics_;
    policy::Settings& settings_;
};

/// A BGPFilter is four lists with rules of one shape.
void read_filter(const yaml::Node& spec, const std::string& object, diag::Diagnostics& diagnostics,
                 policy::Settings& settings) {
    Fields fields(&spec, "spec", object, diagnostics);
    for (std::string_view name : {"exportV4", "importV4", "exportV6", "importV6"}) {
        const yaml::Node* rules = fields.get(name);
        if (rules != nullptr)
            Checker(schema::bgp_filter_rules(), object, diagnostics, settings)
                .list(*rules, "rules[]", std::string(name), fields.path_of(name));
    }
    fields.finish();
}

} // namespace

const KindSchema* find_schema(std::string_view kind) {
    static const KindSchema schemas[] = {
        {"BGPConfiguration", schema::bgp_configuration()},
        {"BGPFilter", schema::bgp_filter_rules()},
        {"BGPPeer", schema::bgp_peer()},
        {"BlockAffinity", schema::block_affinity()},
        {"CalicoNodeStatus", schema::calico_node_status()},
        {"ClusterInformation", schema::cluster_information()},
        {"FelixConfiguration", schema::felix_configuration()},
        {"IPAMConfiguration", schema::ipam_configuration()},
        {"Installation", schema::installation_calico_network()},
        {"IPPool", schema::ip_pool()},
        {"IPReservation", schema::ip_reservation()},
        {"KubeControllersConfiguration", schema::kube_controllers_configuration()},
        {"Node", schema::calico_node()},
    };
    for (const KindSchema& each : schemas)
        if (each.kind == kind)
            return &each;
    return nullptr;
}

policy::Settings read_schema(const KindSchema& schema, const yaml::Node& spec,
                             const std::string& object, diag::Diagnostics& diagnostics,
                             const std::string& path) {
    policy::Settings out;
    if (schema.kind == "BGPFilter")
        read_filter(spec, object, diagnostics, out);
    else
        Checker(schema.rows, object, diagnostics, out).object(spec, "", "", path);
    return out;
}

} // namespace polecat::frontend
