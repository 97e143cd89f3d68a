// The cloud's metadata address, which hands out the node's credentials to whoever asks.
#include <algorithm>
#include <map>
#include <set>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/egress_fixes.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using decision::Action;
using decision::Program;

namespace {

constexpr net::Address kMetadata{net::Family::V4, 0, 0xA9FEA9FE};

ConnectionSet http() {
    return ConnectionSet::of(net::kTcp,
                             analyzer::PortPairs::of(net::PortSet::of(net::PortRange{80, 80}),
                                                     net::PortSet::of(net::PortRange{})));
}

bool is_system(const decision::Object& object) {
    const auto space = object.labels.find(policy::kNamespaceLabel);
    return space && is_system_namespace(*space);
}

/// Annotations and labels that a cloud's controllers read or write, of clouds whose metadata holds
/// credentials.
bool speaks_of_cloud(std::string_view key) {
    static constexpr std::string_view kParts[] = {
        "amazonaws.com",    "k8s.aws",        "aws-",        "azure",    "gke.io",
        "cloud.google.com", "googleapis.com", "oraclecloud", "ibm-cloud"};
    return std::any_of(std::begin(kParts), std::end(kParts), [&](std::string_view part) {
        return key.find(part) != std::string_view::npos;
    });
}

bool shows_cloud(const policy::Cluster& cluster) {
    const auto shows = [](const policy::Metadata& meta) {
        return std::any_of(meta.annotations.begin(), meta.annotations.end(),
                           [](const auto& each) { return speaks_of_cloud(each.first); }) ||
               std::any_of(meta.labels.begin(), meta.labels.end(),
                           [](const auto& each) { return speaks_of_cloud(each.first); });
    };
    const auto any = [&](const auto& objects) {
        return std::any_of(objects.begin(), objects.end(),
                           [&](const auto& each) { return shows(each.meta); });
    };
    return any(cluster.namespaces) || any(cluster.service_accounts) || any(cluster.services) ||
           any(cluster.nodes) || any(cluster.workloads) ||
           std::any_of(cluster.others.begin(), cluster.others.end(), [](const auto& each) {
               return each.kind == "Installation" && (each.spec.is("kubernetesProvider", "EKS") ||
                                                      each.spec.is("kubernetesProvider", "AKS") ||
                                                      each.spec.is("kubernetesProvider", "GKE"));
           });
}

class MetadataChecker {
  public:
    MetadataChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), ends_(context.ends(net::Family::V4)),
          atoms_({&context.lowered}) {
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (ends_.list()[i].outside.contains(kMetadata))
                metadata_ = i;
    }

    void run() {
        if (!metadata_)
            return;
        each_rule(context_, [&](const RuleView& view) {
            if (std::any_of(view.rule.destination.nets.begin(), view.rule.destination.nets.end(),
                            [](const At<net::Cidr>& each) {
                                return each->prefix == 32 && each->base == kMetadata;
                            }))
                named_.insert(view.rule.span);
        });
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (!ends_.list()[i].is_outside() && ends_.list()[i].egress)
                check(i);
        const bool in_cloud = shows_cloud(context_.cluster);
        for (const auto& [place, hit] : hits_) {
            auto& diagnostic =
                out_.report(Code::MetadataOpen, hit.slot.span,
                            {counted(hit.endpoints.size(), "endpoint"), listed(hit.endpoints)});
            if (!in_cloud) {
                diagnostic.severity = diag::Severity::Note;
                diagnostic.as_usual();
                diagnostic.with_note("nothing in the input says which cloud the cluster runs in");
            }
            diagnostic.about(policy::to_string(hit.slot.policy))
                .with_witness({hit.endpoints.front(), "169.254.169.254", "TCP 80"})
                .with_hint("leave 169.254.169.254/32 out of the nets, or deny it before")
                .with_fix(leave_out(context_.cluster, hit.slot, kMetadata));
        }
    }

  private:
    struct Hit {
        decision::Slot slot; ///< of the rule that allows it
        std::vector<std::string> endpoints;
    };

