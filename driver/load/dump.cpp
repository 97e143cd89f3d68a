#include "driver/load/dump.h"

#include <filesystem>
#include <map>

#include "driver/compile/folder.h"
#include "runtime/machine_lock.h"
#include "runtime/nft.h"
#include "runtime/write_files.h"

namespace polecat::driver {

namespace fs = std::filesystem;

namespace {

using Listed = std::map<std::string, Result<std::string>>; ///< by file

Listed listed(FolderKind target, const LoadOptions& options) {
    if (target == FolderKind::Nftables)
        return {{kRulesetFile, runtime::nft_list_all()}};
    Listed out{{"sets.ipset", runtime::ipset_save()},
               {"rules.v4", runtime::iptables_save(options.variant, net::Family::V4)},
               {"rules.v6", runtime::iptables_save(options.variant, net::Family::V6)}};
    if (target == FolderKind::Bpf)
        out.emplace(kTablesFile, held_tables(options));
    return out;
}

} // namespace

Result<bool> dump(const std::string& folder, FolderKind target, const LoadOptions& options) {
    if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder)))
        return Error{folder + " is there and not an empty folder"};
    const auto lock = runtime::MachineLock::take(options.wait);
    if (!lock)
        return Error{lock.error()};
    std::map<std::string, std::string> texts;
    for (auto& [file, text] : listed(target, options)) {
        if (!text)
            return Error{text.error()};
        texts.emplace(file, *text);
    }
    return runtime::write_files(folder, texts);
}

} // namespace polecat::driver
