#include "runtime/netlink/apply.h"

#include "runtime/netlink/batch.h"

namespace polecat::runtime {

Result<bool> nft_apply(const nft::Transaction& transaction,
                       std::optional<std::uint32_t> generation) {
    const auto batch = netlink::batch_of(transaction, generation);
    if (!batch)
        return Error{batch.error()};
    return netlink::send_batch(*batch);
}

} // namespace polecat::runtime
