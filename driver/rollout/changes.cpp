#include "driver/rollout/changes.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "ir/policy/scope.h"
#include "ir/policy/text.h"
#include "support/listed.h"

namespace polecat::driver {

using decision::LoweredCluster;
using decision::Object;
using decision::ObjectId;

namespace {

constexpr std::size_t kPartsShown = 3; ///< of labels or addresses in one reason

bool is_inherited(std::string_view label) {
    return label.starts_with(policy::kNamespacePrefix) ||
           label.starts_with(policy::kServiceAccountPrefix);
}

/// "label app: web -> api", each a text; of inherited ones or of the others.
std::vector<std::string> label_changes(const policy::Labels& before, const policy::Labels& now,
                                       bool inherited) {
    std::vector<std::string> out;
    for (const auto& [key, value] : before) {
        const auto found = now.find(key);
        if (is_inherited(key) == inherited && found != value)
            out.push_back(found ? fmt::format("label {}: {} -> {}", key, value, *found)
                                : fmt::format("label {}: {} is gone", key, value));
    }
    for (const auto& [key, value] : now)
        if (is_inherited(key) == inherited && !before.find(key))
            out.push_back(fmt::format("label {}: {} is new", key, value));
    return out;
}

std::string addresses_text(const std::vector<net::Address>& addresses) {
    std::vector<std::string> out;
    for (const net::Address& each : addresses)
        out.push_back(net::to_string(each));
    return out.empty() ? "none" : listed(out, kPartsShown);
}

/// What text a thing has, and where it stands.
using Texts = std::map<std::string, std::pair<std::string, Span>>;

Texts policies_of(const ManifestVersion& version) {
    Texts out;
    for (const policy::OrderedTier& tier : version.lowered.policies.tiers)
        for (const policy::Policy* each : tier.policies)
            out[policy::to_string(policy_name(*each))] = {policy::to_text(*each), each->meta.span};
    return out;
}

Texts tiers_of(const ManifestVersion& version) {
    Texts out;
    for (const policy::OrderedTier& tier : version.lowered.policies.tiers)
        out["Tier " + tier.name] = {
            fmt::format("order {}, default action {}",
                        tier.order ? fmt::format("{}", *tier.order) : "none",
                        tier.default_action == policy::Action::Pass ? "Pass" : "Deny"),
            tier.span};
    return out;
}

Texts profiles_of(const ManifestVersion& version) {
    Texts out;
    for (const policy::Profile& each : version.input.cluster.profiles) {
        std::string text;
        for (const auto& [key, value] : each.labels_to_apply)
            text += fmt::format("{}={}\n", key, value);
        for (const auto* rules : {&each.ingress, &each.egress})
            for (const policy::Rule& rule : *rules)
                text += policy::to_text(rule) + (rules == &each.ingress ? " in\n" : " out\n");
        out["Profile " + each.meta.name] = {text, each.meta.span};
    }
    return out;
}

Texts services_of(const ManifestVersion& version) {
    std::map<std::string, Span> places;
    for (const policy::Service& each : version.input.cluster.services)
        places[policy::full_name(each.meta)] = each.meta.span;
    Texts out;
    for (const auto& [key, members] : version.lowered.cluster.world.services) {
        std::string text;
        for (const decision::ServiceMember& each : members)
            text += fmt::format("{} {} {}\n", net::to_string(each.address), each.protocol,
                                each.port ? *each.port : -1);
        out["Service " + key] = {text, places[key]};
    }
    return out;
}

class ManifestComparer {
  public:
    ManifestComparer(const ManifestVersion& base, const ManifestVersion& head)
        : base_(base), head_(head) {}

    ManifestChanges run() {
        for (const auto& [name, index] :
             compare(policies_of(base_), policies_of(head_), "rules, selector or order changed"))
            out_.policies[name] = index;
        for (const auto& [version, of] :
             {std::pair{&tiers_of, "order or default action changed"},
              std::pair{&profiles_of, "rules or labels changed"},
              std::pair{&services_of, "its addresses or ports changed"}})
            for (const auto& [name, index] : compare(version(base_), version(head_), of))
                out_.others.push_back(index);
        compare_namespaces();
        compare_objects();
        find_questions(base_, head_);
        find_questions(head_, base_);
        std::sort(out_.questions.begin(), out_.questions.end());
        const auto last = std::unique(out_.questions.begin(), out_.questions.end());
        out_.questions.erase(last, out_.questions.end());
        return std::move(out_);
    }

