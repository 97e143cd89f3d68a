#include "ir/decision/world.h"

#include "ir/decision/flow.h"

namespace polecat::decision {

End end_of(const World& world, const net::Address& address) {
    End end;
    end.address = address;
    const auto found = world.by_address.find(address);
    if (found != world.by_address.end())
        end.objects = found->second;
    return end;
}

} // namespace polecat::decision
