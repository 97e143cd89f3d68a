// Reads the text of a ruleset, ours or the kernel's listing: tokens, then the closed list of
// shapes.
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "artefact/nft/ruleset.h"
#include "artefact/nft/tokens.h"

namespace polecat::nft {

namespace {

struct Failure {
    std::string message;
};

class Parser {
  public:
    explicit Parser(std::string_view text) : tokens_(tokenize(text)) {}

    Ruleset run() {
        Ruleset out;
        skip_lines();
        open_table(out);
        skip_lines();
        if (take("}")) { // "table inet NAME {}" and "delete table inet NAME" come first
            skip_lines();
            expect("delete");
            for (const char* word : {"table", "inet"})
                expect(word);
            expect(out.table);
            expect("\n");
            open_table(out);
        }
        for (;;) {
            skip_lines();
            if (take("}"))
                break;
            if (take("chain"))
                out.chains.push_back(chain());
            else if (take("map"))
                out.maps.push_back(map(false));
            else if (take("set"))
                out.maps.push_back(map(true));
            else
                fail("a map, a set or a chain");
        }
        skip_lines();
        if (at_ != tokens_.size())
            fail("the end");
        out.sort();
        return out;
    }

  private:
    void open_table(Ruleset& out) {
        expect("table");
        expect("inet");
        out.table = next();
        expect("{");
    }
    [[noreturn]] void fail(const std::string& expected) const {
        const bool end = at_ >= tokens_.size();
        throw Failure{fmt::format("line {}: expected {}, found `{}`", end ? 0 : tokens_[at_].line,
                                  expected, end ? "the end" : tokens_[at_].text)};
    }
    bool is(std::string_view text) const {
        return at_ < tokens_.size() && !tokens_[at_].quoted && tokens_[at_].text == text;
    }
    bool take(std::string_view text) {
        if (!is(text))
            return false;
        ++at_;
        return true;
    }
    void expect(std::string_view text) {
        if (!take(text))
            fail(fmt::format("`{}`", text));
    }
    /// Whether the first of the two words stands here; anything but them is an error.
    bool one_of(std::string_view first, std::string_view second) {
        if (take(first))
            return true;
        expect(second);
        return false;
    }
    std::string next() {
        if (at_ >= tokens_.size() || tokens_[at_].text == "\n")
            fail("more of this line");
        return tokens_[at_++].text;
    }
    void skip_lines() {
        while (is("\n"))
            ++at_;
    }

    std::uint64_t number(std::string_view text, int base = 10) const {
        std::uint64_t value = 0;
        if (base == 16 && text.starts_with("0x"))
            text.remove_prefix(2);
        const auto [end, failure] =
            std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (failure != std::errc{} || end != text.data() + text.size())
            fail("a number");
        return value;
    }
    /// A number that its type can hold.
    template <class T> T small_number() {
        const std::uint64_t value = number(next());
        if (value > std::numeric_limits<T>::max())
            fail("a smaller number");
        return static_cast<T>(value);
    }
    std::uint32_t mark() { return static_cast<std::uint32_t>(number(next(), 16)); }

    net::Address address(std::string_view text) const {
        const auto parsed = net::parse_address(text);
        if (!parsed)
            fail("an address");
        return *parsed;
    }

    KeyType key_type() {
        const std::string first = next();
        if (first == "mark")
            return KeyType::Mark;
        if (first == "ipv4_addr")
            return KeyType::Ipv4;
        if (first == "ipv6_addr")
            return KeyType::Ipv6;
        if (first == "inet_proto")
            return KeyType::Protocol;
        if (first == "inet_service")
            return KeyType::Port;
        if (first != "ifname")
            fail("a type of key");
        expect(".");
        return one_of("ipv4_addr", "ipv6_addr") ? KeyType::InterfaceIpv4 : KeyType::InterfaceIpv6;
    }

