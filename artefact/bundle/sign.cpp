#include "artefact/bundle/sign.h"

#include <array>
#include <optional>

#include <sodium.h>

#include "artefact/bundle/manifest.h"

namespace polecat::bundle {

namespace {

using PublicKey = std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES>;

/// Forgets itself.
struct SecretKey {
    std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{};
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
    SecretKey() = default;
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;
    ~SecretKey() {
        sodium_memzero(seed.data(), seed.size());
        sodium_memzero(secret.data(), secret.size());
    }
};

void start_sodium() {
    if (sodium_init() < 0)
        throw Refused{Refused::Fault::Signature, "libsodium can't be started"};
}

template <std::size_t Size>
bool from_hex(std::string_view text, std::array<std::uint8_t, Size>& out) {
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    std::size_t size = 0;
    return text.size() == 2 * Size &&
           sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size,
                          nullptr) == 0 &&
           size == Size;
}

constexpr std::string_view kPrivate = "ed25519-private ", kPublic = "ed25519-public ";

/// What stands behind `kind` in the text of a key goes to `out`.
template <std::size_t Size>
std::optional<Error> read_key_text(std::string_view text, std::string_view kind,
                                   std::array<std::uint8_t, Size>& out) {
    start_sodium();
    if (text.starts_with(kind) && from_hex(text.substr(kind.size()), out))
        return std::nullopt;
    if (text.starts_with(kPrivate))
        return Error{kind == kPrivate ? "behind `ed25519-private` are not 64 hexadecimal digits"
                                      : "it is a private key, and the public one is wanted: that "
                                        "is in the file with `.pub` at its end"};
    if (text.starts_with(kPublic))
        return Error{kind == kPublic ? "behind `ed25519-public` are not 64 hexadecimal digits"
                                     : "it is a public key, and the private one is wanted: that is "
                                       "in the file without `.pub` at its end"};
    return Error{"it is no line `" + std::string(kind) + "DIGITS` as `polecat bundle keygen` " +
                 "writes it"};
}

Result<PublicKey> open_key(const std::string& text, SecretKey& key) {
    PublicKey out{};
    if (const auto wrong = read_key_text(text, kPrivate, key.seed))
        return *wrong;
    if (crypto_sign_seed_keypair(out.data(), key.secret.data(), key.seed.data()) != 0)
        return Error{"libsodium makes no key of it"};
    return out;
}

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

std::string print(const Signature& signature) {
    return "ed25519 " + signature.public_key + " " + signature.signature + "\n";
}

Signature parse_signature(std::string_view text) {
    constexpr std::string_view kFirst = "ed25519 ";
    constexpr std::size_t kKey = std::size_t{2} * crypto_sign_PUBLICKEYBYTES,
                          kSignature = std::size_t{2} * crypto_sign_BYTES;
    if (!text.starts_with(kFirst) || text.size() != kFirst.size() + kKey + kSignature + 2 ||
        text[kFirst.size() + kKey] != ' ' || !text.ends_with('\n'))
        throw Refused{Refused::Fault::Signature, "its signature is not a line `ed25519 PUBLIC-KEY "
                                                 "SIGNATURE`"};
    return {std::string(text.substr(kFirst.size(), kKey)),
            std::string(text.substr(kFirst.size() + kKey + 1, kSignature))};
}

std::string new_key() {
    start_sodium();
    SecretKey key;
    randombytes_buf(key.seed.data(), key.seed.size());
    return std::string(kPrivate) + hex(key.seed) + "\n";
}

Result<std::string> public_key_of(const std::string& private_key) {
    SecretKey key;
    const auto known = open_key(private_key, key);
    return known ? Result<std::string>(hex(*known)) : Error{known.error()};
}

std::string public_key_text(const std::string& public_key) {
    return std::string(kPublic) + public_key + "\n";
}

Result<std::string> parse_public_key(const std::string& text) {
    PublicKey key{};
    const auto wrong = read_key_text(text, kPublic, key);
    return wrong ? Result<std::string>(*wrong) : Result<std::string>(hex(key));
}

Result<Signature> sign(std::string_view manifest, const std::string& private_key) {
    SecretKey key;
    const auto known = open_key(private_key, key);
    if (!known)
        return Error{known.error()};
    std::array<std::uint8_t, crypto_sign_BYTES> made{};
    crypto_sign_detached(made.data(), nullptr, raw(manifest), manifest.size(), key.secret.data());
    return Signature{hex(*known), hex(made)};
}

void verify(std::string_view manifest, const Signature& signature,
            const std::optional<std::string>& public_key) {
    start_sodium();
    const auto refuse = [](const std::string& why) {
        throw Refused{Refused::Fault::Signature, why};
    };
    PublicKey key{}, wanted{};
    std::array<std::uint8_t, crypto_sign_BYTES> made{};
    if (!from_hex(signature.public_key, key) || !from_hex(signature.signature, made))
        refuse("its signature is not hexadecimal");
    if (public_key && !from_hex(*public_key, wanted))
        refuse("the key to verify with is not 64 hexadecimal digits");
    if (public_key && key != wanted)
        refuse("it is signed with another key, " + signature.public_key);
    if (crypto_sign_verify_detached(made.data(), raw(manifest), manifest.size(), key.data()) != 0)
        refuse("its signature is not of this manifest");
}

} // namespace polecat::bundle
