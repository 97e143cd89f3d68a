// Rules from their text: the closed list of shapes.
#include "artefact/nft/words.h"

namespace polecat::nft {

namespace {

class RuleReader {
  public:
    explicit RuleReader(Words& words) : words_(words) {}

    Rule run() {
        Rule out;
        while (!words_.is("\n") && !words_.is("}")) {
            if (words_.take("comment"))
                out.comment = words_.next();
            else
                part(out);
        }
        return out;
    }

  private:
    std::string set_name() {
        const std::string text = words_.next();
        if (text.size() < 2 || text[0] != '@')
            words_.fail("@ and the name of a map");
        return text.substr(1);
    }

    void part(Rule& out) {
        const auto verdict = [&](Verdict::Kind kind, std::string chain = {}) {
            out.statements.emplace_back(Verdict{kind, std::move(chain)});
        };
        if (words_.is("iifname") || words_.is("oifname"))
            interface(out);
        else if (words_.take("meta"))
            meta(out);
        else if (words_.take("ct"))
            conntrack(out);
        else if (words_.is("icmp") || words_.is("icmpv6"))
            icmp(out);
        else if (words_.is("ip") || words_.is("ip6"))
            address(out);
        else if (words_.is("tcp") || words_.is("udp") || words_.is("sctp"))
            port_is(out);
        else if (words_.take("th"))
            port(out);
        else if (words_.take("counter"))
            counter(out);
        else if (words_.is("limit") || words_.is("log"))
            log(out);
        else if (words_.take("notrack"))
            out.statements.emplace_back(NoTrack{});
        else if (words_.take("reject"))
            verdict(Verdict::Kind::Reject);
        else if (words_.take("accept"))
            verdict(Verdict::Kind::Accept);
        else if (words_.take("drop"))
            verdict(Verdict::Kind::Drop);
        else if (words_.take("return"))
            verdict(Verdict::Kind::Return);
        else if (words_.take("jump"))
            verdict(Verdict::Kind::Jump, words_.next());
        else if (words_.take("goto"))
            verdict(Verdict::Kind::Goto, words_.next());
        else
            words_.fail("a part of a rule");
    }

    AddressField address_field() {
        AddressField out;
        out.family = words_.one_of("ip6", "ip") ? net::Family::V6 : net::Family::V4;
        out.source = words_.one_of("saddr", "daddr");
        return out;
    }

    void interface(Rule& out) {
        const bool incoming = words_.next() == "iifname";
        if (words_.take("vmap")) {
            out.statements.emplace_back(JumpByInterface{incoming, set_name()});
            return;
        }
        if (!words_.take(".")) {
            const bool negated = words_.take("!=");
            out.matches.emplace_back(InterfaceIs{incoming, negated, words_.next()});
            return;
        }
        const AddressField field = address_field();
        out.matches.emplace_back(PairIn{incoming, field, set_name()});
    }

    /// "0x00000001", "$generation" or "$generation | 0x00000001".
    std::uint32_t flow_bits(bool& generation) {
        generation = words_.take("$generation");
        return !generation || words_.take("|") ? words_.mark() : 0;
    }

    void flow_mark_is(Rule& to) {
        FlowMarkIs out;
        words_.expect("&");
        out.mask = words_.mark();
        out.negated = words_.one_of("!=", "==");
        out.value = flow_bits(out.generation);
        to.matches.emplace_back(out);
    }

    void set_flow_mark(Rule& to) {
        SetFlowMark out;
        for (const char* word : {"ct", "mark"})
            words_.expect(word);
        const std::uint32_t keep = words_.take("&") ? words_.mark() : ~0u;
        if (words_.take("|")) {
            if (words_.take("($generation")) {
                out.generation = true;
                words_.expect("|");
                out.bits = words_.small_number<std::uint32_t>(words_.before(")"), 16);
            } else {
                out.bits = flow_bits(out.generation);
            }
        }
        out.keep = keep & ~out.bits;
        to.statements.emplace_back(out);
    }

    void word_is(Rule& to) {
        WordIs out;
        if (words_.take("&")) {
            out.mask = words_.word();
            if (words_.take("vmap")) {
                to.statements.emplace_back(JumpByWord{set_name(), out.mask});
                return;
            }
            words_.expect("==");
        }
        out.value = words_.word();
        to.matches.emplace_back(out);
    }

    void meta(Rule& out) {
        if (words_.take("l4proto")) {
            if (words_.take("vmap"))
                out.statements.emplace_back(JumpByProtocol{set_name()});
            else
                out.matches.emplace_back(ProtocolIs{words_.small_number<net::Protocol>()});
        } else if (words_.take("nfproto")) {
            out.matches.emplace_back(
                FamilyIs{words_.one_of("2", "10") ? net::Family::V4 : net::Family::V6});
        } else {
            words_.expect("priority");
            if (words_.take("vmap"))
                out.statements.emplace_back(JumpByWord{set_name(), ~0u});
            else if (words_.take("set"))
                set_word(out);
            else
                word_is(out);
        }
    }

