// What could not be read is not known: whatever it really says, answers that do not hang on it are
// the same. On random clusters, something of each made unreadable, and then read in several ways.
#include <array>
#include <map>

#include <doctest/doctest.h>

#include "tests/decision/agreement.h"
#include "tests/random_cluster.h"

using namespace polecat;
using decision::Verdict;

namespace {

using testing::Random;

std::vector<std::string> documents_of(const std::string& text) {
    constexpr std::string_view kEnd = "\n---\n";
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(kEnd, begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + kEnd.size();
    }
    return out;
}

std::string joined(const std::vector<std::string>& documents) {
    std::string out;
    for (const std::string& each : documents)
        out += each + "\n---\n";
    return out;
}

/// From a bracket to the one that closes it.
std::string bracketed(const std::string& text, std::size_t begin) {
    std::size_t depth = 0, at = begin;
    for (; at < text.size(); ++at) {
        depth += text[at] == '{' || text[at] == '[' ? 1 : 0;
        depth -= text[at] == '}' || text[at] == ']' ? 1 : 0;
        if (depth == 0)
            break;
    }
    return text.substr(begin, at + 1 - begin);
}

/// The value of `key` in a document of flow style: brackets, or a text up to the comma.
std::string value_of(const std::string& document, const std::string& key) {
    const std::size_t at = document.find(key + ": ");
    if (at == std::string::npos)
        return {};
    const std::size_t begin = at + key.size() + 2;
    if (document[begin] == '[' || document[begin] == '{')
        return bracketed(document, begin);
    if (document[begin] == '"')
        return document.substr(begin, document.find('"', begin + 1) + 1 - begin);
    return document.substr(begin, document.find_first_of(",}", begin) - begin);
}

std::string with(std::string document, const std::string& key, const std::string& value) {
    const std::string old = value_of(document, key);
    if (old.empty())
        return document;
    const std::size_t at = document.find(key + ": ") + key.size() + 2;
    return document.replace(at, old.size(), value);
}

std::string inserted(std::string document, const std::string& before, const std::string& text) {
    const std::size_t at = document.find(before);
    return at == std::string::npos ? document : document.insert(at + before.size(), text);
}

/// Documents of many clusters, by kind: where readings come from.
class Stock {
  public:
    Stock() {
        testing::ClusterShape shape;
        shape.host_endpoints = true;
        for (std::uint64_t seed = 500; seed < 540; ++seed)
            for (std::string& each : documents_of(testing::ClusterWriter(seed, shape).write()))
                by_kind_[value_of(each, "kind")].push_back(std::move(each));
    }
    const std::string& pick(const std::string& kind, Random& random) const {
        return random.pick(by_kind_.at(kind));
    }
    std::string rule(Random& random) const {
        for (;;) {
            const std::string& from =
                pick(random.chance(50) ? "NetworkPolicy" : "GlobalNetworkPolicy", random);
            std::vector<std::size_t> places;
            for (std::size_t at = from.find("{action: "); at != std::string::npos;
                 at = from.find("{action: ", at + 1))
                places.push_back(at);
            if (!places.empty())
                return bracketed(from, random.pick(places));
        }
    }
    std::string rules(Random& random) const {
        std::string out;
        for (std::size_t i = random.below(4); i > 0; --i)
            out += (out.empty() ? "" : ", ") + rule(random);
        return "[" + out + "]";
    }

