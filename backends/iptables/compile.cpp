#include "backends/iptables/iptables.h"

namespace polecat::iptables {

Result<CompiledRules> compile(const FilterImage& image) {
    const Ruleset rules = emit(image);
    CompiledRules out{print(rules.sets), print(rules.v4), print(rules.v6), host_hooks(rules.v4)};
    const auto sets = parse_sets(out.sets);
    const auto v4 = parse_table(out.v4), v6 = parse_table(out.v6);
    for (const std::string& why :
         {sets ? "" : sets.error(), v4 ? "" : v4.error(), v6 ? "" : v6.error()})
        if (!why.empty())
            return Error{why};
    const auto again = read_back({*sets, *v4, *v6});
    if (!again)
        return Error{again.error()};
    if (*again != image)
        return Error{"the image differs"};
    return out;
}

} // namespace polecat::iptables
