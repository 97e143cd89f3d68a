#include "analyzer/flows/program_view.h"

namespace polecat::analyzer {

std::optional<decision::Program> accepting_only(const decision::Program& program) {
    if (program.hook == decision::Hook::Normal)
        return std::nullopt;
    decision::Program out = program;
    out.otherwise = decision::Action::Deny;
    return out;
}

} // namespace polecat::analyzer
