// Plans without a kernel: their steps are done to the model of a ruleset, and what comes out is
// looked at after each of them.
#include <algorithm>
#include <set>
#include <sstream>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "backends/nftables/plan.h"
#include "backends/nftables/reachable.h"
#include "tests/backends/built.h"
#include "tests/backends/changes.h"

using namespace polecat;
using backends::NodeImage;
using nft::Ruleset;
using testing::build;
using testing::Built;
using testing::pod;
using testing::Random;

namespace {

/// nft(8) as far as plans use it. Fails where nft would.
class Kernel {
  public:
    explicit Kernel(Ruleset held) : rules(std::move(held)) {}

    void load(const std::string& text) {
        std::istringstream lines(text);
        std::string line, block;
        for (bool inside = false; std::getline(lines, line);) {
            if (line.starts_with("table inet")) {
                inside = true;
                block.clear();
            }
            if (inside) {
                block += line + "\n";
                inside = line != "}";
                if (!inside)
                    merge(parsed(block));
            } else {
                // Elements go over several lines.
                while (line.find('{') != std::string::npos && line.find('}') == std::string::npos) {
                    std::string more;
                    std::getline(lines, more);
                    line += more;
                }
                command(line);
            }
        }
        rules.sort();
    }

    Ruleset rules;

  private:
    static Ruleset parsed(const std::string& text) {
        auto out = nft::parse(text);
        REQUIRE_MESSAGE(out.ok(), (out ? "" : out.error()) << " in " << text);
        return std::move(*out);
    }

    void merge(const Ruleset& more) {
        for (const nft::Map& map : more.maps) {
            REQUIRE(rules.find_map(map.name) == nullptr);
            rules.maps.push_back(map);
        }
        for (const nft::Chain& chain : more.chains) {
            REQUIRE(rules.find_chain(chain.name) == nullptr);
            rules.chains.push_back(chain);
        }
        rules.sort();
    }

    nft::Map& map(const std::string& name) {
        const nft::Map* found = rules.find_map(name);
        REQUIRE_MESSAGE(found != nullptr, name);
        return const_cast<nft::Map&>(*found);
    }
    nft::Chain& chain(const std::string& name) {
        const nft::Chain* found = rules.find_chain(name);
        REQUIRE_MESSAGE(found != nullptr, name);
        return const_cast<nft::Chain&>(*found);
    }

    void command(const std::string& line) {
        std::istringstream words(line);
        std::string verb, what, inet, table, name, rest;
        words >> verb >> what >> inet >> table >> name;
        std::getline(words, rest);
        if (name == "free") // the table of generations
            return;
        if (what == "element") {
            elements(verb == "add", map(name), rest);
        } else if (what == "rule") {
            const Ruleset made = parsed("table inet t {\nchain c {\n" + rest + "\n}\n}\n");
            chain(name).rules.push_back(made.chains.front().rules.front());
        } else if (verb == "flush") {
            chain(name).rules.clear();
        } else if (what == "chain") {
            remove_chain(name);
        } else {
            REQUIRE(verb == "delete");
            map(name);
            CHECK_MESSAGE(!uses("@" + name), name);
            std::erase_if(rules.maps, [&](const auto& each) { return each.name == name; });
        }
    }

    void elements(bool add, nft::Map& to, const std::string& text) {
        nft::Map empty = to;
        empty.elements.clear();
        Ruleset one;
        one.maps.push_back(empty);
        std::string whole = nft::print(one);
        whole.insert(whole.find("\t}\n"), "elements = " + text + "\n");
        const Ruleset read = parsed(whole);
        for (const nft::Element& each : read.maps.front().elements) {
            const auto same = [&](const nft::Element& other) { return other.key == each.key; };
            const auto place = std::find_if(to.elements.begin(), to.elements.end(), same);
            if (add) {
                REQUIRE(place == to.elements.end());
                to.elements.push_back(each);
            } else {
                REQUIRE(place != to.elements.end());
                to.elements.erase(place);
            }
        }
        std::sort(to.elements.begin(), to.elements.end());
    }

