#include "driver/compile/folder.h"

#include <algorithm>
#include <filesystem>

#include "backends/nftables/reachable.h"
#include "runtime/write_file.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;

template <class T, class Parse> Result<T> parsed_file(const std::string& path, const Parse& parse) {
    const auto text = read_file(path);
    if (!text)
        return Error{path + ": " + text.error()};
    Result<T> out = parse(*text);
    return out ? std::move(out) : Result<T>(Error{path + ": " + out.error()});
}

/// `nft -t` leaves elements out: chains stay to which nothing leads.
bool lacks_elements(const nft::Ruleset& rules) {
    return !rules.maps.empty() &&
           std::all_of(rules.maps.begin(), rules.maps.end(),
                       [](const nft::Map& each) { return each.elements.empty(); }) &&
           backends::without_unreachable(rules).chains.size() < rules.chains.size();
}

} // namespace

std::string path_in(const std::string& folder, const std::string& node, const char* file) {
    return (fs::path(folder) / "nodes" / node / file).string();
}

std::set<std::string> nodes_in(const std::string& folder) {
    std::set<std::string> out;
    const fs::path nodes = fs::path(folder) / "nodes";
    if (!folder.empty() && fs::is_directory(nodes))
        for (const auto& each : fs::directory_iterator(nodes))
            if (each.is_directory())
                out.insert(each.path().filename().string());
    return out;
}

std::string rules_path(const std::string& folder, const std::string& node) {
    return path_in(folder, node, kRulesetFile);
}

std::string origins_path(const std::string& folder, const std::string& node) {
    return path_in(folder, node, "origins.json");
}

Result<bool> write_in_folder(const std::string& folder, const std::string& path,
                             const std::string& text) {
    for (const fs::path& part : fs::path(path))
        if (part == "..")
            return Error{"it would stand outside of the folder"};
    const fs::path whole = fs::path(folder) / path;
    std::error_code error;
    fs::create_directories(whole.parent_path(), error);
    if (error)
        return Error{error.message()};
    return runtime::write_file(whole.string(), text, runtime::Sync::No);
}

void remove_former(const std::string& folder, const std::string& node,
                   const std::map<std::string, std::string>& files) {
    std::error_code error; // what stays is told by files.sha256
    if (!files.contains(kHostHooksFile))
        fs::remove(path_in(folder, node, kHostHooksFile), error);
}

Result<backends::Numbers> numbers_in(const std::string& folder) {
    return parsed_file<backends::Numbers>((fs::path(folder) / kNumbersFile).string(),
                                          backends::parse_numbers);
}

Result<nft::Ruleset> rules_in(const std::string& path) {
    return parsed_file<nft::Ruleset>(path, nft::parse);
}

Result<nft::Ruleset> listed_rules_in(const std::string& path, nft::OtherTables& others) {
    const auto refused = [](const std::string& why) { return Error{why + kListedBy}; };
    const std::string file =
        fs::is_directory(path) ? (fs::path(path) / kRulesetFile).string() : path;
    return parsed_file<nft::Ruleset>(file, [&](const std::string& text) -> Result<nft::Ruleset> {
        if (text.find_first_not_of(" \t\n") == std::string::npos)
            return refused("it is empty, as of a node without any rules");
        auto listing = nft::read_listing(text, nft::Ruleset{}.table);
        if (!listing)
            return refused(listing.error());
        others = std::move(listing->others);
        auto rules = nft::parse(listing->ours);
        if (!rules)
            return refused(rules.error());
        if (lacks_elements(*rules))
            return refused("its maps have no elements, as `nft -t` leaves them out");
        return rules;
    });
}

} // namespace polecat::driver
