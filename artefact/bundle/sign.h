/// Ed25519 signatures of manifests, by libsodium. A key file is a line that says what it is, so
/// that neither key is taken for the other: "ed25519-private HEX", "ed25519-public HEX".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"

namespace polecat::bundle {

/// "ed25519 PUBLIC-KEY SIGNATURE", a line: what lies beside a manifest.
struct Signature {
    std::string public_key, signature;
};
std::string print(const Signature& signature);
/// Throws Refused.
Signature parse_signature(std::string_view text);

/// The text of a new private key, for a file that only its owner reads.
std::string new_key();
/// Its public key, in hexadecimal. The error says what is wrong with the text, never what it is; so
/// with the others.
Result<std::string> public_key_of(const std::string& private_key);
/// The text of the file of a public key, and back.
std::string public_key_text(const std::string& public_key);
Result<std::string> parse_public_key(const std::string& text);
Result<Signature> sign(std::string_view manifest, const std::string& private_key);
/// Throws Refused unless the signature is of this manifest, and of `public_key` (hexadecimal) where
/// that is given.
void verify(std::string_view manifest, const Signature& signature,
            const std::optional<std::string>& public_key);

} // namespace polecat::bundle
