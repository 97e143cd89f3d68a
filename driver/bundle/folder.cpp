#include "driver/bundle/folder.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/write_file.h"
#include "runtime/write_files.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;
using Fault = bundle::Refused::Fault;

constexpr const char *kManifest = "manifest.cbor", *kSignature = "manifest.sig", *kParts = "parts";

/// Of all parts of a cluster of a million pods, and of keys and signatures.
constexpr std::uint64_t kMostOfManifest = std::uint64_t{1} << 28, kMostOfKeys = 4096;

std::string path_of_part(const std::string& name) {
    return (fs::path(kParts) / name.substr(0, 2) / name).string();
}

std::string in_bundle(const std::string& folder, const std::string& path) {
    return (fs::path(folder) / path).string();
}

/// What is larger than it can be is not read.
Result<std::string> read_within(const std::string& path, std::uint64_t most, Fault fault) {
    std::error_code error;
    if (fs::file_size(path, error) > most && !error)
        throw bundle::Refused{
            fault, path + " has more than the " + std::to_string(most) + " bytes that it can have",
            path};
    return read_file(path);
}

std::string public_key_in(const std::string& file) {
    const auto text = read_within(file, kMostOfKeys, Fault::Key);
    if (!text)
        throw bundle::Refused{Fault::Key, text.error(), file};
    const auto key = bundle::parse_public_key(*text);
    if (!key)
        throw bundle::Refused{Fault::Key, key.error(), file};
    return *key;
}

/// A part that was cut short by a crash, or altered since, is written anew.
bool is_there(const std::string& path, const std::string& bytes) {
    std::error_code error;
    if (fs::file_size(path, error) != bytes.size() || error)
        return false;
    const auto held = read_file(path);
    return held && *held == bytes;
}

/// Also one that a writer which was stopped left unfinished: the name with an ending.
bool is_part_name(const std::string& name) {
    constexpr std::size_t kDigits = 64;
    return name.find_first_not_of("0123456789abcdef") >= kDigits && name.size() >= kDigits &&
           (name.size() == kDigits || name[kDigits] == '.');
}

/// What no part of the bundle needs; files that are none of ours stay.
void remove_others(const std::string& folder, const bundle::Written& written) {
    std::vector<fs::path> gone;
    std::error_code error;
    for (fs::recursive_directory_iterator at(fs::path(folder) / kParts, error), end;
         !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (is_part_name(name) && !written.parts.contains(name))
            gone.push_back(at->path());
    }
    for (const fs::path& each : gone)
        fs::remove(each, error);
}

/// After the parts that it lists. A signature of another is taken away.
Result<bool> put_manifest(const std::string& folder, const std::string& manifest,
                          WrittenBundle& out) {
    const std::string path = in_bundle(folder, kManifest);
    const auto before = is_bundle(folder) ? read_file(path) : Result<std::string>(Error{""});
    if (before && *before == manifest)
        return true;
    std::error_code error;
    out.signature_gone = fs::remove(in_bundle(folder, kSignature), error);
    out.new_bytes += manifest.size();
    if (const auto done = runtime::write_file(path, manifest); !done)
        return Error{path + ": " + done.error()};
    return true;
}

} // namespace

Result<WrittenBundle> write_bundle(const std::string& folder, const bundle::Written& written) {
    WrittenBundle out;
    std::map<std::string, std::string> texts;
    for (const auto& [name, bytes] : written.parts) {
        const std::string path = path_of_part(name);
        ++out.parts;
        out.bytes += bytes.size();
        if (!is_there(in_bundle(folder, path), bytes))
            texts.emplace(path, bytes);
    }
    out.new_parts = texts.size();
    for (const auto& [path, bytes] : texts)
        out.new_bytes += bytes.size();
    out.bytes += written.manifest.size();
    if (const auto done = runtime::write_files(folder, texts); !done)
        return Error{done.error()};
    if (auto done = put_manifest(folder, written.manifest, out); !done)
        return Error{done.error()};
    remove_others(folder, written);
    return out;
}

