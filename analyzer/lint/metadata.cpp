// The cloud's metadata address, which hands out the node's credentials to whoever asks.
#include <algorithm>
#include <map>

#include "analyzer/lint/checks.h"
#include "analyzer/program_sets.h"
#include "ir/policy/scope.h"

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
    return space && (*space == "kube-system" || *space == "calico-system" ||
                     *space == "calico-apiserver" || *space == "tigera-operator");
}

class Checker {
  public:
    Checker(Context& context, Diagnostics& out)
        : context_(context), out_(out), ends_(context.ends(net::Family::V4)),
          atoms_({&context.lowered}) {
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (ends_.list()[i].outside.contains(kMetadata))
                metadata_ = i;
    }

    void run() {
        if (!metadata_)
            return;
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (!ends_.list()[i].is_outside() && ends_.list()[i].egress)
                check(i);
        for (const auto& [place, hit] : hits_)
            out_.report(Code::MetadataOpen, hit.slot.span,
                        {counted(hit.endpoints.size(), "endpoint"), listed(hit.endpoints)})
                .about(analyzer::to_string(
                    analyzer::PolicyKey{hit.slot.policy_kind, hit.slot.policy_space,
                                        hit.slot.policy_name, hit.slot.kind_of_policy}))
                .with_witness({hit.endpoints.front(), "169.254.169.254", "TCP 80"})
                .with_hint("leave 169.254.169.254/32 out of the nets, or deny it before");
    }

  private:
    struct Hit {
        decision::Slot slot; ///< of the rule that allows it
        std::vector<std::string> endpoints;
    };

    void check(std::uint32_t number) {
        const analyzer::EndGroup& group = ends_.list()[number];
        const Program& program = context_.lowered.program(*group.egress);
        const analyzer::ProgramFlows flows(program, atoms_);
        const auto to_metadata =
            flows.between(ends_.identity(number), ends_.identity(*metadata_)).allow;
        if ((to_metadata & http()).empty() || !is_restricted(flows, number))
            return;
        const auto entry = allowing(flows, number);
        for (const decision::ObjectId id : group.objects) {
            const auto* own = context_.lowered.find(id, decision::Direction::Egress,
                                                    decision::Hook::Normal, net::Family::V4);
            const decision::Object& object = context_.object(id);
            if (own == nullptr || !entry || is_system(object) ||
                object.kind != decision::Object::Kind::Workload)
                continue;
            const decision::Slot& slot = own->slots[entry->value];
            if (slot.kind != decision::Slot::Kind::Rule || slot.policy_kind == "Profile")
                continue;
            Hit& hit =
                hits_[{slot.policy_kind, slot.policy_space, slot.policy_name, slot.rule_index}];
            hit.slot = slot;
            hit.endpoints.push_back(object.name);
        }
    }

    /// Whether the endpoint's egress is closed to anything at all.
    bool is_restricted(const analyzer::ProgramFlows& flows, std::uint32_t number) const {
        for (std::uint32_t i = 0; i < ends_.list().size(); ++i)
            if (i != number && flows.between(ends_.identity(number), ends_.identity(i)).may !=
                                   ConnectionSet::all())
                return true;
        return false;
    }

    /// The first rule that allows it.
    std::optional<decision::SlotId> allowing(const analyzer::ProgramFlows& flows,
                                             std::uint32_t number) const {
        const Program& program = flows.program();
        for (std::size_t stage = 0; stage < program.stages.size(); ++stage)
            for (std::size_t i = 0; i < program.stages[stage].entries.size(); ++i) {
                const decision::Entry& entry = program.stages[stage].entries[i];
                if (entry.staged || entry.action != Action::Allow)
                    continue;
                const auto sets =
                    flows.entry(stage, i, ends_.identity(number), ends_.identity(*metadata_));
                if (sets && !(sets->yes & http()).empty())
                    return entry.slot;
            }
        return std::nullopt;
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::EndGroups& ends_;
    const analyzer::HttpAtoms atoms_;
    std::optional<std::uint32_t> metadata_; ///< the group of ends that holds the address
    std::map<std::tuple<std::string, std::string, std::string, std::uint32_t>, Hit> hits_;
};

} // namespace

void check_metadata(Context& context, Diagnostics& out) {
    Checker(context, out).run();
}

} // namespace polecat::lint
