/// A transaction of a table as one batch of messages, which the kernel does whole or not at all.
/// For runtime/netlink only.
#pragma once

#include <cstdint>
#include <optional>

#include "artefact/nft/transaction.h"
#include "runtime/netlink/messages.h"
#include "support/result.h"

namespace polecat::runtime::netlink {

/// An error where something in it has no netlink form: it says in what. The messages name what is
/// in `transaction`, which therefore outlives them.
Result<Messages> batch_of(const nft::Transaction& transaction,
                          std::optional<std::uint32_t> generation);

/// Has the kernel do it, in the network namespace of this thread. The error says which objects it
/// refused and why.
Result<bool> send_batch(const Messages& messages);

} // namespace polecat::runtime::netlink
