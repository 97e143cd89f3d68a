// Which values and which labels can exist: against every short value, and against random selectors.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "analyzer/labels/label_space.h"
#include "analyzer/labels/label_values.h"
#include "frontend/selector/parse.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::LabelAnswer;
using analyzer::ValueTests;
using selector::Selector;

namespace {

std::vector<bool> answers(const ValueTests& tests, const std::string& value) {
    std::vector<bool> out;
    for (const std::string& text : tests.equal)
        out.push_back(value == text);
    for (const std::string& text : tests.contains)
        out.push_back(value.find(text) != std::string::npos);
    for (const std::string& text : tests.starts)
        out.push_back(value.starts_with(text));
    for (const std::string& text : tests.ends)
        out.push_back(value.ends_with(text));
    return out;
}

void each_value(const std::string& alphabet, std::size_t longest, const auto& act,
                const std::string& so_far = "") {
    act(so_far);
    if (so_far.size() < longest)
        for (const char c : alphabet)
            each_value(alphabet, longest, act, so_far + c);
}

Selector parse(const std::string& text) {
    const auto parsed = frontend::parse_selector(text);
    REQUIRE_MESSAGE(parsed.has_value(), text);
    return *parsed;
}

LabelAnswer::Kind implies(const std::string& a, const std::string& b) {
    const auto counter = analyzer::find_labels({parse(a)}, {parse(b)}).kind;
    return counter == LabelAnswer::Kind::No    ? LabelAnswer::Kind::Yes
           : counter == LabelAnswer::Kind::Yes ? LabelAnswer::Kind::No
                                               : LabelAnswer::Kind::Unknown;
}

} // namespace

TEST_CASE("every combination of answers that some value gives is there, and no other") {
    testing::Random random(7);
    const auto some = [&] {
        std::vector<std::string> out;
        for (std::size_t i = random.below(3); i > 0; --i) {
            std::string text;
            for (std::size_t length = random.below(4); length > 0; --length)
                text += "ab-"[random.below(3)];
            out.push_back(text);
        }
        return out;
    };
    for (int round = 0; round < 300; ++round) {
        const ValueTests tests{some(), some(), some(), some()};
        const auto classes = analyzer::value_classes(tests);
        REQUIRE(classes);
        std::set<std::vector<bool>> claimed, real;
        for (const std::string& value : *classes) {
            CHECK(analyzer::is_label_value(value));
            claimed.insert(answers(tests, value));
        }
        CHECK(claimed.size() == classes->size()); // each class once
        each_value("abx-", 7, [&](const std::string& value) {
            if (analyzer::is_label_value(value))
                real.insert(answers(tests, value));
        });
        // A value of more than seven characters may be needed, never a shorter one missed.
        CHECK(std::includes(claimed.begin(), claimed.end(), real.begin(), real.end()));
    }
}

TEST_CASE("what implies what, for every set of labels") {
    using Kind = LabelAnswer::Kind;
    CHECK(implies("a == 'x'", "has(a)") == Kind::Yes);
    CHECK(implies("has(a)", "a == 'x'") == Kind::No);
    CHECK(implies("a in {'x', 'y'}", "a != 'z'") == Kind::Yes);
    CHECK(implies("a starts with 'web' && a ends with '-prod'", "a contains 'prod'") == Kind::Yes);
    CHECK(implies("a contains 'web'", "a starts with 'web'") == Kind::No);
    CHECK(implies("a == 'web-1'", "a starts with 'web'") == Kind::Yes);
    CHECK(implies("!has(a)", "a not in {'x'}") == Kind::Yes);
    CHECK(implies("a == 'x' && b == 'y'", "(a == 'x' || c == 'z') && has(b)") == Kind::Yes);
    CHECK(implies("all()", "has(a) || !has(a)") == Kind::Yes);
}

TEST_CASE("what labels' values don't decide is not denied") {
    using Kind = LabelAnswer::Kind;
    // Names of service accounts are longer than a label's value and have dots.
    const std::string account = "projectcalico.org/serviceaccount", name(70, 'a');
    CHECK(implies(account + " == '" + name + "'", "has(b)") == Kind::Unknown);
    CHECK(implies(account + " contains '" + name + "'", "has(b)") == Kind::Unknown);
    CHECK(implies("a == 'not a value!'", "b == 'c'") == Kind::Unknown);
    CHECK(implies("has(a)", account + " == '" + name + "'") == Kind::No);
}

TEST_CASE("the witness matches, and no set of labels is missed") {
    testing::Random random(11);
    const auto leaf = [&] {
        const std::string label = random.pick<std::string>({"a", "b"});
        const std::string value = "'" + random.pick<std::string>({"x", "xy", "yx", "y"}) + "'";
        return random.pick<std::string>(
            {label + " == " + value, label + " != " + value, "has(" + label + ")",
             label + " contains " + value, label + " starts with " + value,
             label + " ends with " + value, label + " in {" + value + ", 'z'}"});
    };
    const auto formula = [&] {
        std::string out = leaf();
        for (std::size_t i = random.below(3); i > 0; --i)
            out = (random.chance(30) ? "!(" : "(") + out + ")" +
                  random.pick<std::string>({" && ", " || "}) + leaf();
        return out;
    };
    std::size_t yes = 0, no = 0;
    for (int round = 0; round < 400; ++round) {
        const Selector a = parse(formula()), b = parse(formula()), c = parse(formula());
        const auto answer = analyzer::find_labels({a, b}, {c});
        REQUIRE(answer.kind != LabelAnswer::Kind::Unknown);
        const bool found = answer.kind == LabelAnswer::Kind::Yes;
        ++(found ? yes : no);
        if (found) {
            CHECK(a.matches(answer.labels));
            CHECK(b.matches(answer.labels));
            CHECK_FALSE(c.matches(answer.labels));
            continue;
        }
        bool missed = false;
        each_value("xyz", 3, [&](const std::string& first) {
            each_value("xyz", 3, [&](const std::string& second) {
                selector::Labels labels;
                if (first != "zzz")
                    labels.set("a", first);
                if (second != "zzz")
                    labels.set("b", second);
                missed = missed || (a.matches(labels) && b.matches(labels) && !c.matches(labels));
            });
        });
        CHECK_FALSE(missed);
    }
    CHECK(yes > 50);
    CHECK(no > 50);
}
