#include "backends/bird/names.h"

#include <charconv>

#include <fmt/format.h>

#include "backends/bird/bird.h"
#include "support/sha2.h"

namespace polecat::bird {

namespace {

constexpr std::size_t kHashDigits = 16;

/// Characters that a file's name may have everywhere.
std::string file_safe(const std::string& text) {
    std::string out;
    for (const char c : text)
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
            out += c;
        else
            out += fmt::format("_{:02x}", static_cast<unsigned char>(c));
    return out;
}

} // namespace

std::string shortened(const std::string& name, std::size_t longest) {
    if (name.size() <= longest)
        return name;
    std::string hash;
    for (const std::uint8_t byte : sha256(name))
        hash += fmt::format("{:02x}", byte);
    return name.substr(0, longest - kHashDigits - 1) + "_" + hash.substr(0, kHashDigits);
}

std::string filter_name(const std::string& name) {
    return shortened(name, kLongestSymbol - kImport.size() - std::string_view("_v4").size());
}

std::string_view family_suffix(net::Family family) {
    return family == net::Family::V4 ? "v4" : "v6";
}

std::string_view channel(net::Family family) {
    return family == net::Family::V4 ? "ipv4" : "ipv6";
}

std::string_view name_prefix(routing::SessionKind kind) {
    switch (kind) {
    case routing::SessionKind::Global:
        return "Global_";
    case routing::SessionKind::LocalWorkload:
        return "Local_Workload_";
    case routing::SessionKind::Mesh:
        return "Mesh_";
    case routing::SessionKind::Node:
        return "Node_";
    }
    return "";
}

std::string session_name(const routing::Session& session) {
    std::string out(name_prefix(session.kind));
    out += net::to_string(session.neighbor);
    if (session.port != 179)
        out += fmt::format("_port_{}", session.port);
    return shortened(out, kLongestSymbol);
}

std::optional<routing::PasswordRef> password_of_file(std::string_view file) {
    constexpr std::string_view kFolder = "passwords/", kEnding = ".conf";
    if (!file.starts_with(kFolder) || !file.ends_with(kEnding))
        return std::nullopt;
    file = file.substr(kFolder.size(), file.size() - kFolder.size() - kEnding.size());
    routing::PasswordRef out;
    std::string* into = &out.secret;
    for (; !file.empty(); file.remove_prefix(1)) {
        if (file[0] == '.' && into == &out.secret) {
            into = &out.key;
        } else if (file[0] == '_') {
            unsigned byte = 0;
            const std::string_view digits = file.substr(1, 2);
            const auto [end, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
            if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2)
                return std::nullopt;
            *into += static_cast<char>(byte);
            file.remove_prefix(2);
        } else {
            *into += file[0];
        }
    }
    return into == &out.key ? std::optional(out) : std::nullopt;
}

std::string password_file(const routing::PasswordRef& password) {
    return fmt::format("passwords/{}.{}.conf", file_safe(password.secret), file_safe(password.key));
}

} // namespace polecat::bird
