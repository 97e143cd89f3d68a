// Bundles that say something else, written and signed as if that were right: what nodes make of
// them differs from the policy wherever a packet is judged otherwise, and nowhere else.
#include <cstdlib>
#include <functional>

#include <doctest/doctest.h>

#include "driver/bundle/nodes.h"
#include "driver/verify/differences.h"
#include "tests/bundle/packed.h"
#include "tests/scale.h"
#include "tests/verify/packet_by_packet.h"

using namespace polecat;
using backends::NodeImage;
using bundle::Contents;
using testing::Random;

namespace {

template <class Map> auto& any_of(Map& map, Random& random) {
    auto place = map.begin();
    std::advance(place, random.below(map.size()));
    return place->second;
}

// --- what may change the meaning -----------------------------------------------------------------

void change_address(Contents& contents, Random& random) {
    auto& number = any_of(contents.addresses, random);
    number = any_of(contents.addresses, random);
}

void lose_address(Contents& contents, Random& random) {
    auto place = contents.addresses.begin();
    std::advance(place, random.below(contents.addresses.size()));
    contents.addresses.erase(place);
}

void change_range(Contents& contents, Random& random) {
    auto& number = any_of(contents.ranges.ranges, random);
    number = any_of(contents.ranges.ranges, random);
}

void change_members(Contents& contents, Random& random) {
    bundle::PredicateRecord& record = any_of(contents.predicates, random);
    const bundle::PredicateRecord& other = any_of(contents.predicates, random);
    if (!record.members.empty() && random.chance(50)) {
        auto at = std::next(record.members.begin(),
                            static_cast<std::ptrdiff_t>(random.below(record.members.size())));
        auto member = record.members.extract(at);
        member.key().port ^= 1;
        record.members.insert(std::move(member));
    } else
        (random.chance(80) ? record.yes : record.unknown) = other.yes;
}

decision::Entry* any_entry(Contents& contents, Random& random, decision::Stage** of = nullptr) {
    std::vector<decision::Stage*> full;
    for (auto& [id, record] : contents.programs)
        for (decision::Stage& stage : record.program.stages)
            if (!stage.entries.empty())
                full.push_back(&stage);
    if (full.empty())
        return nullptr;
    decision::Stage* stage = random.pick(full);
    if (of != nullptr)
        *of = stage;
    return &stage->entries[random.below(stage->entries.size())];
}

void change_action(Contents& contents, Random& random) {
    using decision::Action;
    if (decision::Entry* entry = any_entry(contents, random))
        entry->action =
            random.pick<Action>({Action::Allow, Action::Deny, Action::Pass, Action::Log});
}

void lose_entry(Contents& contents, Random& random) {
    decision::Stage* stage = nullptr;
    if (const decision::Entry* entry = any_entry(contents, random, &stage))
        stage->entries.erase(stage->entries.begin() + (entry - stage->entries.data()));
}

void swap_entries(Contents& contents, Random& random) {
    decision::Stage* stage = nullptr;
    if (decision::Entry* entry = any_entry(contents, random, &stage))
        std::swap(*entry, stage->entries[random.below(stage->entries.size())]);
}

void change_match(Contents& contents, Random& random) {
    decision::Entry* entry = any_entry(contents, random);
    if (entry == nullptr)
        return;
    decision::Match match = entry->match;
    decision::EndMatch& end = random.chance(50) ? match.source : match.destination;
    switch (random.below(4)) {
    case 0:
        end.all.clear();
        break;
    case 1:
        std::swap(end.all, end.none);
        break;
    case 2:
        end.ports.reset();
        break;
    default:
        match.protocol = random.chance(50) ? std::optional(net::kUdp) : std::nullopt;
    }
    entry->match = std::move(match);
}

void change_end(Contents& contents, Random& random) {
    auto& stages = any_of(contents.programs, random).program.stages;
    if (stages.empty())
        return;
    decision::Stage& stage = stages[random.below(stages.size())];
    stage.end =
        stage.end == decision::StageEnd::Deny ? decision::StageEnd::Next : decision::StageEnd::Deny;
}

void change_group(Contents& contents, Random& random) {
    bundle::NodeRecord& node = any_of(contents.nodes, random);
    bundle::EndpointRecord& endpoint = node.endpoints[random.below(node.endpoints.size())];
    endpoint.group = static_cast<std::uint32_t>(random.below(node.groups.size()));
}

void change_place(Contents& contents, Random& random) {
    bundle::NodeRecord& node = any_of(contents.nodes, random);
    bundle::EndpointRecord& endpoint = node.endpoints[random.below(node.endpoints.size())];
    if (random.chance(50) && !endpoint.addresses.empty())
        endpoint.addresses.pop_back();
    else
        endpoint.interface_name = node.endpoints.front().interface_name;
}

void lose_endpoint(Contents& contents, Random& random) {
    bundle::NodeRecord& node = any_of(contents.nodes, random);
    node.endpoints.erase(node.endpoints.begin() +
                         static_cast<std::ptrdiff_t>(random.below(node.endpoints.size())));
}

void change_settings(Contents& contents, Random& random) {
    policy::FelixSettings& felix = contents.settings.felix;
    switch (random.below(4)) {
    case 0:
        felix.to_host = policy::HostAction::Accept;
        break;
    case 1:
        felix.allow_ipip_from_workloads = true;
        break;
    case 2:
        felix.vxlan_port = std::uint16_t{4790};
        break;
    default:
        felix.skips_invalid_check = true;
    }
}

// --- what changes nothing ------------------------------------------------------------------------

void lose_places(Contents& contents, Random&) {
    contents.origins = {};
}

void lose_templates(Contents& contents, Random&) {
    contents.templates.clear();
}

void change_names(Contents& contents, Random& random) {
    for (decision::Slot& slot : any_of(contents.slots, random).slots)
        slot.policy.name += "x";
}

using Damage = void (*)(Contents&, Random&);
constexpr Damage kDamages[] = {change_address, lose_address, change_range, change_members,
                               change_action,  lose_entry,   swap_entries, change_match,
                               change_end,     change_group, change_place, lose_endpoint,
                               change_settings};
constexpr Damage kHarmless[] = {lose_places, lose_templates, change_names};

struct Sample {
    std::unique_ptr<testing::RandomCluster> cluster;
    Contents contents;
    std::map<std::string, NodeImage> policy; ///< by node
};

std::vector<Sample> samples() {
    std::vector<Sample> out;
    for (const std::uint64_t seed : {1, 2, 4, 5}) { // 3: some have HTTP, of which nodes are told
        Sample each{testing::loaded(testing::random_text(seed, seed % 2 == 0)), {}, {}};
        each.contents = testing::packed(*each.cluster);
        driver::Compilation compiled(each.cluster->lowered, each.cluster->sources);
        for (const std::string& node : compiled.nodes())
            if (auto image = compiled.image(node, each.cluster->diagnostics))
                each.policy.emplace(node, std::move(*image));
        REQUIRE(each.policy.size() == 3);
        out.push_back(std::move(each));
    }
    return out;
}

/// What a node makes of a bundle; nullopt: it refuses it, and keeps what it has.
std::optional<NodeImage> made_by_node(const bundle::Written& written, const std::string& node) {
    try {
        const bundle::Bundle read = testing::opened(written);
        driver::BundleNodes made(read, {node});
        diag::Diagnostics told;
        return made.compiled().image(node, told);
    } catch (const bundle::Refused&) {
        return std::nullopt;
    }
}

} // namespace