    void remove_chain(const std::string& name) {
        // Base chains are made once, but for those of host endpoints.
        if (!chain(name).hook.empty())
            CHECK(backends::emit(NodeImage{}).find_chain(name) == nullptr);
        CHECK(chain(name).rules.empty());
        std::erase_if(rules.chains, [&](const auto& each) { return each.name == name; });
    }

    bool uses(const std::string& word) const {
        for (const nft::Chain& each : rules.chains)
            for (const nft::Rule& rule : each.rules)
                if ((nft::print(rule) + " ").find(word + " ") != std::string::npos)
                    return true;
        return false;
    }

  public:
    /// Maps that lead to chains that are gone.
    bool dangles() const {
        std::set<std::string> chains;
        for (const nft::Chain& each : rules.chains)
            chains.insert(each.name);
        for (const nft::Map& each : rules.maps)
            for (const nft::Element& element : each.elements)
                if (const auto* to = std::get_if<nft::Goto>(&element.value);
                    to != nullptr && !chains.contains(to->chain))
                    return true;
        return false;
    }
};

/// What each pod of the node makes of each address, in words that no number is in.
using Meaning = std::map<std::string, std::string>;

void add_meaning(const NodeImage& image, const backends::DispatchEntry& entry,
                 const std::string& name, Meaning& out) {
    const backends::ProgramImage& program = image.programs.at(name);
    const auto cell = [&](std::uint32_t number) {
        return backends::name_of(program.cells.at(number)) + " ";
    };
    const std::string key = entry.interface + " " + net::to_string(entry.address) + " " +
                            std::string(decision::to_string(program.direction)) + " ";
    const auto own = program.own.find(image.addresses.at(entry.address));
    for (const auto& [address, identity] : image.addresses) {
        if (address.family != program.family || program.closed)
            continue;
        const auto& others = program.others.at(own == program.own.end() ? 0 : own->second);
        const decision::Row& row = program.rows.at(others.row_of(identity));
        std::string& text = out[key + net::to_string(address)];
        text = name + " " + cell(row.cell);
        for (const auto& each : row.exceptions)
            text += std::to_string(each.source_port) + "/" + std::to_string(each.l4) + " " +
                    cell(each.cell);
    }
}

Meaning meaning_of(const NodeImage& image) {
    Meaning out;
    for (const backends::DispatchEntry& entry : image.dispatch) {
        const backends::EndpointGroup& group = image.groups.at(entry.group);
        add_meaning(image, entry, group.egress, out);
        add_meaning(image, entry, group.ingress, out);
    }
    return out;
}

/// The rules, what packets can't come to left out, say of everything what one of the two says.
void check_between(const Ruleset& rules, const Meaning& before, const Meaning& after) {
    const auto read = backends::read_back(backends::without_unreachable(rules));
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    for (const auto& [key, text] : meaning_of(*read)) {
        const auto was = before.find(key), is = after.find(key);
        CHECK_MESSAGE(((was != before.end() && was->second == text) ||
                       (is != after.end() && is->second == text)),
                      key << ": " << text);
    }
}

/// From what a plan left that was broken off to what nobody thought of then.
void follow_otherwise(const Ruleset& from, const NodeImage& to) {
    const auto plan = backends::plan(from, to);
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    const Meaning before = meaning_of(*backends::read_back(backends::without_unreachable(from)));
    const Meaning after = meaning_of(*backends::read_back(plan->result));
    Kernel kernel(from);
    for (const backends::Plan::Step& step : plan->steps) {
        kernel.load(step.text());
        check_between(kernel.rules, before, after);
    }
    CHECK(kernel.rules == plan->result);
}

/// Does the plan; returns what the node holds then. Whenever it is broken off, another plan leads
/// to the same end, or to another.
Ruleset follow(const Ruleset& from, const NodeImage& to, const NodeImage* other_end = nullptr) {
    const auto plan = backends::plan(from, to);
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    CHECK(plan->steps.size() <= 3);
    Kernel kernel(from);
    for (const backends::Plan::Step& step : plan->steps) {
        kernel.load(step.text());
        CHECK_FALSE(kernel.dangles());
        const auto again = backends::plan(kernel.rules, to);
        REQUIRE_MESSAGE(again.ok(), (again ? "" : again.error()));
        Kernel other(kernel.rules);
        for (const backends::Plan::Step& each : again->steps)
            other.load(each.text());
        CHECK(other.rules == again->result);
        if (other_end != nullptr)
            follow_otherwise(kernel.rules, *other_end);
    }
    CHECK(kernel.rules == plan->result);
    return kernel.rules;
}

/// Every program afterwards is one of the image, by its name or by what the plan says it was.
std::size_t check_names(const Result<backends::Plan>& plan, const backends::NodeImage& to) {
    REQUIRE(plan.ok());
    const auto after = backends::read_back(plan->result);
    REQUIRE(after.ok());
    for (const auto& [name, program] : after->programs) {
        const auto other = plan->renamed.find(name);
        CHECK(to.programs.contains(other == plan->renamed.end() ? name : other->second));
    }
    for (const auto& [name, compiled] : plan->renamed)
        CHECK(after->programs.contains(name));
    return plan->renamed.size();
}

/// Whether a program has a name that neither the image nor what was held before has.
bool gives_way(const backends::NodeImage& before, const backends::NodeImage& now,
               const backends::NodeImage& to) {
    return std::any_of(now.programs.begin(), now.programs.end(), [&](const auto& each) {
        return !to.programs.contains(each.first) && !before.programs.contains(each.first);
    });
}

/// Also where names gave way.
void check_nothing_left(const Ruleset& held, const backends::NodeImage& image) {
    const auto rest = backends::plan(held, image);
    REQUIRE_MESSAGE(rest.ok(), (rest ? "" : rest.error()));
    CHECK(rest->steps.empty());
    CHECK(rest->forget.empty());
}

} // namespace

