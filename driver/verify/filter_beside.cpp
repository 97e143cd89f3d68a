#include "driver/verify/filter_beside.h"

#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "artefact/iptables/others.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

constexpr std::uint32_t kOurBits = 0xdfff0000; // artefact/iptables: FlowMark, FlowBit

void add_breaks(const iptables::OtherRules& others, const std::string& file,
                std::set<std::string>& out) {
    for (const auto& each : others.marks)
        if ((each.bits & kOurBits) != 0)
            out.insert(
                fmt::format("{}: chain {} writes bits {:#010x} of conntrack marks, where "
                            "these rules keep what they found of a flow: what was denied may "
                            "pass, and what was allowed may be dropped",
                            file, each.chain, each.bits & kOurBits));
    for (const std::string& chain : others.unknown)
        out.insert(fmt::format("{}: chain {}: the listing does not show which bits of conntrack "
                               "marks it writes",
                               file, chain));
    for (const std::string& chain : others.into_ours)
        out.insert(fmt::format("{}: chain {} sends packets to chains of ours where none should go",
                               file, chain));
}

} // namespace

std::vector<std::string> filter_breaks(const std::string& listing) {
    std::set<std::string> out;
    for (const char* file : {"rules.v4", "rules.v6"}) {
        const auto text = read_file((std::filesystem::path(listing) / file).string());
        const auto others =
            text ? iptables::other_rules(*text) : Result<iptables::OtherRules>(Error{text.error()});
        if (others)
            add_breaks(*others, file, out);
        else
            out.insert(fmt::format("{}: rules of others can't be read: {}", file, others.error()));
    }
    return {out.begin(), out.end()};
}

} // namespace polecat::driver
