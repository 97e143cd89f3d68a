/// FabricInventory: a kind of polecat's own, see docs/input.md.
#include <algorithm>

#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/selector/parse.h"

namespace polecat::frontend {

namespace {

using policy::FabricInventory;
using policy::FabricRack;
using policy::FabricRouter;

/// A number, or text ("64512", "1.10"). Absent: null.
std::optional<At<net::AsNumber>> read_as_number(Fields& fields, std::string_view key) {
    const yaml::Node* node = fields.get(key);
    if (node == nullptr)
        return std::nullopt;
    // Unquoted, 1.10 is the number 1.1 to every YAML reader: only its text tells.
    const auto number = node->is_scalar() ? net::parse_as_number(node->text) : std::nullopt;
    if (number && *number != 0)
        return At<net::AsNumber>{*number, node->span};
    refuse_value(fields, node->span, fields.path_of(key), "must be an AS number, 1 to 4294967295");
    return std::nullopt;
}

/// The text of a field that must be there.
std::optional<At<std::string>> required_text(Fields& fields, std::string_view key) {
    auto text = fields.string(key);
    if (text && !text->value.empty())
        return text;
    if (!fields.has(key) || text)
        refuse_value(fields, text ? text->span : fields.span(), fields.path_of(key),
                     "must be there");
    return std::nullopt;
}

void read_router(Fields fields, FabricInventory& into) {
    FabricRouter out;
    if (const auto name = fields.string("name"))
        out.name = name->value;
    const auto address = required_text(fields, "address");
    const auto number = read_as_number(fields, "asNumber");
    if (!fields.has("asNumber"))
        refuse_value(fields, fields.span(), fields.path_of("asNumber"), "must be there");
    out.rack = fields.string("rack");
    out.node_as_number = read_as_number(fields, "nodeASNumber");
    fields.finish();
    const auto parsed = address ? net::parse_address(address->value) : std::nullopt;
    if (address && !parsed)
        refuse_value(fields, address->span, fields.path_of("address"), "must be an IP address");
    if (!parsed || !number)
        return;
    out.address = {*parsed, address->span};
    out.as_number = *number;
    into.routers.push_back(std::move(out));
}

void read_rack(Fields fields, FabricInventory& into) {
    FabricRack out;
    const auto name = required_text(fields, "name");
    if (const auto text = fields.string("nodeSelector")) {
        SelectorError error;
        const auto parsed = parse_selector(text->value, &error);
        if (parsed)
            out.node_selector = policy::SelectorField{text->value, *parsed, text->span};
        else
            refuse_value(fields, text->span, fields.path_of("nodeSelector"),
                         "must be a selector: " + error.message);
    }
    out.node_as_number = read_as_number(fields, "nodeASNumber");
    fields.finish();
    if (!name)
        return;
    out.name = *name;
    into.racks.push_back(std::move(out));
}

void check_racks(Fields& spec, const FabricInventory& inventory) {
    const auto& racks = inventory.racks;
    for (auto it = racks.begin(); it != racks.end(); ++it)
        if (std::any_of(racks.begin(), it, [&](const FabricRack& other) {
                return other.name.value == it->name.value;
            }))
            refuse_value(spec, it->name.span, spec.path_of("racks"),
                         "has `" + it->name.value + "` twice");
    for (const FabricRouter& router : inventory.routers)
        if (router.rack && !racks.empty() &&
            std::none_of(racks.begin(), racks.end(), [&](const FabricRack& rack) {
                return rack.name.value == router.rack->value;
            }))
            refuse_value(spec, router.rack->span, spec.path_of("racks"),
                         "has no rack `" + router.rack->value + "`");
}

/// One address twice is a slip, unless each rack has its own router of that address (anycast).
void check_addresses(Fields& spec, const FabricInventory& inventory) {
    const auto& routers = inventory.routers;
    for (auto it = routers.begin(); it != routers.end(); ++it)
        for (auto other = routers.begin(); other != it; ++other)
            if (other->address.value == it->address.value &&
                (!it->rack || !other->rack || it->rack->value == other->rack->value))
                refuse_value(spec, it->address.span, spec.path_of("routers"),
                             "has " + net::to_string(it->address.value) + " twice in one rack")
                    .with_label(other->address.span, "first here");
}

} // namespace

void read_fabric_inventory(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind"});
    FabricInventory out;
    out.meta = read_metadata(root, false);
    Fields spec = root.mapping("spec");
    std::size_t index = 0;
    const auto item = [&](std::string_view list, const yaml::Node* node) {
        return Fields(node, spec.path_of(list) + "[" + std::to_string(index++) + "]", spec.object(),
                      spec.diagnostics());
    };
    for (const yaml::Node* each : spec.list("routers"))
        read_router(item("routers", each), out);
    index = 0;
    for (const yaml::Node* each : spec.list("racks"))
        read_rack(item("racks", each), out);
    spec.finish();
    root.finish();
    check_racks(spec, out);
    check_addresses(spec, out);
    context.cluster.inventories.push_back(std::move(out));
}

} // namespace polecat::frontend