TEST_CASE("plans lead from any policy to any other") {
    std::uint64_t fresh = 5000;
    std::size_t given_way = 0, renamed = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        auto documents = testing::documents_of(testing::ClusterWriter(seed, {}).write());
        Built before = build(testing::text_of(documents));
        REQUIRE(before.image.has_value());
        Ruleset held = backends::emit(*before.image);
        backends::NodeImage had = *before.image;
        for (int step = 0; step < 5; ++step) {
            INFO("step ", step);
            testing::change(documents, random, fresh);
            auto others = documents;
            testing::change(others, random, fresh);
            testing::change(documents, random, fresh);
            // Numbered without knowing of each other, as by a plan that was broken off.
            const Built otherwise = build(testing::text_of(others), before.numbers);
            Built after = build(testing::text_of(documents), before.numbers);
            REQUIRE(after.image.has_value());
            held = follow(held, *after.image, &*otherwise.image);
            const auto read = backends::read_back(held);
            REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
            // Numbered by the base: names give way only where own sides fall into other classes.
            given_way += gives_way(had, *read, *after.image) ? 1 : 0;
            had = *read;
            check_nothing_left(held, *after.image);
            before = std::move(after);
        }
        // Numbered by itself: the same policy, other numbers, so everything has other names.
        const Built alone = build(testing::text_of(documents));
        renamed += check_names(backends::plan(held, *alone.image), *alone.image);
        held = follow(held, *alone.image);
        CHECK(backends::read_back(held).ok());
        check_nothing_left(held, *alone.image);
    }
    CHECK(given_way <= 2);
    CHECK(renamed > 0);
}

