// A change takes the place of what was there.
#include <algorithm>
#include <iterator>

#include "driver/watch/bundle_change.h"

namespace polecat::driver {

using decision::PredicateId;
using Number = LiveEndpoints::Number;

namespace {

struct SpaceLess {
    bool operator()(const bundle::TemplateRecord& a, const std::string& b) const {
        return a.space < b;
    }
    bool operator()(const std::string& a, const bundle::TemplateRecord& b) const {
        return a < b.space;
    }
};

} // namespace

void LiveBundle::Change::commit() {
    take_old();
    add_predicates();
    add_programs();
    state_.programs->use(uses_, touched_);
    add_endpoints();
    move_addresses();
    add_slots();
    state_.programs->finish(touched_);
    for (const std::string& node : touched_.nodes)
        put_node(node);
    for (const std::string& space : touched_.spaces)
        put_templates(space);
    if (!step_.gone.empty())
        std::erase_if(state_.predicates,
                      [&](const auto& each) { return step_.gone.contains(each.second); });
}

void LiveBundle::Change::note(const bundle::PackedEndpoint& endpoint) {
    if (endpoint.is_placed())
        touched_.nodes.insert(endpoint.node);
    touched_.spaces.insert(endpoint.space());
}

void LiveBundle::Change::take_old() {
    for (const Number number : old_) {
        const LiveEndpoint& endpoint = state_.endpoints[number];
        state_.count(endpoint.packed, -1);
        note(endpoint.packed);
        if (endpoint.selectable && changed_.contains(endpoint.key))
            for (const net::Address& address : endpoint.packed.record.addresses)
                step_.left.insert(address);
    }
}

void LiveBundle::Change::add_predicates() {
    backends::FreeNumbers free;
    if (!new_.empty())
        for (const auto& [number, record] : state_.contents.predicates)
            free.take(number);
    for (const auto& [text, small] : new_) {
        const std::uint32_t number = free.next();
        state_.contents.predicates[number].predicate =
            packed_.contents.predicates.at(small).predicate;
        state_.predicates[text] = number;
        step_.come.insert(number);
    }
    for (const auto& [small, record] : packed_.contents.predicates)
        numbers_[small] = state_.predicates.at(to_string(record.predicate));
}

void LiveBundle::Change::add_programs() {
    for (auto& [id, record] : packed_.contents.programs) {
        if (state_.contents.programs.contains(id))
            continue;
        bundle::replace_predicates(
            record.program, [&](PredicateId each) { return PredicateId{numbers_.at(each.value)}; });
        state_.programs->add(id, {std::move(record.program), {}, false}, packed_.said.at(id));
        touched_.programs.insert(id);
    }
}

void LiveBundle::Change::add_slots() {
    for (auto& [id, record] : packed_.contents.slots) {
        const std::vector<Span>& spans = packed_.contents.origins.slots.at(id);
        std::vector<Span>& place = state_.contents.origins.slots[id];
        if (state_.contents.slots.emplace(id, std::move(record)).second || place != spans)
            touched_.slots.insert(id);
        place = spans;
    }
}

void LiveBundle::Change::add_endpoints() {
    for (const Number number : old_)
        state_.endpoints.remove(number);
    for (LiveEndpoint& each : fresh_) {
        note(each.packed);
        if (each.selectable && changed_.contains(each.key))
            for (const net::Address& address : each.packed.record.addresses) {
                step_.renewed.insert(address);
                step_.left.erase(address);
            }
        come_.insert(state_.endpoints.add(std::move(each)));
    }
}

void LiveBundle::Change::move_addresses() {
    for (const LiveIdentities::Moved& each : state_.identities->apply(step_, touched_)) {
        const auto holder = state_.endpoints.at(each.address);
        if (!holder || come_.contains(*holder))
            continue;
        const bundle::GroupRecord& group = *state_.endpoints[*holder].packed.group;
        if (each.before)
            state_.programs->run(group, each.address.family, *each.before, -1);
        if (each.now)
            state_.programs->run(group, each.address.family, *each.now, 1);
    }
    for (const Number number : come_)
        state_.count(state_.endpoints[number].packed, 1);
}

void LiveBundle::Change::put_node(const std::string& node) {
    const auto list = state_.endpoints.on_node(node);
    bundle::Contents& contents = state_.contents;
    if (list.empty()) {
        contents.nodes.erase(node);
        contents.origins.endpoints.erase(node);
    } else
        contents.nodes[node] = bundle::node_record(list, contents.origins.endpoints[node]);
}

void LiveBundle::Change::put_templates(const std::string& space) {
    std::vector<bundle::TemplateRecord>& all = state_.contents.templates;
    const auto [first, last] = std::equal_range(all.begin(), all.end(), space, SpaceLess{});
    const auto place = all.erase(first, last);
    std::vector<bundle::TemplateRecord> now =
        bundle::templates_of(state_.endpoints.in_space(space));
    all.insert(place, std::make_move_iterator(now.begin()), std::make_move_iterator(now.end()));
}

} // namespace polecat::driver
