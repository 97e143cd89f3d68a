#include "driver/load/filter_rules.h"

#include <sstream>

#include "backends/iptables/iptables.h"
#include "backends/nftables/generation.h"
#include "runtime/process.h"

namespace polecat::driver {

namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        out.push_back(line);
    return out;
}

/// Sets of others may be of types that ours never are.
std::string own_sets(const std::string& listing) {
    std::string out;
    for (const std::string& line : lines_of(listing)) {
        const std::size_t name = line.find(' ');
        if (name != std::string::npos &&
            std::string_view(line).substr(name + 1).starts_with(iptables::kPrefix))
            out += line + "\n";
    }
    return out;
}

std::optional<std::uint16_t> flow_number(const iptables::Table& table) {
    for (const iptables::Chain& chain : table.chains)
        for (const iptables::Rule& rule : chain.rules) {
            if (rule.target.mark.generation)
                return rule.target.mark.generation;
            for (const iptables::Match& match : rule.matches)
                if (const auto* mark = std::get_if<iptables::FlowMarkIs>(&match))
                    if (mark->mark.generation)
                        return mark->mark.generation;
        }
    return std::nullopt;
}

struct HookRule {
    std::string chain, rest; ///< "FORWARD", "-j polecat-forward"
};
std::vector<HookRule> hook_rules() {
    std::vector<HookRule> out;
    for (const std::string& line : lines_of(iptables::filter_hooks()))
        if (line.starts_with("-I ")) {
            const std::size_t end = line.find(' ', 3);
            out.push_back({line.substr(3, end - 3), line.substr(end + 1)});
        }
    return out;
}

/// How often it stands in a listing, and whether before all else of its chain.
struct Standing {
    std::size_t times = 0;
    bool first = false;
};
Standing standing(const std::string& listing, const HookRule& hook) {
    Standing out;
    bool any = false;
    for (const std::string& line : lines_of(listing)) {
        if (!line.starts_with("-A " + hook.chain + " "))
            continue;
        const bool is_it = line == "-A " + hook.chain + " " + hook.rest;
        out.first = out.first || (!any && is_it);
        out.times += is_it ? 1 : 0;
        any = true;
    }
    return out;
}

} // namespace

Result<HeldRules> held_rules(runtime::Iptables variant) {
    HeldRules out;
    const auto listed_sets = runtime::ipset_save();
    if (!listed_sets)
        return Error{listed_sets.error()};
    auto sets = iptables::parse_sets(own_sets(*listed_sets));
    if (!sets)
        return Error{"`ipset save`: " + sets.error()};
    out.rules.sets = std::move(*sets);
    out.has_hooks = true;
    for (const net::Family family : kFamilies) {
        const auto listed = runtime::iptables_save(variant, family);
        if (!listed)
            return Error{listed.error()};
        auto table = iptables::parse_table(*listed);
        if (!table)
            return Error{"what iptables lists: " + table.error()};
        out.rules.table(family) = std::move(*table);
        if (const auto number = flow_number(out.rules.table(family)))
            out.number = std::max(out.number.value_or(0), *number);
        for (const HookRule& hook : hook_rules())
            out.has_hooks = out.has_hooks && standing(*listed, hook).first;
    }
    out.rules.sort();
    return out;
}

Result<std::uint16_t> next_number(const HeldRules& held) {
    if (held.number && *held.number < backends::Generation::kLast)
        return static_cast<std::uint16_t>(*held.number + 1);
    const auto flushed = runtime::run_program({"conntrack", "-F"}, "");
    if (!flushed)
        return Error{flushed.error()};
    if (flushed->exit_code != 0)
        return Error{"conntrack -F refused: " + flushed->error};
    return std::uint16_t{1};
}

Result<bool> put_hooks_first(runtime::Iptables variant) {
    for (const net::Family family : kFamilies) {
        const auto listed = runtime::iptables_save(variant, family);
        if (!listed)
            return Error{listed.error()};
        std::string text;
        for (const HookRule& hook : hook_rules()) {
            const Standing now = standing(*listed, hook);
            if (now.first)
                continue;
            const std::string rule = hook.chain + " " + hook.rest + "\n";
            for (std::size_t i = 0; i < now.times; ++i)
                text += "-D " + rule;
            text += "-I " + rule;
        }
        if (text.empty())
            continue;
        if (const auto done =
                runtime::iptables_restore(variant, family, "*filter\n" + text + "COMMIT\n");
            !done)
            return done;
    }
    return true;
}

Result<bool> forget(const std::vector<net::Address>& addresses) {
    for (const net::Address& each : addresses)
        for (const char* end : {"-s", "-d", "-r", "-q"}) {
            const bool v6 = each.family == net::Family::V6;
            const auto done = runtime::run_program(
                {"conntrack", "-D", "-f", v6 ? "ipv6" : "ipv4", end, net::to_string(each)}, "");
            if (!done)
                return Error{done.error()};
            if (done->exit_code > 1) // 1: there was none
                return Error{"conntrack refused: " + done->error};
        }
    return true;
}

} // namespace polecat::driver