TEST_CASE("a pod of known identity is two elements with plain values") {
    const auto allow = [](const std::string& to, const std::string& from) {
        return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " + to +
               ", namespace: ns}, spec: {podSelector: {matchLabels: {app: " + to +
               "}}, ingress: [{from: [{podSelector: {matchLabels: {app: " + from +
               "}}}]}]}}\n---\n";
    };
    const std::string some = pod("web", "web", 1) + pod("db", "db", 2) + pod("log", "log", 3) +
                             allow("db", "web") + allow("log", "db");
    const Built before = build(some);
    const Ruleset held = backends::emit(*before.image);
    const auto plan_to = [&](const std::string& text) {
        const Built after = build(text, before.numbers);
        REQUIRE(after.image.has_value());
        auto plan = backends::plan(held, *after.image);
        REQUIRE(plan.ok());
        return std::move(*plan);
    };
    const auto known = plan_to(some + pod("web2", "web", 4));
    REQUIRE(known.steps.size() == 1);
    CHECK_FALSE(known.judges_anew);
    CHECK(known.steps[0].text().find("goto") == std::string::npos);
    CHECK(known.steps[0].does.elements_in.size() == 2);
    CHECK(known.forget.size() == 1);
    // A new identity: rows in the programs that tell it apart only.
    const auto fresh = plan_to(some + pod("job", "job", 4));
    CHECK_FALSE(fresh.judges_anew);
    CHECK(fresh.steps.size() <= 2);
    // Another label of a pod: flows are judged anew, no program changes.
    const auto labelled = plan_to(pod("web", "web", 1) + pod("db", "db", 2) + pod("log", "web", 3) +
                                  allow("db", "web") + allow("log", "db"));
    CHECK(labelled.judges_anew);
    // A policy: other programs keep their chains.
    const auto other = plan_to(pod("web", "web", 1) + pod("db", "db", 2) + pod("log", "log", 3) +
                               allow("db", "web") + allow("log", "web"));
    CHECK(other.judges_anew);
    REQUIRE(other.steps.size() == 3);
    std::size_t kept = 0;
    for (const auto& [name, program] : before.image->programs)
        kept += other.result.find_chain(name) != nullptr ? 1 : 0;
    CHECK(kept + 1 == before.image->programs.size());
}

TEST_CASE("what is not ours is no start of a plan") {
    const Built built = build(testing::ClusterWriter(3, {}).write());
    Ruleset other = backends::emit(*built.image);
    for (nft::Chain& chain : other.chains)
        if (chain.name == "deny")
            chain.rules.pop_back();
    CHECK_FALSE(backends::plan(other, *built.image).ok());
    CHECK_FALSE(backends::plan(Ruleset{}, *built.image).ok());
    CHECK(backends::plan_from_nothing(*built.image).steps.size() == 1);
}

TEST_CASE("a load from nothing hooks packets in when all that judges them is there") {
    const Built built = build(testing::ClusterWriter(3, {}).write());
    const backends::Plan plan = backends::hooks_last(backends::plan_from_nothing(*built.image));
    REQUIRE(plan.steps.size() == 2);
    const Ruleset& fill = plan.steps[0].does.made;
    const Ruleset& hooks = plan.steps[1].does.made;
    CHECK(plan.steps[0].does.replaces);
    CHECK(backends::without_hooks(fill)); // as it is listed where the load ends here
    CHECK_FALSE(backends::plan(fill, *built.image).ok());
    CHECK(hooks.maps.empty());
    CHECK_FALSE(hooks.chains.empty());
    for (const nft::Chain& chain : hooks.chains)
        CHECK_FALSE(chain.hook.empty());
    CHECK(fill.maps == plan.result.maps);
    CHECK(fill.chains.size() + hooks.chains.size() == plan.result.chains.size());
    for (const nft::Chain& chain : plan.result.chains)
        CHECK((chain.hook.empty() ? fill : hooks).find_chain(chain.name) != nullptr);
}
