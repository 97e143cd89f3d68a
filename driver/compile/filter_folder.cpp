#include "driver/compile/filter_folder.h"

#include <filesystem>

#include "support/read_file.h"

namespace polecat::driver {

namespace fs = std::filesystem;

namespace {

template <class Read>
auto read_part(const std::string& folder, const char* file, const Read& read)
    -> decltype(read(std::string())) {
    const std::string path = (fs::path(folder) / file).string();
    const auto text = read_file(path);
    if (!text)
        return Error{path + ": " + text.error()};
    auto out = read(*text);
    if (!out)
        return Error{path + ": " + out.error()};
    return out;
}

} // namespace

Result<iptables::Ruleset> filter_rules_in(const std::string& folder) {
    auto sets = read_part(folder, "sets.ipset", iptables::parse_sets);
    auto v4 = read_part(folder, "rules.v4", iptables::parse_table);
    auto v6 = read_part(folder, "rules.v6", iptables::parse_table);
    for (const std::string& why :
         {sets ? "" : sets.error(), v4 ? "" : v4.error(), v6 ? "" : v6.error()})
        if (!why.empty())
            return Error{why};
    iptables::Ruleset out{std::move(*sets), std::move(*v4), std::move(*v6)};
    out.sort();
    return out;
}

Result<iptables::Ruleset> listed_filter_rules_in(const std::string& folder) {
    auto out = filter_rules_in(folder);
    if (!out)
        return Error{out.error() + "; what a node runs is listed by `ipset save`, `iptables-save` "
                                   "and `ip6tables-save` without options"};
    for (const auto& [file, table] : {std::pair{"rules.v4", &out->v4}, {"rules.v6", &out->v6}})
        if (!table->hooks)
            return Error{(fs::path(folder) / file).string() +
                         ": no chain of the kernel's is in it, so that nobody can tell whether "
                         "packets come to these rules; iptables-save lists them"};
    return out;
}

} // namespace polecat::driver
