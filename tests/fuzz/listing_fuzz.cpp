// Any bytes as what a node runs: a listing of nft, of iptables or of ipset. Refused, or what is
// read is written and read as the same again. The first byte says which.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "artefact/iptables/others.h"
#include "artefact/iptables/ruleset.h"
#include "artefact/nft/listing.h"
#include "artefact/nft/ruleset.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "backends/nftables/reachable.h"

namespace {

using namespace polecat;

/// A ruleset that reads back is what its image is written as, but for names and numbers of maps.
void read_nft(const std::string& text) {
    const auto listing = nft::read_listing(text, nft::Ruleset{}.table);
    const auto rules = nft::parse(listing ? listing->ours : text);
    if (!rules)
        return;
    const auto again = nft::parse(nft::print(*rules));
    if (!again || !(*again == *rules))
        std::abort();
    const auto image = backends::read_back(backends::without_unreachable(*rules));
    if (!image)
        return;
    const auto written = backends::read_back(backends::emit(*image));
    if (!written || *written != *image)
        std::abort();
}

/// Sets, rules of IPv4 and rules of IPv6, with a line `%` between them.
void read_filter(const std::string& text) {
    constexpr std::string_view kBetween = "\n%\n";
    (void)iptables::other_rules(text); // as part of a listing
    const std::size_t first = text.find(kBetween);
    const std::size_t second =
        first == std::string::npos ? first : text.find(kBetween, first + kBetween.size());
    if (second == std::string::npos)
        return;
    const auto part = [&](std::size_t from, std::size_t to) {
        return text.substr(from, to - from) + "\n";
    };
    auto made = iptables::parse_sets(part(0, first));
    auto four = iptables::parse_table(part(first + kBetween.size(), second));
    auto six = iptables::parse_table(text.substr(second + kBetween.size()));
    if (!made || !four || !six)
        return;
    iptables::Ruleset rules{std::move(*made), std::move(*four), std::move(*six)};
    rules.sort();
    const auto image = iptables::read_back(rules);
    if (!image)
        return;
    const auto written = iptables::read_back(iptables::emit(*image));
    if (!written || *written != *image)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 == 0)
        read_nft(text);
    else
        read_filter(text);
    return 0;
}
