#include "frontend/passed_by.h"

#include <algorithm>
#include <filesystem>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

namespace {

using yaml::Node;

/// `key` begins a line (after at most two blanks), or stands in quotes as in JSON.
bool has_key(std::string_view text, std::string_view key) {
    for (std::size_t at = text.find(key); at != std::string_view::npos;
         at = text.find(key, at + 1)) {
        const std::size_t end = at + key.size();
        if (at > 0 && end < text.size() && text[at - 1] == '"' && text[end] == '"')
            return true;
        const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        const std::string_view before = text.substr(line, at - line);
        const bool alone =
            before.find_first_not_of(" \xef\xbb\xbf\xff\xfe") == std::string_view::npos;
        const bool ends = text.substr(end).starts_with(':') || text.substr(end).starts_with(" :");
        if (ends && alone && before.size() <= 3)
            return true;
    }
    return false;
}

/// What stands before `NetworkPolicy` makes it another system's kind: `kind: Cilium`.
bool is_kind_of_others(std::string_view before) {
    static constexpr std::string_view kSystems[] = {"Cilium", "CiliumClusterwide", "Multi", "FQDN"};
    return std::any_of(std::begin(kSystems), std::end(kSystems),
                       [&](std::string_view each) { return before.ends_with(each); });
}

/// UTF-16 has a zero byte beside each letter of English.
std::string without_zeros(std::string_view text) {
    std::string out(text);
    std::erase(out, '\0');
    return out;
}

const Node* below(const Node* node, std::string_view key) {
    return node != nullptr && node->is_mapping() ? node->find(key) : nullptr;
}

bool is_mapping_of(const Node* node, std::initializer_list<std::string_view> keys) {
    return node != nullptr && node->is_mapping() &&
           std::any_of(keys.begin(), keys.end(),
                       [&](std::string_view key) { return node->find(key) != nullptr; });
}

/// Says one of apiVersion and kind, and what it says is of a kind that is read.
bool is_half_of_manifest(const Node& root, const TypeMeta& type) {
    if (root.find("metadata") == nullptr || type.kind == "Secret")
        return false;
    // Other systems have namespaces and services as well.
    const Node* spec = root.find("spec");
    if ((type.kind == "Namespace" && spec != nullptr && below(spec, "finalizers") == nullptr) ||
        (type.kind == "Service" && !is_mapping_of(spec, {"ports", "selector", "externalName"})))
        return false;
    return !versions_of_kind(type.kind, "").empty() || is_policy_group(type.group()) ||
           (!type.api_version.empty() && !kinds_of_group(type.group()).empty());
}

} // namespace

bool looks_like_policy(const Node& root, const TypeMeta& type) {
    if (is_policy_name(type.kind))
        return true;
    const Node* spec = root.find("spec");
    return is_mapping_of(spec, {"podSelector", "policyTypes", "stagedAction"}) ||
           (is_mapping_of(spec, {"selector", "types", "order"}) &&
            is_mapping_of(spec, {"ingress", "egress"}));
}

std::string why_no_manifest_at(const std::string& path) {
    const std::filesystem::path whole(path);
    if (whole.filename().string().starts_with("helmfile"))
        return "a helmfile";
    static constexpr std::string_view kEditors[] = {".devcontainer", ".vscode", ".idea"};
    const bool of_editor = std::any_of(whole.begin(), whole.end(), [](const auto& part) {
        return std::find(std::begin(kEditors), std::end(kEditors), part.string()) !=
               std::end(kEditors);
    });
    return of_editor ? "settings of an editor" : "";
}

std::string why_no_text(std::string_view text) {
    using namespace std::string_view_literals;
    if (text.starts_with("\0GITCRYPT\0"sv))
        return "encrypted by git-crypt";
    if (text.starts_with("$ANSIBLE_VAULT;"))
        return "encrypted by ansible-vault";
    if (text.starts_with("-----BEGIN PGP MESSAGE-----") ||
        text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") ||
        text.starts_with("age-encryption.org/"))
        return "encrypted";
    if (text.starts_with("version https://git-lfs.github.com/spec/"))
        return "kept by git-lfs, and not fetched";
    return text.find('\0') != std::string_view::npos && !may_be_manifest(text) ? "no text" : "";
}

bool may_be_manifest(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        return may_be_manifest(without_zeros(text));
    return has_key(text, "apiVersion") || has_key(text, "podSelector") ||
           has_key(text, "policyTypes") || mentions_policy(text);
}

bool mentions_policy(std::string_view text) {
    for (std::size_t at = text.find("NetworkPolicy"); at != std::string_view::npos;
         at = text.find("NetworkPolicy", at + 1)) {
        const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        const std::string_view before = text.substr(line, at - line);
        if (!is_kind_of_others(before) && (before.find("kind:") != std::string_view::npos ||
                                           before.find("\"kind\"") != std::string_view::npos))
            return true;
    }
    return false;
}

bool is_part_of_workload(const Node& root) {
    const TypeMeta type{scalar_text(root, "apiVersion"), scalar_text(root, "kind")};
    const KindRow* row = root.is_mapping() ? find_kind(type.api_version, type.kind) : nullptr;
    if (row == nullptr || (row->read != read_workload && row->read != read_pod))
        return false;
    const Node* spec = below(&root, "spec");
    if (below(spec, "selector") != nullptr)
        return false;
    const Node* job = below(below(spec, "jobTemplate"), "spec");
    const Node* pod =
        row->read == read_pod ? &root : below(job != nullptr ? job : spec, "template");
    if (below(below(pod, "metadata"), "labels") != nullptr)
        return false;
    // A pod and a job need neither labels nor a selector.
    const Node* containers = below(below(pod, "spec"), "containers");
    const bool has_image =
        containers != nullptr &&
        std::any_of(containers->items.begin(), containers->items.end(),
                    [](const Node& each) { return below(&each, "image") != nullptr; });
    return !has_image || (type.kind != "Pod" && type.kind != "Job" && type.kind != "CronJob");
}

std::string why_no_manifest(const Node& root) {
    if (root.is_sequence()) {
        const auto meant = [](const Node& each) {
            const TypeMeta type{scalar_text(each, "apiVersion"), scalar_text(each, "kind")};
            return each.is_mapping() && why_no_manifest(each).empty() &&
                   (each.find("metadata") != nullptr || each.find("spec") != nullptr) &&
                   (find_kind(type.api_version, type.kind) != nullptr || is_slip(type) ||
                    looks_like_policy(each, type));
        };
        return std::any_of(root.items.begin(), root.items.end(), meant) ? "" : "a list";
    }
    if (!root.is_mapping())
        return "a single value";
    const TypeMeta type{scalar_text(root, "apiVersion"), scalar_text(root, "kind")};
    if (type.kind.starts_with("ENC["))
        return "encrypted by sops";
    if (!type.api_version.empty() && !type.kind.empty())
        return {};
    if (looks_like_policy(root, type) || is_half_of_manifest(root, type))
        return {};
    return type.api_version.empty() ? type.kind.empty() ? "no apiVersion and kind" : "no apiVersion"
                                    : "no kind";
}

} // namespace polecat::frontend