    Key key(KeyType type) {
        Key out;
        if (type == KeyType::InterfaceIpv4 || type == KeyType::InterfaceIpv6) {
            out.interface = next();
            expect(".");
            out.first = out.last = address(next());
            return out;
        }
        const std::string text = next();
        if (type == KeyType::Mark) {
            out.low = out.high = static_cast<std::uint32_t>(number(text, 16));
            return out;
        }
        const std::size_t dash = text.find('-');
        const std::string_view first = std::string_view(text).substr(0, dash);
        const std::string_view last =
            dash == std::string::npos ? first : std::string_view(text).substr(dash + 1);
        if (type == KeyType::Ipv4 || type == KeyType::Ipv6) {
            address_range(first, last, out);
        } else {
            out.low = static_cast<std::uint32_t>(number(first));
            out.high = static_cast<std::uint32_t>(number(last));
        }
        return out;
    }

    /// The kernel's listing writes some ranges as prefixes.
    void address_range(std::string_view first, std::string_view last, Key& out) const {
        if (const auto cidr = net::parse_cidr(first, net::CidrForm::OrAddress)) {
            out.first = cidr->first();
            out.last = first == last ? cidr->last() : address(last);
            return;
        }
        fail("an address");
    }

    Map map(bool is_set) {
        Map out;
        out.kind = is_set ? Map::Kind::Set : Map::Kind::Marks;
        out.name = next();
        expect("{");
        for (;;) {
            while (take("\n") || take(";")) {
            }
            if (take("}"))
                return out;
            if (take("type")) {
                out.key = key_type();
                if (take(":"))
                    out.kind = one_of("verdict", "mark") ? Map::Kind::Verdicts : Map::Kind::Marks;
            } else if (take("flags")) {
                expect("interval");
                out.interval = true;
            } else {
                expect("elements");
                expect("=");
                expect("{");
                elements(out);
            }
        }
    }

    void elements(Map& out) {
        do {
            skip_lines();
            Element element;
            element.key = key(out.key);
            if (take(":")) {
                if (out.kind == Map::Kind::Verdicts) {
                    expect("goto");
                    element.value = Goto{next()};
                } else {
                    element.value = mark();
                }
            }
            out.elements.push_back(std::move(element));
            skip_lines();
        } while (take(","));
        expect("}");
    }

    Chain chain() {
        Chain out;
        out.name = next();
        expect("{");
        for (;;) {
            skip_lines();
            if (take("}"))
                return out;
            if (take("type")) {
                expect("filter");
                expect("hook");
                out.hook = next();
                expect("priority");
                out.priority = static_cast<int>(number(next()));
                for (const char* rest : {";", "policy", "accept", ";"})
                    expect(rest);
            } else {
                out.rules.push_back(rule());
            }
        }
    }

    Rule rule() {
        Rule out;
        while (!is("\n") && !is("}")) {
            if (take("comment"))
                out.comment = next();
            else
                part(out);
        }
        return out;
    }

    std::string set_name() {
        const std::string text = next();
        if (text.size() < 2 || text[0] != '@')
            fail("@ and the name of a map");
        return text.substr(1);
    }

    void part(Rule& out) {
        const auto verdict = [&](Verdict::Kind kind, std::string chain = {}) {
            out.statements.emplace_back(Verdict{kind, std::move(chain)});
        };
        if (is("iifname") || is("oifname"))
            interface(out);
        else if (take("meta"))
            meta(out);
        else if (take("ct"))
            conntrack(out);
        else if (is("icmp") || is("icmpv6"))
            icmp(out);
        else if (take("udp")) {
            expect("dport");
            out.matches.emplace_back(PacketIs{net::kUdp, small_number<std::uint16_t>()});
        } else if (take("th"))
            port(out);
        else if (take("counter"))
            counter(out);
        else if (take("log")) {
            expect("prefix");
            out.statements.emplace_back(Log{next()});
        } else if (take("accept"))
            verdict(Verdict::Kind::Accept);
        else if (take("drop"))
            verdict(Verdict::Kind::Drop);
        else if (take("return"))
            verdict(Verdict::Kind::Return);
        else if (take("jump"))
            verdict(Verdict::Kind::Jump, next());
        else if (take("goto"))
            verdict(Verdict::Kind::Goto, next());
        else
            fail("a part of a rule");
    }