  private:
    std::size_t add(std::string object, std::string what, const ManifestVersion& version,
                    const Span& span) {
        out_.all.push_back({std::move(object), std::move(what),
                            span.known() ? version.input.sources.describe(span) : ""});
        return out_.all.size() - 1;
    }

    std::map<std::string, std::size_t> compare(const Texts& before, const Texts& now,
                                               const char* changed) {
        std::map<std::string, std::size_t> out;
        for (const auto& [name, text] : before) {
            const auto found = now.find(name);
            if (found == now.end())
                out[name] = add(name, "is gone", base_, text.second);
            else if (found->second.first != text.first)
                out[name] = add(name, changed, head_, found->second.second);
        }
        for (const auto& [name, text] : now)
            if (!before.contains(name))
                out[name] = add(name, "is new", head_, text.second);
        return out;
    }

    /// By the prefix of what endpoints inherit, and name: of what has other labels.
    void compare_namespaces() {
        const auto all = [&](const auto& before, const auto& now, std::string_view prefix,
                             const char* kind) {
            std::map<std::string, const policy::Metadata*> was;
            for (const auto& each : before)
                was[policy::full_name(each.meta)] = &each.meta;
            for (const auto& each : now) {
                const std::string name = policy::full_name(each.meta);
                const auto found = was.find(name);
                const auto changes =
                    label_changes(found == was.end() ? policy::Labels{} : found->second->labels,
                                  each.meta.labels, false);
                if (!changes.empty())
                    givers_[{std::string(prefix), name}] =
                        add(fmt::format("{} {}", kind, name), listed(changes, kPartsShown), head_,
                            each.meta.span);
            }
        };
        const auto& before = base_.input.cluster;
        const auto& now = head_.input.cluster;
        all(before.namespaces, now.namespaces, policy::kNamespacePrefix, "Namespace");
        all(before.service_accounts, now.service_accounts, policy::kServiceAccountPrefix,
            "ServiceAccount");
    }

    using Objects = std::map<std::pair<std::string, std::string>, ObjectId>; ///< by kind and name
    static Objects objects_of(const LoweredCluster& cluster) {
        Objects out;
        for (std::uint32_t i = 0; i < cluster.world.objects.size(); ++i) {
            const Object& object = cluster.world.objects[i];
            out.emplace(std::pair{object.manifest_kind, object.name}, ObjectId{i});
        }
        return out;
    }

    void compare_objects() {
        const Objects before = objects_of(base_.lowered.cluster),
                      now = objects_of(head_.lowered.cluster);
        for (const auto& [key, id] : before)
            if (!now.contains(key))
                note(base_, id, add_object(base_, id, "is gone"));
        for (const auto& [key, id] : now) {
            const auto found = before.find(key);
            if (found == before.end())
                note(head_, id, add_object(head_, id, "is new"));
            else
                compare_object(found->second, id);
        }
    }

    std::size_t add_object(const ManifestVersion& version, ObjectId id, const std::string& what) {
        const Object& object = version.lowered.cluster.world.object(id);
        const decision::Endpoint* endpoint = version.lowered.cluster.endpoint_of(id);
        std::string where;
        if (!object.addresses.empty())
            where = ": " + addresses_text(object.addresses);
        if (endpoint != nullptr && !endpoint->node.empty())
            where += " on " + endpoint->node;
        return add(object.manifest_kind + " " + object.name, what + where, version, object.span);
    }

    /// Whoever asks about its addresses, or about itself, is told of the reason.
    void note(const ManifestVersion& version, ObjectId id, std::size_t index) {
        const Object& object = version.lowered.cluster.world.object(id);
        if (object.kind == Object::Kind::NetworkSet) {
            out_.others.push_back(index);
            return;
        }
        const auto once = [&](std::vector<std::size_t>& to) {
            if (std::find(to.begin(), to.end(), index) == to.end())
                to.push_back(index);
        };
        for (const net::Address& address : object.addresses)
            once(out_.addresses[address]);
        once(out_.endpoints[name_of(version.lowered.cluster, id)]);
    }