  private:
    std::map<std::string, std::vector<std::string>> by_kind_;
};

bool is_calico_policy(const std::string& document) {
    return document.find("projectcalico.org/v3, kind: ") != std::string::npos &&
           document.find("NetworkPolicy, ") != std::string::npos;
}

/// A document, how it could not be read, and one thing that it may have said.
struct Breakage {
    std::string name;
    bool (*fits)(const std::string& document);
    std::string (*broken)(std::string document);
    std::string (*reading)(std::string document, const Stock& stock, Random& random);
};

bool has_rules(const std::string& document) {
    return is_calico_policy(document) && document.find("{action: ") != std::string::npos;
}
bool is_kubernetes_policy(const std::string& document) {
    return document.find("networking.k8s.io/v1, kind: NetworkPolicy") != std::string::npos;
}
bool is_kind(const std::string& document, const char* kind) {
    return value_of(document, "kind") == kind;
}

std::string any_rules(std::string document, const Stock& stock, Random& random) {
    if (random.chance(15))
        return "{}";
    document = with(document, "ingress", stock.rules(random));
    return with(document, "egress", stock.rules(random));
}

/// The first rule, by another.
std::string other_rule(std::string document, const Stock& stock, Random& random, bool same_action) {
    const std::size_t at = document.find("{action: ");
    const std::string old = bracketed(document, at);
    std::string rule = stock.rule(random);
    if (same_action)
        rule = with(rule, "action", value_of(old, "action"));
    return document.replace(at, old.size(), rule);
}

std::string other_rules_of_kubernetes(std::string document, const Stock& stock, Random& random) {
    if (random.chance(20))
        return "{}";
    for (;;) {
        const std::string& other = stock.pick("NetworkPolicy", random);
        if (!is_kubernetes_policy(other))
            continue;
        for (const char* list : {"ingress", "egress"})
            if (const std::string rules = value_of(other, list); !rules.empty())
                return with(document, list,
                            random.chance(25) ? "[]"
                            : rules == "[]"   ? "[{}]"
                                              : rules);
    }
}

const Breakage kBreakages[] = {
    {"a rule", has_rules, [](std::string document) { return inserted(document, "{action: ", "x"); },
     [](std::string document, const Stock& stock, Random& random) {
         return other_rule(document, stock, random, false);
     }},
    {"a rule of known action", has_rules,
     [](std::string document) {
         const std::size_t at = document.find("{action: ");
         return document.insert(at + 1, "oops: 1, ");
     },
     [](std::string document, const Stock& stock, Random& random) {
         return other_rule(document, stock, random, true);
     }},
    {"a policy", is_calico_policy,
     [](std::string document) { return inserted(document, "spec: {", "oops: 1, "); }, any_rules},
    {"a policy's selector", is_calico_policy,
     [](std::string document) { return with(document, "selector", "\"((\""); },
     [](std::string document, const Stock& stock, Random& random) {
         const std::string& other = stock.pick("GlobalNetworkPolicy", random);
         return any_rules(with(document, "selector", value_of(other, "selector")), stock, random);
     }},
    {"a policy's order", is_calico_policy,
     [](std::string document) { return with(document, "order", "first"); },
     [](std::string document, const Stock& stock, Random& random) {
         return any_rules(with(with(document, "order", std::to_string(random.below(20))), "tier",
                               random.chance(50) ? "high" : "default"),
                          stock, random);
     }},
    {"a policy's types", is_calico_policy,
     [](std::string document) { return with(document, "types", "[Sideways]"); },
     [](std::string document, const Stock& stock, Random& random) {
         return any_rules(
             with(document, "types",
                  random.pick<std::string>({"[Ingress]", "[Egress]", "[Ingress, Egress]"})),
             stock, random);
     }},
    {"a document", is_calico_policy,
     [](std::string document) { return document.substr(0, document.size() - 1) + "]"; },
     [](std::string document, const Stock& stock, Random& random) {
         std::string other;
         do
             other = stock.pick(value_of(document, "kind"), random);
         while (!is_calico_policy(other));
         return with(other, "metadata", value_of(document, "metadata"));
     }},
    {"a policy of Kubernetes", is_kubernetes_policy,
     [](std::string document) { return inserted(document, "spec: {", "oops: 1, "); },
     other_rules_of_kubernetes},
    {"a rule of Kubernetes", is_kubernetes_policy,
     [](std::string document) { return inserted(document, "gress: [{", "oops: 1, "); },
     [](std::string document, const Stock& stock, Random& random) {
         const std::string out = other_rules_of_kubernetes(document, stock, random);
         return out == "{}" ? document : out;
     }},
    {"a pod", [](const std::string& document) { return is_kind(document, "Pod"); },
     [](std::string document) { return with(document, "labels", "{app: [1]}"); },
     [](std::string document, const Stock& stock, Random& random) {
         const std::string& other = stock.pick("Pod", random);
         return with(with(document, "labels", value_of(other, "labels")), "containers",
                     value_of(other, "containers"));
     }},
    {"a namespace", [](const std::string& document) { return is_kind(document, "Namespace"); },
     [](std::string document) { return with(document, "labels", "{env: [1]}"); },
     [](std::string document, const Stock& stock, Random& random) {
         return with(document, "labels", value_of(stock.pick("Namespace", random), "labels"));
     }},
    {"a network set",
     [](const std::string& document) { return is_kind(document, "GlobalNetworkSet"); },
     [](std::string document) { return with(document, "nets", "[everything]"); },
     [](std::string document, const Stock&, Random& random) {
         return with(document, "nets",
                     random.pick<std::string>({"[]", "[8.8.8.8/32, 10.9.0.0/30]", "[0.0.0.0/0]",
                                               "['2600::/16', 203.0.113.64/26]"}));
     }},
    {"a tier", [](const std::string& document) { return is_kind(document, "Tier"); },
     [](std::string document) { return with(document, "order", "first"); },
     [](std::string document, const Stock&, Random& random) {
         return with(with(document, "order", random.chance(50) ? "10" : "2000000"), "defaultAction",
                     random.chance(50) ? "Pass" : "Deny");
     }},
};

struct Pair {
    net::Address source, destination;
    decision::Flow packet;
};

std::vector<Pair> sample(const decision::LoweredCluster& cluster, Random& random) {
    std::vector<Pair> out;
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const auto addresses = testing::addresses_of(cluster, family);
        const auto packets = testing::packets_of(family);
        for (std::size_t i = 0; i < 400; ++i)
            out.push_back({random.pick(addresses), random.pick(addresses), random.pick(packets)});
    }
    return out;
}

