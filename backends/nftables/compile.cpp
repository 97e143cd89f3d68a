#include "backends/nftables/nftables.h"

namespace polecat::backends {

Result<CompiledRules> compile(const NodeImage& image) {
    CompiledRules out{emit(image), {}};
    out.text = nft::print_replacing(out.rules);
    const auto parsed = nft::parse(out.text);
    if (!parsed)
        return Error{parsed.error()};
    const auto again = read_back(*parsed);
    if (!again)
        return Error{again.error()};
    if (*again != image)
        return Error{"the image differs"};
    return out;
}

} // namespace polecat::backends
