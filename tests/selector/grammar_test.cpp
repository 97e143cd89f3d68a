// The grammar is the oracle of the quick parser: the same texts accepted, the same trees.
#include <doctest/doctest.h>

#include "frontend/selector/grammar/grammar.h"
#include "frontend/selector/parse.h"
#include "tests/random_cluster.h"

using namespace polecat;

namespace {

using testing::Random;

/// Texts near the language: pieces of it in an order that is often right.
class Texts {
  public:
    explicit Texts(std::uint64_t seed) : random_(seed) {}

    std::string next() {
        std::string out = any_of(3);
        for (std::size_t i = random_.below(3); i > 0; --i)
            mutate(out);
        return out;
    }

  private:
    std::string blank() { return random_.pick<std::string>({"", " ", " ", "\t", "  "}); }
    std::string label() {
        return random_.pick<std::string>({"a", "app", "in", "not", "starts", "has", "all",
                                          "contains", "notin", "startswith", "with", "a.b/c-d_e",
                                          "9"});
    }
    std::string value() {
        return random_.pick<std::string>({"\"x\"", "'y'", "''", "\"a'b\"", "'é'", "\"&& ||\""});
    }
    std::string set() {
        std::string out = "{" + blank();
        for (std::size_t i = random_.below(3); i > 0; --i)
            out += value() + blank() + (i > 1 || random_.chance(20) ? "," : "") + blank();
        return out + "}";
    }
    std::string primary(int depth) {
        switch (random_.below(depth > 0 ? 6 : 4)) {
        case 0:
            return random_.pick<std::string>({"all()", "global( )", "has(a)", "has( not )"});
        case 1:
            return label() + blank() + random_.pick<std::string>({"==", "!="}) + blank() + value();
        case 2:
            return label() + " " +
                   random_.pick<std::string>({"contains", "starts with", "startswith", "ends  with",
                                              "endswith", "starts\twith"}) +
                   blank() + value();
        case 3:
            return label() + " " + random_.pick<std::string>({"in", "not in", "notin"}) + blank() +
                   set();
        default:
            return "(" + blank() + any_of(depth - 1) + blank() + ")";
        }
    }
    std::string operand(int depth) {
        return random_.pick<std::string>({"", "", "!", "! !", "!!!"}) + blank() + primary(depth);
    }
    std::string all_of(int depth) {
        std::string out = operand(depth);
        while (random_.chance(30))
            out += blank() + "&&" + blank() + operand(depth);
        return out;
    }
    std::string any_of(int depth) {
        std::string out = all_of(depth);
        while (random_.chance(25))
            out += blank() + "||" + blank() + all_of(depth);
        return out;
    }
    void mutate(std::string& text) {
        const std::string piece =
            random_.pick<std::string>({"", "", " ", "(", ")", "\"", "'", "!", "&", "|", "=", "{",
                                       "}", ",", "in", "\n", "all("});
        const std::size_t at = random_.below(text.size() + 1);
        text.replace(at, random_.chance(50) && at < text.size() ? 1 : 0, piece);
    }

    Random random_;
};

} // namespace

TEST_CASE("the quick parser accepts what the grammar accepts, and builds the same") {
    Texts texts(11);
    std::size_t accepted = 0;
    constexpr std::size_t kTexts = 20'000;
    for (std::size_t i = 0; i < kTexts; ++i) {
        const std::string text = texts.next();
        const auto quick = frontend::parse_selector(text);
        const auto defined = frontend::parse_by_grammar(text);
        REQUIRE_MESSAGE(quick.has_value() == defined.has_value(), text);
        if (quick)
            REQUIRE_MESSAGE(quick->canonical() == defined->canonical(), text);
        accepted += quick ? 1 : 0;
    }
    CHECK(accepted > kTexts / 4);
    CHECK(accepted < kTexts - kTexts / 10);
}

TEST_CASE("what was probably meant") {
    const auto meant = [](const char* text) { return frontend::explain_selector(text).suggestion; };
    CHECK(meant("app = 'web'") == "app == 'web'");
    CHECK(meant("app == web") == "app == 'web'");
    CHECK(meant("app == 'web' and tier == 'db'") == "app == 'web' && tier == 'db'");
    CHECK(meant("app == 'web' & has(tier)") == "app == 'web' && has(tier)");
    CHECK(meant("app in {web, db}") == "app in {'web', 'db'}");
    CHECK(meant("all") == "all()");
    CHECK(meant("((((") == "");
}

TEST_CASE("hostile selectors end quickly") {
    CHECK_FALSE(frontend::parse_selector(std::string(100'000, '(')));
    std::string many = "a == 'x'";
    for (int i = 0; i < 100'000; ++i)
        many += " || a == 'x'";
    const auto parsed = frontend::parse_selector(many);
    REQUIRE(parsed);
    CHECK(parsed->matches(selector::Labels(std::vector<selector::Labels::Pair>{{"a", "x"}})));
    CHECK_FALSE(frontend::parse_selector(std::string(600, 'a') + " == 'x'"));
}
