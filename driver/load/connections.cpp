#include "driver/load/connections.h"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include "runtime/process.h"

namespace polecat::driver {

namespace {

Result<std::string> conntrack(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "conntrack");
    auto done = runtime::run_program(arguments, "");
    if (!done)
        return Error{done.error()};
    const bool deletes = arguments[1] == "-D";
    if (done->exit_code > (deletes ? 1 : 0)) // 1: there was none to delete
        return Error{fmt::format("conntrack {} refused: {}", arguments[1], done->error)};
    return std::move(done->out);
}

constexpr const char* kOfFamily[] = {"ipv4", "ipv6"};

void add_marks(std::string_view listing, std::set<std::uint32_t>& to) {
    constexpr std::string_view kBefore = " mark=";
    for (std::size_t at = listing.find(kBefore); at != std::string_view::npos;
         at = listing.find(kBefore, at)) {
        at += kBefore.size();
        std::uint32_t mark = 0;
        std::from_chars(listing.data() + at, listing.data() + listing.size(), mark);
        to.insert(mark);
    }
}

} // namespace

Result<bool> forget(const std::vector<net::Address>& addresses) {
    for (const net::Address& each : addresses)
        for (const char* end : {"-s", "-d", "-r", "-q"})
            if (const auto done =
                    conntrack({"-D", "-f", kOfFamily[each.family == net::Family::V6 ? 1 : 0], end,
                               net::to_string(each)});
                !done)
                return Error{done.error()};
    return true;
}

Result<bool> forget_marked(std::uint32_t value, std::uint32_t mask) {
    for (const char* family : kOfFamily)
        if (const auto done = conntrack(
                {"-D", "-f", family, "--mark", fmt::format("{:#010x}/{:#010x}", value, mask)});
            !done)
            return Error{done.error()};
    return true;
}

Result<bool> forget_all() {
    const auto done = conntrack({"-F"});
    return done ? Result<bool>(true) : Error{done.error()};
}

Result<std::set<std::uint32_t>> marks_of_connections() {
    std::set<std::uint32_t> out;
    for (const char* family : kOfFamily) {
        const auto listed = conntrack({"-L", "-f", family});
        if (!listed)
            return Error{listed.error()};
        add_marks(*listed, out);
    }
    return out;
}

} // namespace polecat::driver
