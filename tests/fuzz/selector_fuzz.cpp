// Any bytes through the quick parser and the grammar: the same answer, the same tree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "frontend/selector/grammar/grammar.h"
#include "frontend/selector/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace polecat;
    if (size > 400)
        return 0; // the grammar is slow
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto quick = frontend::parse_selector(text);
    const auto defined = frontend::parse_by_grammar(text);
    if (quick.has_value() != defined.has_value() ||
        (quick && quick->canonical() != defined->canonical()))
        std::abort();
    if (quick)
        (void)quick->matches(selector::Labels(std::vector<selector::Labels::Pair>{{"a", "b"}}));
    return 0;
}
