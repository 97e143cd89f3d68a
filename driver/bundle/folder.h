/// A bundle as a folder: `manifest.cbor`, `manifest.sig` beside it where it is signed, and
/// `parts/xx/` with files that are named by the digests of their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "artefact/bundle/bundle.h"
#include "artefact/bundle/sign.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::driver {

struct WrittenBundle {
    std::size_t parts = 0, new_parts = 0;
    std::uint64_t bytes = 0, new_bytes = 0; ///< the manifest's among them
    bool signature_gone = false;            ///< the one that was there is of another manifest
};
/// Writes parts that are not there, then the manifest, then takes parts and a signature away that
/// are not of it.
Result<WrittenBundle> write_bundle(const std::string& folder, const bundle::Written& written);

/// The same where the folder holds what the change is of.
Result<WrittenBundle> write_changed(const std::string& folder, const bundle::Parts::Change& change,
                                    const std::string& manifest);

/// There is a manifest.
bool is_bundle(const std::string& folder);

/// A bundle with the text that its signature is of.
struct OpenBundle {
    std::string manifest;
    std::optional<bundle::Signature> signature;
    bundle::Bundle bundle;
};
/// Throws Refused: nothing of it is used unless it is signed with the key of the file, where one is
/// named.
OpenBundle open_bundle(const std::string& folder, const std::string& public_key_file = {});

Result<bool> write_signature(const std::string& folder, const bundle::Signature& signature);

/// As an error of `folder`, with the code that it has.
void report(const std::string& folder, const bundle::Refused& refused,
            diag::Diagnostics& diagnostics);

/// Two files, PATH that its owner alone reads and PATH.pub; returns the public key.
Result<std::string> make_key(const std::string& path);
/// A private key; refused where others may read the file.
Result<std::string> read_key(const std::string& path);

} // namespace polecat::driver
