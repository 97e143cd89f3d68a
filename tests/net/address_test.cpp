#include <doctest/doctest.h>

#include <random>

#include "ir/net/address.h"
#include "ir/net/protocol.h"

using namespace polecat::net;

TEST_CASE("addresses are read as Go's net.ParseIP reads them, and print canonically") {
    const auto text = [](const char* input) {
        const auto address = parse_address(input);
        return address ? to_string(*address) : std::string("refused");
    };
    CHECK(text("10.0.0.1") == "10.0.0.1");
    CHECK(text("255.255.255.255") == "255.255.255.255");
    CHECK(text("::") == "::");
    CHECK(text("::1") == "::1");
    CHECK(text("2001:DB8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
    CHECK(text("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");
    CHECK(text("fd00::") == "fd00::");
    CHECK(text("::ffff:10.1.2.3") == "10.1.2.3");
    CHECK(text("64:ff9b::10.1.2.3") == "64:ff9b::a01:203");
    for (const char* wrong :
         {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", ":", ":::", "1::2::3",
          "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "12345::", "::1:", "g::", "1.2.3.4::", "+1.2.3.4"})
        CHECK_MESSAGE(text(wrong) == "refused", wrong);
}

TEST_CASE("CIDRs have three forms") {
    CHECK(to_string(*parse_cidr("10.0.0.0/8", CidrForm::Strict)) == "10.0.0.0/8");
    CHECK_FALSE(parse_cidr("10.0.0.1/8", CidrForm::Strict));
    CHECK(to_string(*parse_cidr("10.9.8.7/8", CidrForm::Masked)) == "10.0.0.0/8");
    CHECK_FALSE(parse_cidr("10.9.8.7", CidrForm::Masked));
    CHECK(to_string(*parse_cidr("10.9.8.7", CidrForm::OrAddress)) == "10.9.8.7/32");
    CHECK(to_string(*parse_cidr("2001:db8::/32", CidrForm::Strict)) == "2001:db8::/32");
    CHECK(parse_cidr("2001:db8::/32", CidrForm::Strict)->last() ==
          *parse_address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    CHECK(parse_cidr("0.0.0.0/0", CidrForm::Strict)->last() == last_address(Family::V4));
    CHECK(parse_cidr("::/0", CidrForm::Strict)->last() == last_address(Family::V6));
    for (const char* wrong :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "/8"})
        CHECK_FALSE(parse_cidr(wrong, CidrForm::OrAddress));
}

namespace {

AddressSet random_set(std::mt19937& random, Family family) {
    std::vector<Cidr> cidrs;
    for (int i = static_cast<int>(random() % 5); i > 0; --i) {
        const std::uint64_t low = random() % 16;
        const auto prefix = static_cast<std::uint8_t>(width(family) - random() % 4);
        const std::uint64_t mask = ~((std::uint64_t{1} << (width(family) - prefix)) - 1);
        cidrs.push_back({{family, 0, low & mask}, prefix});
    }
    return AddressSet::of(cidrs);
}

} // namespace

TEST_CASE("address sets obey the laws of sets on a small universe") {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        const Family family = round % 2 == 0 ? Family::V4 : Family::V6;
        const AddressSet a = random_set(random, family), b = random_set(random, family);
        for (std::uint64_t low = 0; low < 17; ++low) {
            const Address x{family, 0, low};
            const bool in_a = a.contains(x), in_b = b.contains(x);
            REQUIRE((a | b).contains(x) == (in_a || in_b));
            REQUIRE((a & b).contains(x) == (in_a && in_b));
            REQUIRE((a - b).contains(x) == (in_a && !in_b));
        }
        REQUIRE(((a - b) | (a & b)) == a);
        REQUIRE(a.contains(b) == ((a | b) == a));
        REQUIRE(AddressSet::of(a.cidrs()) == a);
        const AddressSet all = AddressSet::all(family);
        REQUIRE((all - (all - a)) == a);
    }
}

TEST_CASE("families never mix") {
    const AddressSet v4 = AddressSet::all(Family::V4), v6 = AddressSet::all(Family::V6);
    CHECK_FALSE(v4.intersects(v6));
    CHECK((v4 | v6).ranges().size() == 2);
    CHECK(((v4 | v6) - v4) == v6);
    CHECK(((v4 | v6) - v6) == v4);
    CHECK((v4 | v6).of_family(Family::V6) == v6);
}

TEST_CASE("port sets obey the laws of sets") {
    std::mt19937 random(2);
    const auto any = [&] {
        std::vector<PortRange> ranges;
        for (int i = static_cast<int>(random() % 4); i > 0; --i) {
            const auto first = static_cast<std::uint16_t>(65520 + random() % 16);
            ranges.push_back({first, static_cast<std::uint16_t>(
                                         std::min<unsigned>(65535, first + random() % 4))});
        }
        return PortSet::of(ranges);
    };
    for (int round = 0; round < 2000; ++round) {
        const PortSet a = any(), b = any();
        for (unsigned port = 65515; port <= 65535; ++port) {
            const auto x = static_cast<std::uint16_t>(port);
            REQUIRE((a | b).contains(x) == (a.contains(x) || b.contains(x)));
            REQUIRE((a & b).contains(x) == (a.contains(x) && b.contains(x)));
            REQUIRE((a - b).contains(x) == (a.contains(x) && !b.contains(x)));
        }
        REQUIRE(((a - b) | (a & b)) == a);
    }
}

TEST_CASE("protocol names in any case, numbers for the rest") {
    CHECK(protocol_by_name("tcp") == kTcp);
    CHECK(protocol_by_name("ICMPV6") == kIcmpV6);
    CHECK_FALSE(protocol_by_name("47"));
    CHECK(to_string_protocol(kUdpLite) == "UDPLite");
    CHECK(to_string_protocol(47) == "47");
}