    /// What endpoints that a program does not tell apart may send.
    struct Egress {
        std::optional<decision::SlotId> allowing; ///< the rule that opens the address
        /// Ends towards which something is closed; two of them, for no end is its own other side.
        std::vector<std::uint32_t> closed;
    };

    void check(std::uint32_t number) {
        const analyzer::EndGroup& group = ends_.list()[number];
        const Egress& egress = egress_of(number);
        if (!egress.allowing || !is_restricted(egress, number))
            return;
        for (const decision::ObjectId id : group.objects) {
            const auto* own = context_.lowered.find(id, decision::Direction::Egress,
                                                    decision::Hook::Normal, net::Family::V4);
            const decision::Object& object = context_.object(id);
            if (own == nullptr || is_system(object) ||
                object.kind != decision::Object::Kind::Workload)
                continue;
            const decision::Slot& slot = own->slots[egress.allowing->value];
            if (slot.kind != decision::Slot::Kind::Rule || slot.policy.manifest_kind == "Profile" ||
                named_.contains(slot.span))
                continue;
            Hit& hit = hits_[{slot.policy, slot.rule_index}];
            hit.slot = slot;
            hit.endpoints.push_back(object.name);
        }
    }

    const Egress& egress_of(std::uint32_t number) {
        const decision::ProgramId id = *ends_.list()[number].egress;
        auto& view = context_.view(id);
        const auto [place, added] =
            known_.try_emplace({id.value, view.own(ends_.identity(number))});
        if (added)
            place->second = find_egress(view, number);
        return place->second;
    }

    Egress find_egress(analyzer::ProgramView<analyzer::StoredFlows>& view, std::uint32_t number) {
        analyzer::SetStore& store = context_.matches().store();
        const decision::Identity& own = ends_.identity(number);
        Egress out;
        const auto sent = view.between(own, ends_.identity(*metadata_));
        if (store.intersect(sent.sure, store.intern(http())) == 0)
            return out;
        out.allowing = allowing(view.program(), number);
        if (!out.allowing)
            return out;
        for (const analyzer::GroupClass& each : view.other_classes()) {
            if (out.closed.size() >= 2)
                break;
            if (view.between(own, each.seen).may == context_.matches().everything())
                continue;
            out.closed.push_back(each.group);
            if (each.groups > 1)
                out.closed.push_back(each.second);
        }
        return out;
    }

    /// Whether the endpoint's egress is closed to anything at all.
    static bool is_restricted(const Egress& egress, std::uint32_t number) {
        return std::any_of(egress.closed.begin(), egress.closed.end(),
                           [&](std::uint32_t closed) { return closed != number; });
    }

    /// The first rule that allows it.
    std::optional<decision::SlotId> allowing(const Program& program, std::uint32_t number) const {
        const analyzer::ProgramFlows flows(program, atoms_);
        for (std::size_t stage = 0; stage < program.stages.size(); ++stage)
            for (std::size_t i = 0; i < program.stages[stage].entries.size(); ++i) {
                const decision::Entry& entry = program.stages[stage].entries[i];
                if (entry.staged || entry.action != Action::Allow)
                    continue;
                const auto sets =
                    flows.entry(stage, i, ends_.identity(number), ends_.identity(*metadata_));
                if (sets && !(sets->sure & http()).empty())
                    return entry.slot;
            }
        return std::nullopt;
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::EndGroups& ends_;
    const analyzer::HttpAtoms atoms_;
    std::optional<std::uint32_t> metadata_; ///< the group of ends that holds the address
    std::set<Span> named_;                  ///< rules that say the address: it is meant
    std::map<std::pair<std::uint32_t, decision::Identity>, Egress> known_;
    std::map<std::pair<policy::PolicyName, std::uint32_t>, Hit> hits_;
};

} // namespace

void check_metadata(Context& context, Diagnostics& out) {
    MetadataChecker(context, out).run();
}

} // namespace polecat::lint