    void set_word(Rule& out) {
        if (words_.take("meta")) {
            words_.expect("priority");
            if (words_.take("|")) {
                out.statements.emplace_back(OrWord{words_.word()});
                return;
            }
            const std::uint32_t mask = words_.take("&") ? words_.word() : ~0u;
            words_.expect("map");
            out.statements.emplace_back(WordByWord{set_name(), mask});
        } else if (words_.is("iifname") || words_.is("oifname")) {
            const bool incoming = words_.next() == "iifname";
            words_.expect(".");
            const AddressField field = address_field();
            words_.expect("map");
            out.statements.emplace_back(WordByPair{incoming, field, set_name()});
        } else if (words_.is("ip") || words_.is("ip6")) {
            const AddressField field = address_field();
            words_.expect("map");
            out.statements.emplace_back(WordByAddress{field, set_name()});
        } else {
            out.statements.emplace_back(SetWord{words_.word()});
        }
    }

    void conntrack(Rule& out) {
        if (words_.take("state")) {
            StateIn state;
            do
                state.bits.push_back(words_.small_number<unsigned>(words_.next(), 16));
            while (words_.take(","));
            out.matches.emplace_back(std::move(state));
        } else if (words_.take("direction")) {
            out.matches.emplace_back(DirectionIs{words_.one_of("1", "0")});
        } else {
            words_.expect("mark");
            if (words_.take("set"))
                set_flow_mark(out);
            else
                flow_mark_is(out);
        }
    }

    /// A number, or several in braces.
    template <class Add> void numbers(const Add& add) {
        if (!words_.take("{"))
            return add();
        do
            add();
        while (words_.take(","));
        words_.expect("}");
    }

    /// "ip saddr 10.0.0.0/8", "ip dscp 0x02".
    void address(Rule& out) {
        AddressField field;
        field.family = words_.one_of("ip6", "ip") ? net::Family::V6 : net::Family::V4;
        if (field.family == net::Family::V4 && words_.take("dscp")) {
            DscpIn match;
            numbers([&] {
                match.values.push_back(words_.small_number<std::uint8_t>(words_.next(), 16));
            });
            out.matches.emplace_back(std::move(match));
            return;
        }
        field.source = words_.one_of("saddr", "daddr");
        const std::string text = words_.next();
        if (text.starts_with("@")) {
            out.matches.emplace_back(AddressIn{field, text.substr(1)});
            return;
        }
        const auto cidr = net::parse_cidr(text, net::CidrForm::OrAddress);
        if (!cidr || cidr->family() != field.family)
            words_.fail("an address");
        out.matches.emplace_back(AddressIs{field, *cidr});
    }

    void port_is(Rule& out) {
        PortIs match;
        match.protocol = *net::protocol_by_name(words_.next());
        match.source = words_.one_of("sport", "dport");
        match.port = words_.small_number<std::uint16_t>();
        out.matches.emplace_back(match);
    }

    void log(Rule& out) {
        Log log;
        if (words_.take("limit")) {
            words_.expect("rate");
            const std::string text = words_.next();
            const std::size_t slash = text.find('/');
            if (slash == std::string::npos)
                words_.fail("a rate");
            log.at_most = Rate{};
            log.at_most->packets = words_.small_number<std::uint32_t>(text.substr(0, slash));
            log.at_most->unit = text.substr(slash + 1);
            if (words_.take("burst")) {
                log.at_most->burst = words_.small_number<std::uint32_t>(words_.next());
                words_.expect("packets");
            }
        }
        words_.expect("log");
        words_.expect("prefix");
        log.prefix = words_.next();
        if (words_.take("group"))
            log.group = words_.small_number<std::uint16_t>();
        out.statements.emplace_back(std::move(log));
    }

    void icmp(Rule& out) {
        IcmpTypeIn match;
        match.v6 = words_.next() == "icmpv6";
        words_.expect("type");
        numbers([&] { match.types.push_back(words_.small_number<std::uint8_t>()); });
        out.matches.emplace_back(std::move(match));
    }

    void port(Rule& out) {
        const bool source = words_.one_of("sport", "dport");
        words_.expect("vmap");
        out.statements.emplace_back(JumpByPort{source, set_name()});
    }

    void counter(Rule& out) {
        Counter counter;
        if (words_.take("packets")) {
            counter.packets = words_.number(words_.next());
            words_.expect("bytes");
            counter.bytes = words_.number(words_.next());
        }
        out.statements.emplace_back(counter);
    }

    Words& words_;
};

} // namespace

Rule read_rule(Words& words) {
    return RuleReader(words).run();
}

} // namespace polecat::nft