Result<WrittenBundle> write_changed(const std::string& folder, const bundle::Parts::Change& change,
                                    const std::string& manifest) {
    WrittenBundle out;
    std::map<std::string, std::string> texts;
    for (const auto& [name, bytes] : change.come) {
        texts.emplace(path_of_part(name), bytes);
        out.new_bytes += bytes.size();
    }
    out.new_parts = texts.size();
    if (const auto done = runtime::write_files(folder, texts); !done)
        return Error{done.error()};
    if (auto done = put_manifest(folder, manifest, out); !done)
        return Error{done.error()};
    std::error_code error;
    for (const std::string& name : change.gone)
        fs::remove(in_bundle(folder, path_of_part(name)), error);
    return out;
}

bool is_bundle(const std::string& folder) {
    return fs::is_regular_file(fs::path(folder) / kManifest);
}

OpenBundle open_bundle(const std::string& folder, const std::string& public_key_file) {
    const std::string path = in_bundle(folder, kManifest);
    const auto manifest = read_within(path, kMostOfManifest, Fault::Unreadable);
    if (!manifest)
        throw bundle::Refused{Fault::Unreadable, path + ": " + manifest.error()};
    std::optional<bundle::Signature> signature;
    if (const std::string beside = in_bundle(folder, kSignature); fs::exists(beside)) {
        const auto text = read_within(beside, kMostOfKeys, Fault::Signature);
        if (!text)
            throw bundle::Refused{Fault::Signature, beside + ": " + text.error()};
        signature = bundle::parse_signature(*text);
    }
    std::optional<std::string> key;
    if (!public_key_file.empty()) {
        key = public_key_in(public_key_file);
        if (!signature)
            throw bundle::Refused{Fault::Signature, "it is not signed"};
    }
    if (signature) // of no key in particular, it tells of damage
        bundle::verify(*manifest, *signature, key);
    const auto part = [folder](const std::string& name, std::uint64_t size) {
        return read_within(in_bundle(folder, path_of_part(name)), size, Fault::Altered);
    };
    return {*manifest, signature, {*manifest, part}};
}

Result<bool> write_signature(const std::string& folder, const bundle::Signature& signature) {
    return runtime::write_file(in_bundle(folder, kSignature), print(signature));
}

void report(const std::string& folder, const bundle::Refused& refused,
            diag::Diagnostics& diagnostics) {
    const auto code = [&] {
        switch (refused.fault) {
        case Fault::Unreadable:
            break;
        case Fault::Truncated:
            return diag::Code::BundleTruncated;
        case Fault::Altered:
            return diag::Code::BundleAltered;
        case Fault::LaterVersion:
            return diag::Code::BundleLaterVersion;
        case Fault::Signature:
            return diag::Code::BundleSignature;
        case Fault::Key:
            return diag::Code::BundleKey;
        }
        return diag::Code::BundleUnreadable;
    }();
    const std::string& what = refused.fault == Fault::Key ? refused.file : folder;
    diagnostics.report(code, Span{}, {what, refused.why});
}

Result<std::string> make_key(const std::string& path) {
    const std::string key = bundle::new_key();
    auto open = bundle::public_key_of(key);
    if (!open)
        return open;
    if (const auto done = runtime::write_private_file(path, key); !done)
        return Error{done.error()};
    if (const auto done = runtime::write_file(path + ".pub", bundle::public_key_text(*open));
        !done) {
        std::error_code error; // half a pair is of no use, and its name would be taken
        fs::remove(path, error);
        return Error{path + ".pub: " + done.error()};
    }
    return open;
}

Result<std::string> read_key(const std::string& path) {
    auto text = read_file(path);
    std::error_code error;
    const fs::perms mode = fs::status(path, error).permissions();
    constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
    const bool readable = !error && (mode & kOthers) != fs::perms::none;
    if (text && readable && bundle::public_key_of(*text)) // else it is told what it is instead
        return Error{"others than its owner may read it (chmod 600)"};
    return text;
}

} // namespace polecat::driver
