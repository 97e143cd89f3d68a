#include "driver/compile/folder_kind.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "backends/nftables/generation.h"
#include "driver/bundle/folder.h"
#include "driver/compile/folder.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace fs = std::filesystem;

FolderKind folder_kind(const std::string& folder) {
    std::set<FolderKind> kinds;
    if (is_bundle(folder))
        kinds.insert(FolderKind::Bundle);
    if (fs::exists(fs::path(folder) / kGenerationsFile))
        kinds.insert(FolderKind::Nftables);
    for (const std::string& node : nodes_in(folder)) {
        const auto has = [&](const char* file) { return fs::exists(path_in(folder, node, file)); };
        if (has(kRulesetFile))
            kinds.insert(FolderKind::Nftables);
        if (has(kTablesFile))
            kinds.insert(FolderKind::Bpf);
        else if (has("sets.ipset"))
            kinds.insert(FolderKind::Iptables);
    }
    return kinds.empty()       ? FolderKind::Nothing
           : kinds.size() == 1 ? *kinds.begin()
                               : FolderKind::Several;
}

const char* target_of(FolderKind kind) {
    switch (kind) {
    case FolderKind::Nftables:
        return "nftables";
    case FolderKind::Iptables:
        return "iptables";
    case FolderKind::Bpf:
        return "bpf";
    case FolderKind::Bundle:
        return "bundle";
    case FolderKind::Nothing:
    case FolderKind::Several:
        break;
    }
    return "";
}

FolderKind kind_of_target(const std::string& target) {
    for (const FolderKind kind :
         {FolderKind::Nftables, FolderKind::Iptables, FolderKind::Bpf, FolderKind::Bundle})
        if (target == target_of(kind))
            return kind;
    return FolderKind::Nothing;
}

std::string unfit(const std::string& folder, FolderKind wanted, bool may_be_new) {
    const FolderKind kind = folder_kind(folder);
    if (kind == wanted || (may_be_new && kind == FolderKind::Nothing))
        return {};
    if (kind == FolderKind::Several)
        return folder + " holds what was compiled for several targets: compile each into a folder "
                        "of its own";
    if (!fs::exists(folder))
        return "there is no folder " + folder;
    if (kind == FolderKind::Nothing)
        return folder + " holds nothing that was compiled";
    return may_be_new ? fmt::format("{} holds what was compiled for {}: name another folder for {}",
                                    folder, target_of(kind), target_of(wanted))
                      : fmt::format("{} was compiled for {}, not for {}", folder, target_of(kind),
                                    target_of(wanted));
}

std::optional<unsigned> flow_mark_bit_in(const std::string& folder) {
    const auto text = read_file((fs::path(folder) / kGenerationsFile).string());
    for (unsigned lowest = 0; text && lowest <= backends::kLastFlowMarkBit; ++lowest)
        if (*text == backends::free_generations(lowest))
            return lowest;
    return std::nullopt;
}

unsigned flow_mark_bit(std::optional<unsigned> said, const std::string& base) {
    if (said)
        return *said;
    const auto of_base = base.empty() ? std::nullopt : flow_mark_bit_in(base);
    return of_base.value_or(backends::kFlowMarkBit);
}

} // namespace polecat::driver
