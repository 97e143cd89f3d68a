// Names of outside ranges mean what they name.
#include <doctest/doctest.h>

#include "driver/input/outside.h"
#include "tests/random_cluster.h"

using namespace polecat;
using net::AddressSet;

namespace {

AddressSet block(const std::string& text) {
    const auto cidr = net::parse_cidr(text, net::CidrForm::OrAddress);
    REQUIRE_MESSAGE(cidr, text);
    return AddressSet::of(*cidr);
}

/// "10.0.0.0/8, 192.0.2.1"
AddressSet blocks(std::string text) {
    AddressSet out;
    for (std::size_t comma = 0; comma != std::string::npos;) {
        comma = text.find(", ");
        out = out | block(text.substr(0, comma));
        text.erase(0, comma == std::string::npos ? comma : comma + 2);
    }
    return out;
}

/// What a label says, of the outside addresses `whole`.
AddressSet meaning(const std::string& label, const AddressSet& whole) {
    const std::string any = "any outside address", outside = "outside ", but = " but ";
    const std::size_t exception = label.find(but);
    const std::string base = label.substr(0, exception);
    AddressSet out = whole;
    if (base != any) {
        REQUIRE(base.starts_with(outside));
        out = blocks(base.substr(outside.size())) & whole;
    }
    return exception == std::string::npos ? out
                                          : out - blocks(label.substr(exception + but.size()));
}

const std::vector<std::string> kBlocks{
    "10.0.0.0/8",    "10.0.0.0/25",    "10.0.0.128/25",  "10.0.1.0/24", "11.0.0.0/8",
    "172.16.0.0/12", "192.168.0.0/16", "192.0.2.0/24",   "192.0.2.7",   "203.0.113.0/24",
    "0.0.0.0/1",     "128.0.0.0/1",    "169.254.0.0/16", "10.128.0.0/9"};

AddressSet some_blocks(testing::Random& random, std::size_t most) {
    AddressSet out;
    for (std::size_t i = 0, count = random.below(most + 1); i < count; ++i)
        out = out | block(random.pick(kBlocks));
    return out;
}

} // namespace

TEST_CASE("the name of an outside range read back is the range") {
    testing::Random random(20261126);
    for (int i = 0; i < 20'000; ++i) {
        AddressSet whole = AddressSet::all(net::Family::V4);
        for (std::size_t pods = random.below(6); pods > 0; --pods)
            whole = whole - block("10.0." + std::to_string(random.below(3)) + "." +
                                  std::to_string(random.below(256)));
        const AddressSet nets =
            ((some_blocks(random, 5) | some_blocks(random, 2)) - some_blocks(random, 3)) & whole;
        if (nets.empty())
            continue;
        const std::string label = driver::outside_label(nets, whole, "any outside address", 10'000);
        CHECK_MESSAGE(meaning(label, whole) == nets, label);
    }
}

TEST_CASE("outside ranges are named by few blocks") {
    const AddressSet all = AddressSet::all(net::Family::V4);
    const AddressSet whole = all - blocks("10.0.0.1, 10.0.0.2, 10.1.0.7");
    const AddressSet ten = block("10.0.0.0/8");
    CHECK(driver::outside_label(ten & whole, whole) == "outside 10.0.0.0/8");
    CHECK(driver::outside_label(whole - ten, whole) == "any outside address but 10.0.0.0/8");
    CHECK(driver::outside_label((ten - block("10.0.0.128/25")) & whole, whole) ==
          "outside 10.0.0.0/8 but 10.0.0.128/25");
    const AddressSet local = blocks("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16");
    CHECK(driver::outside_label(local & whole, whole) ==
          "outside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16");
    CHECK(driver::outside_label(whole - local, whole) ==
          "any outside address but 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16");
    CHECK(driver::outside_label(whole, whole) == "any outside address");
    CHECK(driver::outside_label(ten & whole, ten & whole) == "outside 10.0.0.0/8");
}
