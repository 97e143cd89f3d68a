#include <random>

#include <doctest/doctest.h>

#include "ir/selector/index.h"

using namespace polecat::selector;

namespace {

class RandomTerms {
  public:
    explicit RandomTerms(unsigned seed) : source_(seed) {}

    Labels labels() {
        Labels out;
        for (const char* name : {"a", "b", "c"})
            if (below(3) != 0)
                out.set(name, value());
        return out;
    }

    Selector selector(int depth) {
        const std::string label(1, static_cast<char>('a' + below(4)));
        switch (below(depth == 0 ? 9u : 12u)) {
        case 0:
            return Selector::all();
        case 1:
            return Selector::global();
        case 2:
            return Selector::has(label);
        case 3:
            return Selector::equal(label, value());
        case 4:
            return Selector::not_equal(label, value());
        case 5:
            return Selector::in(label, {"x", "y"});
        case 6:
            return Selector::not_in(label, {"xy", "y"});
        case 7:
            return Selector::contains(label, "y");
        case 8:
            return below(2) == 0 ? Selector::starts_with(label, "x")
                                 : Selector::ends_with(label, "y");
        case 9:
            return Selector::negate(selector(depth - 1));
        case 10:
            return Selector::all_of(several(depth - 1));
        default:
            return Selector::any_of(several(depth - 1));
        }
    }

  private:
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(source_() % limit);
    }
    std::string value() {
        const char* values[] = {"x", "y", "xy", ""};
        return values[below(4)];
    }
    std::vector<Selector> several(int depth) {
        std::vector<Selector> out;
        for (std::uint32_t i = below(3) + 1; i > 0; --i)
            out.push_back(selector(depth));
        return out;
    }

    std::mt19937 source_;
};

} // namespace

TEST_CASE("the index selects what the selector matches, object by object") {
    for (unsigned seed = 0; seed < 20; ++seed) {
        RandomTerms random(seed);
        LabelIndex index;
        std::vector<Labels> objects;
        for (unsigned i = 0; i < seed * 10; ++i) {
            objects.push_back(random.labels());
            CHECK(index.add(objects.back()) == i);
        }
        for (int i = 0; i < 300; ++i) {
            const Selector selector = random.selector(3);
            std::vector<std::uint32_t> expected;
            for (std::uint32_t each = 0; each < objects.size(); ++each)
                if (selector.matches(objects[each]))
                    expected.push_back(each);
            INFO(selector.canonical());
            CHECK(index.select(selector) == expected);
        }
    }
}
