#include "artefact/nft/words.h"

#include <fmt/format.h>

namespace polecat::nft {

void Words::fail(const std::string& expected) const {
    const bool end = at_end();
    throw Failure{fmt::format("line {}: expected {}, found `{}`", end ? 0 : tokens_[at_].line,
                              expected, end ? "the end" : tokens_[at_].text)};
}

} // namespace polecat::nft
