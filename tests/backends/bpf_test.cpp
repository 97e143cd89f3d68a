// Tables for the BPF classifier: that they read back, and that damages and what they can't say are
// refused.
#include <doctest/doctest.h>

#include "artefact/bpf/layout.h"
#include "backends/bpf/bpf.h"
#include "backends/bpf/program_reader.h"
#include "tests/backends/built.h"

using namespace polecat;
using diag::Code;
using testing::build;
using testing::Built;

namespace {

struct Tabled {
    Built built;
    std::optional<bpf::Image> image;
};

Tabled tabled(const std::string& text) {
    Tabled out{build(text), {}};
    if (out.built.image)
        out.image = bpf::emit(*out.built.image, "node0", out.built.cluster.diagnostics);
    return out;
}

backends::NodeImage must_read_back(const bpf::Image& image) {
    const auto read = bpf::read_back(image);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    return *read;
}

std::optional<std::uint32_t> identity_at(const backends::NodeImage& image,
                                         const net::Address& address) {
    if (const auto exact = image.addresses.find(address); exact != image.addresses.end())
        return exact->second;
    for (const auto& [range, identity] : image.outside)
        if (range.first <= address && address <= range.last && range.first.family == address.family)
            return identity;
    return std::nullopt;
}

/// Asked at all borders, and not by way of normal().
void check_identities(const backends::NodeImage& read, const backends::NodeImage& made) {
    std::set<net::Address> borders;
    for (const auto& [address, identity] : made.addresses)
        borders.insert(address);
    for (const auto& [range, identity] : made.outside)
        borders.insert({range.first, range.last});
    for (const net::Address& each : borders)
        for (const auto& near : {net::previous(each), std::optional(each), net::next(each)})
            if (near)
                CHECK(identity_at(read, *near) == identity_at(made, *near));
}

std::string felix_spec(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
           "default}, "
           "spec: {" +
           spec + "}}\n---\n";
}

std::string spoofing_pod(const std::string& name, const std::string& host,
                         const std::string& range) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: ns, labels: {app: " + name +
           "}, annotations: {cni.projectcalico.org/allowedSourcePrefixes: '[\"" + range +
           "\"]'}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: "
           "10.0.0." +
           host + "}}\n---\n";
}

const std::string kOnlyA =
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: ns}, "
    "spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}}\n---\n";

} // namespace

TEST_CASE("tables read back as the image that they were made from") {
    for (std::uint64_t seed = 200; seed < 215; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.pods = 4 + seed % 9;
        shape.http = seed % 3 == 0;
        const Tabled made = tabled(testing::ClusterWriter(seed, shape).write());
        REQUIRE(made.image.has_value());
        const backends::NodeImage wanted = bpf::normal(*made.built.image);
        CHECK(must_read_back(*made.image) == wanted);
        check_identities(wanted, *made.built.image);
        CHECK(bpf::normal(wanted) == wanted);
        diag::Diagnostics told;
        CHECK(bpf::emit(wanted, "node0", told) == made.image);
        const std::string bytes = bpf::write(*made.image);
        const auto read = bpf::read(bytes);
        REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
        CHECK(*read == *made.image);
        CHECK(bpf::write(*read) == bytes);
    }
}

TEST_CASE("pods that are as all other addresses stay apart from them") {
    const Tabled made = tabled(testing::pod("a", "a", 1) + testing::pod("b", "b", 2));
    REQUIRE(made.image.has_value());
    const backends::NodeImage image = must_read_back(*made.image);
    CHECK(image == bpf::normal(*made.built.image));
    check_identities(image, *made.built.image);
    CHECK(image.addresses.size() == 2);
}

TEST_CASE("settings and other sources are in the file") {
    const Tabled made = tabled(
        spoofing_pod("a", "1", "10.8.0.0/23") + testing::pod("b", "b", 2) + kOnlyA +
        felix_spec("workloadSourceSpoofing: Any, defaultEndpointToHostAction: Accept, vxlanPort: "
                   "4790, allowIPIPPacketsFromWorkloads: true, interfacePrefix: 'cali,tap'"));
    REQUIRE(made.image.has_value());
    const auto read = bpf::read(bpf::write(*made.image));
    REQUIRE(read.ok());
    const backends::NodeImage image = must_read_back(*read);
    CHECK(image.other_sources == made.built.image->other_sources);
    CHECK(image.other_sources.size() == 1);
    CHECK(image.to_host == policy::HostAction::Accept);
    CHECK(image.dropped_vxlan_port == 4790);
    CHECK_FALSE(image.drops_ipip);
    CHECK(image.interface_prefixes.size() == 2);
    const iptables::Ruleset rules = bpf::rules_around(bpf::node_of(image));
    CHECK(iptables::print(rules.sets).find("10.8.0.0/23,cali") != std::string::npos);
}

