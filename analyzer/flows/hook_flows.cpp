#include "analyzer/flows/hook_flows.h"

namespace polecat::analyzer {

std::optional<decision::Program> accepting_only(const decision::Program& program) {
    if (program.hook == decision::Hook::Normal)
        return std::nullopt;
    decision::Program out = program;
    out.otherwise = decision::Action::Deny;
    return out;
}

HookFlows::HookFlows(const decision::Program* before, const decision::Program& normal,
                     const HttpAtoms& atoms)
    : normal_(normal, atoms) {
    if (before == nullptr)
        return;
    before_.emplace(*before, atoms);
    accepting_ = accepting_only(*before);
    if (accepting_)
        accepted_.emplace(*accepting_, atoms);
}

Bounds<ConnectionSet> HookFlows::between(const decision::Identity& source,
                                         const decision::Identity& destination) const {
    Bounds<ConnectionSet> out = normal_.between(source, destination);
    if (before_)
        out = meet(out, before_->between(source, destination));
    if (accepted_) {
        const auto accepted = accepted_->between(source, destination);
        out.sure = out.sure | accepted.sure;
        out.may = out.may | accepted.may;
    }
    return out;
}

} // namespace polecat::analyzer