TEST_CASE("every damage of a bundle that changes a packet's fate is found, and no other is") {
    Random random(7);
    std::size_t refused = 0, changed = 0, unchanged = 0;
    const std::vector<Sample> all = samples();
    for (std::size_t tried = 0; tried < testing::count_of("POLECAT_DAMAGES", 300); ++tried) {
        const Sample& sample = all[random.below(all.size())];
        auto policy = sample.policy.begin();
        std::advance(policy, random.below(sample.policy.size()));
        Contents contents = sample.contents;
        const std::size_t kind = random.below(std::size(kDamages));
        kDamages[kind](contents, random);
        INFO("damage ", tried, " of kind ", kind, " on ", policy->first);
        const auto image = made_by_node(bundle::write(contents, ""), policy->first);
        if (!image) {
            ++refused;
            continue;
        }
        const bool same = testing::PacketByPacket(*image, policy->second).same();
        CHECK(driver::differences(*image, policy->second).empty() == same);
        ++(same ? unchanged : changed);
    }
    MESSAGE(refused << " damages are refused, " << changed << " change what becomes of packets and "
                    << "are found, " << unchanged << " change nothing and are no difference");
    CHECK(changed > testing::count_of("POLECAT_DAMAGES", 300) / 20);
    CHECK(unchanged > testing::count_of("POLECAT_DAMAGES", 300) / 20);
}

TEST_CASE("what changes no packet's fate in a bundle is no difference") {
    Random random(11);
    const std::vector<Sample> all = samples();
    for (std::size_t tried = 0; tried < testing::count_of("POLECAT_DAMAGES", 300) / 6; ++tried) {
        const Sample& sample = all[random.below(all.size())];
        Contents contents = sample.contents;
        kHarmless[random.below(std::size(kHarmless))](contents, random);
        for (const auto& [node, policy] : sample.policy) {
            const auto image = made_by_node(bundle::write(contents, ""), node);
            REQUIRE(image.has_value());
            CHECK(driver::differences(*image, policy).empty());
        }
    }
}

// Whoever can't sign can change bytes only.
TEST_CASE("bytes that change in a bundle are refused before anything is made of them") {
    Random random(13);
    const std::vector<Sample> all = samples();
    const bundle::Written whole = bundle::write(all.front().contents, "");
    for (std::size_t tried = 0; tried < testing::count_of("POLECAT_DAMAGES", 300); ++tried) {
        bundle::Written written = whole;
        std::string& bytes = any_of(written.parts, random);
        char& byte = bytes[random.below(bytes.size())];
        byte = static_cast<char>(byte ^ (1 << random.below(8)));
        CHECK_THROWS_AS(testing::opened(written).all(), bundle::Refused);
    }
}