TEST_CASE("a file that is cut off, altered or of another version is refused") {
    const Tabled made = tabled(testing::ClusterWriter(7, {}).write());
    REQUIRE(made.image.has_value());
    const std::string bytes = bpf::write(*made.image);
    testing::Random random(1);
    for (int i = 0; i < 40; ++i) {
        std::string bad = bytes;
        bad[random.below(bad.size())] ^= static_cast<char>(1U << random.below(8));
        CHECK_FALSE(bpf::read(bad).ok());
        CHECK_FALSE(bpf::read(bytes.substr(0, random.below(bytes.size()))).ok());
    }
    CHECK_FALSE(bpf::read(bytes + '\0').ok());
    CHECK_FALSE(bpf::read("").ok());
    std::string later = bytes;
    later[8] = kBpfVersion + 1;
    const auto read = bpf::read(later);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().find("version 3") != std::string::npos);
    CHECK(bpf::crc32("123456789") == 0xcbf43926);
}

TEST_CASE("tables that were tampered with do not read back") {
    const Tabled made = tabled(testing::ClusterWriter(9, {}).write());
    REQUIRE(made.image.has_value());
    const backends::NodeImage good = must_read_back(*made.image);
    testing::Random random(2);
    for (int i = 0; i < 150; ++i) {
        bpf::Image bad = *made.image;
        // Behind the first words of IPv4, of which nearly all say the same.
        const std::size_t from = i % 5 == 0 ? 0 : std::size_t{kBpfTopLines} * kBpfLineWords;
        bad.tables[from + random.below(bad.tables.size() - from)] ^= 1U << random.below(32);
        const auto read = bpf::read_back(bad);
        CHECK((!read.ok() || *read != good));
    }
    bpf::Image renamed = *made.image;
    std::swap(renamed.endpoints.front().interface, renamed.endpoints.back().interface);
    const auto read = bpf::read_back(renamed);
    CHECK((!read.ok() || *read != good));
    bpf::Image shorter = *made.image;
    shorter.tables.resize(shorter.tables.size() - kBpfLineWords);
    CHECK_FALSE(bpf::read_back(shorter).ok());
    shorter.tables.clear();
    CHECK_FALSE(bpf::read_back(shorter).ok());
}

TEST_CASE("what the classifier can't do is refused") {
    const std::string pods = testing::pod("a", "a", 1) + testing::pod("b", "b", 2) + kOnlyA;
    // Two endpoints may use an address, with other policies; with the same ones nobody can tell.
    const std::string any = felix_spec("workloadSourceSpoofing: Any");
    const auto spoof = [&](const std::string& range, const std::string& policy) {
        return tabled(spoofing_pod("a", "1", "10.8.0.0/16") + spoofing_pod("b", "2", range) + any +
                      policy);
    };
    const Tabled shared = spoof("10.8.1.0/24", kOnlyA);
    CHECK(shared.built.has(Code::AddressOfTwoPrograms));
    CHECK_FALSE(shared.image.has_value());
    CHECK(spoof("10.0.0.1/32", kOnlyA).built.has(Code::AddressOfTwoPrograms));
    CHECK_FALSE(spoof("10.9.0.0/24", kOnlyA).built.has(Code::AddressOfTwoPrograms));
    const Tabled alike = spoof("10.8.1.0/24", "");
    REQUIRE(alike.image.has_value());
    CHECK(must_read_back(*alike.image) == bpf::normal(*alike.built.image));
}

TEST_CASE("settings that the rules around the classifier do not follow are told") {
    const std::string pods = testing::pod("a", "a", 1);
    const auto with = [&](const std::string& spec) { return tabled(pods + felix_spec(spec)); };
    CHECK(with("iptablesFilterDenyAction: Reject").built.has(Code::SettingNotInBpf));
    CHECK(with("disableConntrackInvalidCheck: true").built.has(Code::SettingNotInBpf));
    CHECK_FALSE(with("defaultEndpointToHostAction: Accept").built.has(Code::SettingNotInBpf));
    CHECK(with("iptablesFilterDenyAction: Reject").image.has_value());
}

