/// What was written of a node for nftables or the BPF classifier, read back; or what the node makes
/// of a bundle. For driver/verify/verify.cpp.
#pragma once

#include <string>

#include "artefact/nft/listing.h"
#include "backends/bpf/bpf.h"
#include "driver/compile/compilation.h"
#include "driver/compile/folder_kind.h"
#include "driver/compile/origins.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::driver {

struct Written {
    bpf::Node node; ///< of nftables the image alone, with host endpoints
    Origins origins;
};

/// Errors of all name the file.
Result<Written> written_in(const std::string& folder, const std::string& node, FolderKind target);
/// A listing of nftables; tables of others go to `others`.
Result<backends::NodeImage> listed_image_in(const std::string& path, nft::OtherTables& others);

/// As the node makes it, read back. What it can't say is reported to `unsaid`.
Result<Written> written_by(Compilation& compiled, const std::string& node, FolderKind target,
                           diag::Diagnostics& unsaid);

} // namespace polecat::driver