    AddressField address_field() {
        AddressField out;
        out.family = one_of("ip6", "ip") ? net::Family::V6 : net::Family::V4;
        out.source = one_of("saddr", "daddr");
        return out;
    }

    void interface(Rule& out) {
        const bool incoming = next() == "iifname";
        if (!take(".")) {
            const bool negated = take("!=");
            out.matches.emplace_back(InterfaceIs{incoming, negated, next()});
            return;
        }
        const AddressField field = address_field();
        if (take("vmap"))
            out.statements.emplace_back(JumpByPair{incoming, field, set_name()});
        else
            out.matches.emplace_back(PairIn{incoming, field, set_name()});
    }

    MarkIs mark_is(bool conntrack) {
        MarkIs out;
        out.conntrack = conntrack;
        if (take("&")) {
            out.mask = mark();
            expect("==");
        }
        out.value = mark();
        return out;
    }

    void meta(Rule& out) {
        if (take("l4proto")) {
            if (!is("vmap")) {
                out.matches.emplace_back(PacketIs{small_number<net::Protocol>(), std::nullopt});
                return;
            }
            expect("vmap");
            out.statements.emplace_back(JumpByProtocol{set_name()});
            return;
        }
        expect("mark");
        if (take("vmap")) {
            out.statements.emplace_back(JumpByMark{set_name()});
        } else if (!take("set")) {
            out.matches.emplace_back(mark_is(false));
        } else if (take("meta")) {
            expect("mark");
            if (take("|"))
                out.statements.emplace_back(OrMark{mark()});
            else {
                expect("map");
                out.statements.emplace_back(MarkByMark{set_name()});
            }
        } else if (is("ip") || is("ip6")) {
            const AddressField field = address_field();
            expect("map");
            out.statements.emplace_back(MarkByAddress{field, set_name()});
        } else {
            out.statements.emplace_back(SetMark{mark()});
        }
    }

    void conntrack(Rule& out) {
        if (take("state")) {
            StateIn state;
            do
                state.bits.push_back(static_cast<unsigned>(number(next(), 16)));
            while (take(","));
            out.matches.emplace_back(std::move(state));
        } else if (take("direction")) {
            out.matches.emplace_back(DirectionIs{one_of("1", "0")});
        } else {
            expect("mark");
            if (!take("set")) {
                out.matches.emplace_back(mark_is(true));
                return;
            }
            for (const char* word : {"ct", "mark", "&"})
                expect(word);
            const std::uint32_t keep = mark();
            expect("|");
            const std::uint32_t bits = mark();
            out.statements.emplace_back(SetFlowMark{keep & ~bits, bits});
        }
    }

    void icmp(Rule& out) {
        IcmpTypeIn match;
        match.v6 = next() == "icmpv6";
        expect("type");
        const auto type = [&] { match.types.push_back(small_number<std::uint8_t>()); };
        if (take("{")) {
            do
                type();
            while (take(","));
            expect("}");
        } else {
            type();
        }
        out.matches.emplace_back(std::move(match));
    }

    void port(Rule& out) {
        const bool source = one_of("sport", "dport");
        expect("vmap");
        out.statements.emplace_back(JumpByPort{source, set_name()});
    }

    void counter(Rule& out) {
        Counter counter;
        expect("packets");
        counter.packets = number(next());
        expect("bytes");
        counter.bytes = number(next());
        out.statements.emplace_back(counter);
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

} // namespace

Result<Ruleset> parse(std::string_view text) {
    try {
        return Parser(text).run();
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::nft