TEST_CASE("tables that are larger than a map are refused") {
    backends::ProgramImage wide;
    wide.l4.count = 1;
    wide.source_ports = {{{0, 65535}, 0}};
    wide.cells[0] = {};
    wide.rows[0] = {};
    wide.others.resize(65535);
    const Shared<backends::ProgramImage> program(std::move(wide));
    backends::NodeImage image;
    image.outside[{net::first_address(net::Family::V4), net::last_address(net::Family::V4)}] = 0;
    for (int i = 0; i < 17; ++i)
        image.programs["p" + std::to_string(i)] = program;
    diag::Diagnostics told;
    CHECK_FALSE(bpf::emit(image, "node0", told).has_value());
    REQUIRE(told.list().size() == 1);
    CHECK(told.list().front().code == Code::TablesTooLarge);
}

TEST_CASE("a page that is not there is 0 to the reader, and never the header") {
    std::vector<std::uint32_t> words(2 * kBpfLineWords, 7);
    words[0] = kBpfMagic;
    words[kBpfLineWords] = 0; // the first page of a root in the second line
    const bpf::TableView view(words);
    CHECK(view.in_root(1, 0) == 0);
    CHECK(view.in_root(1, kBpfPageEntries - 1) == 0);
    words[kBpfLineWords] = 1;
    CHECK(view.in_root(1, 2) == 7);
    // In a program's own tables: the missing page is no page of other numbers.
    const Tabled made = tabled(testing::pod("a", "a", 1) + testing::pod("b", "b", 2) + kOnlyA);
    REQUIRE(made.image.has_value());
    for (const bpf::Image::Program& program : made.image->programs) {
        bpf::Image bad = *made.image;
        const std::size_t line = std::size_t{program.line} * kBpfLineWords;
        bad.tables[bad.tables[line + kBpfProgramOthers] * std::size_t{kBpfLineWords}] = 0;
        CHECK_FALSE(bpf::read_back(bad).ok());
    }
}

TEST_CASE("rows that say more than a node can have are refused before they are kept") {
    constexpr std::uint16_t kClasses = 1U << 14;
    constexpr std::uint32_t kRows = 258; // of that many exceptions each: more than 4 M
    backends::ProgramImage wide;
    wide.source_ports = {{{0, 65535}, 0}};
    wide.l4.count = kClasses;
    decision::Pieces& ports = wide.l4.by_protocol[net::kTcp];
    for (std::uint16_t i = 0; i < kClasses; ++i)
        ports.push_back({{i, i == kClasses - 1 ? std::uint16_t{65535} : i}, i});
    wide.cells[0] = {};
    wide.cells[1] = {backends::Outcome::Allow, 1, {}, false};
    for (std::uint32_t row = 0; row < kRows; ++row)
        wide.rows[row] = {};
    for (std::uint16_t i = 1; i < kClasses; ++i)
        wide.rows[0].exceptions.push_back({0, i, 1});
    wide.others.resize(1);
    backends::NodeImage image;
    image.outside[{net::first_address(net::Family::V4), net::last_address(net::Family::V4)}] = 0;
    image.programs["p"] = Shared<backends::ProgramImage>(std::move(wide));
    diag::Diagnostics told;
    auto tables = bpf::emit(image, "node0", told);
    REQUIRE(tables.has_value());
    CHECK(bpf::read_back(*tables).ok());
    const std::size_t line = std::size_t{tables->programs.front().line} * kBpfLineWords;
    const std::size_t rows = tables->tables[line + kBpfProgramRows] * std::size_t{kBpfLineWords};
    for (std::uint32_t row = 1; row < kRows; ++row)
        tables->tables[rows + row * std::size_t{kBpfRowWords} + kBpfRowRoot] =
            tables->tables[rows + kBpfRowRoot];
    const auto read = bpf::read_back(*tables);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().find("more cells than a node can have") != std::string::npos);
}

TEST_CASE("the rules around the classifier ask it where packets are a workload's") {
    const std::string log =
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: l, namespace: "
        "ns}, spec: {ingress: [{action: Log}]}}\n---\n";
    for (const bool logs : {false, true}) {
        const Tabled made = tabled(testing::pod("a", "a", 1) + (logs ? log : ""));
        REQUIRE(made.built.image.has_value());
        const iptables::Ruleset rules = bpf::rules_around(bpf::node_of(*made.built.image), "/pins");
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const std::string text = iptables::print(rules.table(family));
            const auto parsed = iptables::parse_table(text);
            REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
            CHECK(*parsed == rules.table(family));
            for (const char* program : {"from", "to", "from_r", "to_r"})
                CHECK(text.find(std::string("-m bpf --object-pinned /pins/") + program +
                                " -j RETURN") != std::string::npos);
            CHECK((text.find("/pins/to_logs -j LOG") != std::string::npos) == logs);
        }
        const auto sets = iptables::parse_sets(iptables::print(rules.sets));
        REQUIRE(sets.ok());
        CHECK(sets->size() == 2);
    }
}
