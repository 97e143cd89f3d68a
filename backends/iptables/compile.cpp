#include "backends/iptables/iptables.h"
#include "backends/node/numbers.h"

namespace polecat::iptables {

namespace {

/// Nothing else in a text says who is in a set, or what a rule asked when it was written.
std::string with_digest(std::string text) {
    return text + "# digest " + backends::digest_of(text, 32) + "\n";
}

} // namespace

Result<CompiledRules> compile(const FilterImage& image) {
    const Ruleset rules = emit(image);
    CompiledRules out{with_digest(print(rules.sets)), with_digest(print(rules.v4)),
                      with_digest(print(rules.v6)), host_hooks(rules.v4)};
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