    void compare_object(ObjectId was_id, ObjectId is_id) {
        const Object& was = base_.lowered.cluster.world.object(was_id);
        const Object& is = head_.lowered.cluster.world.object(is_id);
        std::vector<std::string> what = label_changes(was.labels, is.labels, false);
        std::vector<std::string> inherited = label_changes(was.labels, is.labels, true);
        for (const std::size_t giver : givers_of(is, inherited)) {
            note(base_, was_id, giver);
            note(head_, is_id, giver);
        }
        what.insert(what.end(), inherited.begin(), inherited.end());
        if (was.addresses != is.addresses)
            what.push_back(fmt::format("address {} -> {}", addresses_text(was.addresses),
                                       addresses_text(is.addresses)));
        if (was.ports != is.ports)
            what.push_back("its ports by name changed");
        if (!(was.nets == is.nets))
            what.push_back("its nets changed");
        compare_endpoint(base_.lowered.cluster.endpoint_of(was_id),
                         head_.lowered.cluster.endpoint_of(is_id), what);
        if (what.empty())
            return;
        const std::size_t index =
            add(is.manifest_kind + " " + is.name, listed(what, kPartsShown), head_, is.span);
        note(base_, was_id, index);
        note(head_, is_id, index);
    }

    static void compare_endpoint(const decision::Endpoint* was, const decision::Endpoint* is,
                                 std::vector<std::string>& what) {
        if (was == nullptr || is == nullptr)
            return;
        const auto named = [](const std::string& name) { return name.empty() ? "none" : name; };
        if (was->node != is->node)
            what.push_back(fmt::format("node {} -> {}", named(was->node), named(is->node)));
        if (was->interface_name != is->interface_name)
            what.push_back(fmt::format("interface {} -> {}", named(was->interface_name),
                                       named(is->interface_name)));
        if (was->host_network != is->host_network)
            what.push_back("hostNetwork changed");
        if (was->other_sources != is->other_sources)
            what.push_back("addresses that it may send from changed");
    }

    /// Namespaces and accounts whose labels these are; takes what they say out of the list.
    std::vector<std::size_t> givers_of(const Object& object, std::vector<std::string>& inherited) {
        std::vector<std::size_t> out;
        const std::string space = object.name.substr(0, object.name.find('/'));
        const auto account = object.labels.find(policy::kServiceAccountLabel);
        const std::pair<std::string, std::string> givers[] = {
            {std::string(policy::kNamespacePrefix), space},
            {std::string(policy::kServiceAccountPrefix),
             account ? space + "/" + std::string(*account) : ""}};
        for (const auto& giver : givers)
            if (const auto found = givers_.find(giver); found != givers_.end()) {
                const std::size_t before = inherited.size();
                std::erase_if(inherited, [&](const std::string& text) {
                    return text.starts_with("label " + giver.first);
                });
                if (inherited.size() != before)
                    out.push_back(found->second);
            }
        return out;
    }

    /// Policies of `of` that ask what `other` never asks.
    void find_questions(const ManifestVersion& of, const ManifestVersion& other) {
        const LoweredCluster& cluster = of.lowered.cluster;
        const auto& known = other.lowered.cluster.predicates;
        std::set<std::string> texts;
        for (std::uint32_t i = 0; i < known.size(); ++i)
            texts.insert(to_string(known[decision::PredicateId{i}]));
        std::vector<bool> fresh;
        for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i)
            fresh.push_back(
                !texts.contains(to_string(cluster.predicates[decision::PredicateId{i}])));
        if (std::find(fresh.begin(), fresh.end(), true) == fresh.end())
            return;
        std::set<std::pair<std::uint32_t, const void*>> seen;
        for (const decision::Group& group : cluster.groups)
            for (const auto& [key, program] : group.programs)
                if (seen.insert({program.program.value, program.slots.identity()}).second)
                    find_questions(cluster.program(program.program), program.slots, fresh);
    }

    void find_questions(const decision::Program& program, const decision::Attribution& slots,
                        const std::vector<bool>& fresh) {
        for (const decision::Stage& stage : program.stages)
            for (const decision::Entry& entry : stage.entries) {
                bool asks = false;
                const auto look = [&](decision::PredicateId id) { asks = asks || fresh[id.value]; };
                decision::each_predicate(entry.match->source, look);
                decision::each_predicate(entry.match->destination, look);
                if (!asks)
                    continue;
                const auto found =
                    out_.policies.find(policy::to_string(slots[entry.slot.value].policy));
                if (found != out_.policies.end())
                    out_.questions.push_back(found->second);
            }
    }

    const ManifestVersion& base_;
    const ManifestVersion& head_;
    std::map<std::pair<std::string, std::string>, std::size_t> givers_;
    ManifestChanges out_;
};

} // namespace

ManifestChanges changes_between(const ManifestVersion& base, const ManifestVersion& head) {
    return ManifestComparer(base, head).run();
}

} // namespace polecat::driver
