// What a plan says it does, what its text does, and what two rulesets have of the other: three ways
// to the same numbers.
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "backends/nftables/plan.h"
#include "driver/rollout/parts.h"
#include "tests/backends/built.h"
#include "tests/backends/changes.h"

using namespace polecat;
using backends::Work;
using driver::PartChange;
using driver::PartKind;
using driver::PartList;
using driver::RulesPart;
using nft::Ruleset;
using testing::build;
using testing::Built;

namespace {

/// Counts what the text of transactions tells nft to do.
class TextCounter {
  public:
    explicit TextCounter(const Ruleset& before) : before_(before) {}

    void read(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("table inet"))
                block(lines, line);
            else
                command(lines, line);
        }
    }
    Work work;

  private:
    void block(std::istringstream& lines, std::string line) {
        std::string text = line + "\n";
        while (line != "}" && std::getline(lines, line))
            text += line + "\n";
        const auto made = nft::parse(text);
        REQUIRE(made.ok());
        for (const nft::Map& map : made->maps) {
            ++work.maps_in;
            (map.interval ? work.ranges_in : work.elements_in) += map.elements.size();
        }
        for (const nft::Chain& chain : made->chains) {
            ++work.chains_in;
            work.rules_in += chain.rules.size();
        }
    }

    void command(std::istringstream& lines, std::string line) {
        while (line.find('{') != std::string::npos && line.find('}') == std::string::npos) {
            std::string more;
            REQUIRE(std::getline(lines, more));
            line += more;
        }
        std::istringstream words(line);
        std::string verb, what, inet, table, name;
        words >> verb >> what >> inet >> table >> name;
        if (what == "element" && table != "polecat_generations") {
            const auto commas = static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
            (verb == "add" ? work.elements_in : work.elements_out) += commas + 1;
        } else if (verb == "add" && what == "rule") {
            ++work.rules_in;
        } else if (verb == "flush") {
            if (const nft::Chain* chain = before_.find_chain(name);
                chain != nullptr && flushed_.insert(name).second)
                work.rules_out += chain->rules.size();
        } else if (verb == "delete" && what == "chain") {
            ++work.chains_out;
        } else if (verb == "delete" && (what == "map" || what == "set")) {
            ++work.maps_out;
            work.elements_dropped += before_.find_map(name)->elements.size();
        }
    }

    const Ruleset& before_;
    std::set<std::string> flushed_;
};

Work sum(const backends::Plan& plan) {
    Work out;
    for (const backends::Plan::Step& step : plan.steps)
        out += step.work;
    return out;
}

void check_counts(const Ruleset& before, const backends::Plan& plan) {
    TextCounter text(before);
    for (const backends::Plan::Step& step : plan.steps)
        text.read(step.text());
    CHECK(text.work == sum(plan));
    const Work& work = text.work;
    const PartList list = driver::compare_parts(before, plan.result, plan.judges_anew);
    CHECK(list.elements.come + list.elements.anew == work.elements_in + work.ranges_in);
    CHECK(list.elements.go + list.elements.anew == work.elements_out + work.elements_dropped);
    CHECK(list.rules.come + list.rules.anew == work.rules_in);
    CHECK(list.rules.go + list.rules.anew == work.rules_out);
    CHECK(list.chains.come == work.chains_in);
    CHECK(list.chains.go == work.chains_out);
    CHECK(list.maps.come + list.maps.anew == work.maps_in);
    CHECK(list.maps.go + list.maps.anew == work.maps_out);
    // Nothing is changed that no part names, and what stays is on both sides.
    std::set<std::string> named;
    for (const RulesPart& part : list.parts)
        named.insert(part.objects.begin(), part.objects.end());
    for (const nft::Map& map : before.maps)
        if (const nft::Map* now = plan.result.find_map(map.name); now != nullptr && *now != map)
            CHECK(named.contains(map.name));
    std::size_t elements = 0;
    for (const nft::Map& map : plan.result.maps)
        elements += map.elements.size();
    CHECK(list.elements.stay + list.elements.come + list.elements.anew == elements);
}

} // namespace

TEST_CASE("counts of rollouts are what the text of the plan does") {
    std::uint64_t fresh = 9000;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        testing::ClusterShape shape;
        shape.host_endpoints = seed % 3 == 0;
        auto documents = testing::documents_of(testing::ClusterWriter(seed, shape).write());
        Built before = build(testing::text_of(documents));
        REQUIRE(before.image.has_value());
        for (int step = 0; step < 6; ++step) {
            INFO("step ", step);
            testing::change(documents, random, fresh);
            Built after = build(testing::text_of(documents), before.numbers);
            if (!after.image)
                break;
            const Ruleset held = backends::emit(*before.image);
            check_counts(held, *backends::plan(held, *before.image, *after.image));
            // Of a node that has loaded it, by another way to the same plan.
            const Ruleset listed = nft::with_generation(held, 0x00070000);
            const auto plan = backends::plan(listed, *after.image);
            REQUIRE(plan.ok());
            check_counts(listed, *plan);
            before = std::move(after);
        }
    }
}

TEST_CASE("a plan from nothing counts all that it loads") {
    const Built built = build(testing::ClusterWriter(5, {}).write());
    const auto plan = backends::plan_from_nothing(*built.image);
    const PartList list = driver::compare_parts({}, plan.result, true);
    const Work work = sum(plan);
    CHECK(list.elements.come == work.elements_in + work.ranges_in);
    CHECK(list.rules.come == work.rules_in);
    CHECK(list.programs.come == built.image->programs.size());
    CHECK(list.chains.stay + list.maps.stay + list.elements.stay == 0);
    for (const RulesPart& part : list.parts)
        CHECK(part.change == PartChange::Comes);
}

TEST_CASE("names of programs' chains and maps") {
    CHECK(driver::program_in("p0123456789abr_o1") == "p0123456789ab");
    CHECK(driver::program_in("p0123456789ab") == "p0123456789ab");
    CHECK(driver::program_in("p0123456789ab_cells") == "p0123456789ab");
    for (const char* other :
         {"pod4_a", "peers4", "p0123456789a", "p0123456789abx", "from", "p0123456789AB", "source4"})
        CHECK(driver::program_in(other).empty());
}

TEST_CASE("the same ruleset, and one whose numbers alone are another generation's") {
    const Built built = build(testing::ClusterWriter(7, {}).write());
    const Ruleset held = backends::emit(*built.image);
    CHECK(driver::compare_parts(held, held, false).parts.empty());
    CHECK(driver::compare_parts(nft::with_generation(held, 0x00030000), held, false).parts.empty());
    const PartList anew = driver::compare_parts(held, held, true);
    REQUIRE_FALSE(anew.parts.empty());
    for (const RulesPart& part : anew.parts) {
        CHECK(part.change == PartChange::WrittenAnew);
        CHECK(part.kind == PartKind::Chain);
    }
    CHECK(anew.rules.come + anew.rules.go == 0);
}