Verdict verdict_of(const decision::LoweredCluster& cluster, const Pair& pair) {
    bool open = false;
    for (const auto direction : {decision::Direction::Egress, decision::Direction::Ingress}) {
        decision::Flow flow = pair.packet;
        flow.family = pair.source.family;
        flow.source = decision::end_of(cluster.world, pair.source);
        flow.destination = decision::end_of(cluster.world, pair.destination);
        const decision::End& own =
            direction == decision::Direction::Egress ? flow.source : flow.destination;
        for (const decision::ObjectId id : own.objects) {
            const auto* program = cluster.find(id, direction, decision::Hook::Normal, flow.family);
            if (program == nullptr)
                continue;
            const Verdict verdict = decision::eval(cluster.program(program->program),
                                                   cluster.predicates, cluster.world, flow)
                                        .verdict;
            if (verdict == Verdict::Deny)
                return verdict;
            open = open || verdict == Verdict::Depends;
        }
    }
    return open ? Verdict::Depends : Verdict::Allow;
}

void load_broken(const std::string& text, testing::RandomCluster& out) {
    const FileId file = out.sources.add("broken.yaml", text);
    out.policy = frontend::load_files({{"broken.yaml", out.sources.text(file)}}, out.sources,
                                      out.diagnostics);
    frontend::check_references(out.policy, out.diagnostics);
    out.lowered = passes::lower(out.policy).cluster;
}

} // namespace

TEST_CASE("answers that do not hang on what could not be read hold in every reading of it") {
    const Stock stock;
    std::map<std::string, std::array<std::size_t, 2>> known; // answers, those that are no `depends`
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        testing::ClusterShape shape;
        shape.host_endpoints = true;
        const auto documents = documents_of(testing::ClusterWriter(seed, shape).write());
        Random random(seed);
        for (const Breakage& breakage : kBreakages) {
            std::vector<std::size_t> places;
            for (std::size_t i = 0; i < documents.size(); ++i)
                if (breakage.fits(documents[i]))
                    places.push_back(i);
            if (places.empty())
                continue;
            const std::size_t place = random.pick(places);
            INFO(breakage.name, ", seed ", seed, ": ", documents[place]);
            auto changed = documents;
            changed[place] = breakage.broken(documents[place]);
            testing::RandomCluster broken;
            load_broken(joined(changed), broken);
            REQUIRE(broken.diagnostics.has_errors());
            testing::Checker checker(broken.lowered);
            if (seed == 1) // it takes its time
                for (const decision::Program& program : broken.lowered.programs)
                    checker.check(program);
            const auto flows = sample(broken.lowered, random);
            std::vector<Verdict> verdicts;
            for (const Pair& each : flows) {
                verdicts.push_back(verdict_of(broken.lowered, each));
                ++known[breakage.name][0];
                known[breakage.name][1] += verdicts.back() == Verdict::Depends ? 0 : 1;
            }
            for (int i = 0; i < 6; ++i) {
                changed[place] =
                    i == 0 ? documents[place] : breakage.reading(documents[place], stock, random);
                testing::RandomCluster reading;
                load_broken(joined(changed), reading);
                INFO("reading: ", changed[place]);
                for (const diag::Diagnostic& each : reading.diagnostics.list())
                    if (changed[place] != "{}")
                        REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
                std::size_t wrong = 0;
                for (std::size_t k = 0; k < flows.size(); ++k)
                    wrong += verdicts[k] != Verdict::Depends &&
                                     verdicts[k] != verdict_of(reading.lowered, flows[k])
                                 ? 1
                                 : 0;
                CHECK(wrong == 0);
            }
        }
    }
    for (const auto& [name, counts] : known) {
        INFO(name);
        CHECK(counts[1] > 0);         // something is still known,
        CHECK(counts[1] < counts[0]); // and not everything
        MESSAGE(name, ": ", counts[1], " of ", counts[0], " known");
    }
}
