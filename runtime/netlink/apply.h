/// Rules into the kernel by netlink, without nft(8): what loads in a second as text loads in
/// tenths, and a pod that comes takes less than starting a process. `nft_load` is for texts.
#pragma once

#include <cstdint>
#include <optional>

#include "artefact/nft/transaction.h"
#include "support/result.h"

namespace polecat::runtime {

/// One transaction, all of it or nothing. Whoever calls this keeps count of generations:
/// `generation` is what `$generation` stands for, and nothing is taken out of a table of free
/// ones. What has no netlink form here is an error before anything is sent.
Result<bool> nft_apply(const nft::Transaction& transaction,
                       std::optional<std::uint32_t> generation = {});

} // namespace polecat::runtime
