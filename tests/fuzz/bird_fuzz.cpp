// Any bytes as a configuration of BIRD: refused, or the form gives the same configuration again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "backends/bird/bird.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace polecat;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto form = bird::read_back(text);
    if (!form)
        return 0;
    const auto again = bird::read_back(bird::emit(*form));
    if (!again || *again != *form)
        std::abort();
    return 0;
}
