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
        else if (words_.take("udp")) {
            words_.expect("dport");
            out.matches.emplace_back(PacketIs{net::kUdp, words_.small_number<std::uint16_t>()});
        } else if (words_.take("th"))
            port(out);
        else if (words_.take("counter"))
            counter(out);
        else if (words_.take("log")) {
            words_.expect("prefix");
            out.statements.emplace_back(Log{words_.next()});
        } else if (words_.take("accept"))
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

    void mark_is(bool conntrack, Rule& to) {
        MarkIs out;
        out.conntrack = conntrack;
        if (words_.take("&")) {
            out.mask = words_.mark();
            if (!conntrack && words_.take("vmap")) {
                to.statements.emplace_back(JumpByMark{set_name(), out.mask});
                return;
            }
            words_.expect("==");
        }
        out.value = flow_bits(out.generation);
        to.matches.emplace_back(out);
    }

    void meta(Rule& out) {
        if (words_.take("l4proto")) {
            if (!words_.is("vmap")) {
                out.matches.emplace_back(
                    PacketIs{words_.small_number<net::Protocol>(), std::nullopt});
                return;
            }
            words_.expect("vmap");
            out.statements.emplace_back(JumpByProtocol{set_name()});
            return;
        }
        words_.expect("mark");
        if (words_.take("vmap")) {
            out.statements.emplace_back(JumpByMark{set_name(), ~0u});
        } else if (!words_.take("set")) {
            mark_is(false, out);
        } else if (words_.take("meta")) {
            words_.expect("mark");
            if (words_.take("|"))
                out.statements.emplace_back(OrMark{words_.mark()});
            else {
                const std::uint32_t mask = words_.take("&") ? words_.mark() : ~0u;
                words_.expect("map");
                out.statements.emplace_back(MarkByMark{set_name(), mask});
            }
        } else if (words_.is("iifname") || words_.is("oifname")) {
            const bool incoming = words_.next() == "iifname";
            words_.expect(".");
            const AddressField field = address_field();
            words_.expect("map");
            out.statements.emplace_back(MarkByPair{incoming, field, set_name()});
        } else if (words_.is("ip") || words_.is("ip6")) {
            const AddressField field = address_field();
            words_.expect("map");
            out.statements.emplace_back(MarkByAddress{field, set_name()});
        } else {
            out.statements.emplace_back(SetMark{words_.mark()});
        }
    }

    void conntrack(Rule& out) {
        if (words_.take("state")) {
            StateIn state;
            do
                state.bits.push_back(static_cast<unsigned>(words_.number(words_.next(), 16)));
            while (words_.take(","));
            out.matches.emplace_back(std::move(state));
        } else if (words_.take("direction")) {
            out.matches.emplace_back(DirectionIs{words_.one_of("1", "0")});
        } else {
            words_.expect("mark");
            if (!words_.take("set")) {
                mark_is(true, out);
                return;
            }
            for (const char* word : {"ct", "mark", "&"})
                words_.expect(word);
            const std::uint32_t keep = words_.mark();
            words_.expect("|");
            bool generation = false;
            std::uint32_t bits = 0;
            if (words_.take("($generation")) {
                generation = true;
                words_.expect("|");
                bits = static_cast<std::uint32_t>(words_.number(words_.before(")"), 16));
            } else {
                bits = flow_bits(generation);
            }
            out.statements.emplace_back(SetFlowMark{keep & ~bits, bits, generation});
        }
    }

    void icmp(Rule& out) {
        IcmpTypeIn match;
        match.v6 = words_.next() == "icmpv6";
        words_.expect("type");
        const auto type = [&] { match.types.push_back(words_.small_number<std::uint8_t>()); };
        if (words_.take("{")) {
            do
                type();
            while (words_.take(","));
            words_.expect("}");
        } else {
            type();
        }
        out.matches.emplace_back(std::move(match));
    }

    void port(Rule& out) {
        const bool source = words_.one_of("sport", "dport");
        words_.expect("vmap");
        out.statements.emplace_back(JumpByPort{source, set_name()});
    }

    void counter(Rule& out) {
        Counter counter;
        words_.expect("packets");
        counter.packets = words_.number(words_.next());
        words_.expect("bytes");
        counter.bytes = words_.number(words_.next());
        out.statements.emplace_back(counter);
    }

    Words& words_;
};

} // namespace

Rule read_rule(Words& words) {
    return RuleReader(words).run();
}

} // namespace polecat::nft
