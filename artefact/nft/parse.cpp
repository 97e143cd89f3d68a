// Reads the text of a ruleset, ours or the kernel's listing.
#include "artefact/nft/words.h"

namespace polecat::nft {

namespace {

class Parser {
  public:
    explicit Parser(std::string_view text) : words_(text) {}

    Ruleset run() {
        Ruleset out;
        words_.skip_lines();
        if (words_.take("delete")) { // "delete element inet NAME_generations free { $generation }"
            for (const char* word : {"element", "inet"})
                words_.expect(word);
            words_.next();
            for (const char* word : {"free", "{", "$generation", "}", "\n"})
                words_.expect(word);
        }
        open_table(out);
        words_.skip_lines();
        if (words_.take("}")) { // "table inet NAME {}" and "delete table inet NAME" come first
            words_.skip_lines();
            words_.expect("delete");
            for (const char* word : {"table", "inet"})
                words_.expect(word);
            words_.expect(out.table);
            words_.expect("\n");
            open_table(out);
        }
        for (;;) {
            words_.skip_lines();
            if (words_.take("}"))
                break;
            if (words_.take("chain"))
                out.chains.push_back(chain());
            else if (words_.take("map"))
                out.maps.push_back(map(false));
            else if (words_.take("set"))
                out.maps.push_back(map(true));
            else
                words_.fail("a map, a set or a chain");
        }
        words_.skip_lines();
        if (!words_.at_end())
            words_.fail("the end");
        out.sort();
        return out;
    }

  private:
    void open_table(Ruleset& out) {
        words_.expect("table");
        words_.expect("inet");
        out.table = words_.next();
        words_.expect("{");
    }
    net::Address address(std::string_view text) const {
        const auto parsed = net::parse_address(text);
        if (!parsed)
            words_.fail("an address");
        return *parsed;
    }

    KeyType key_type() {
        const std::string first = words_.next();
        if (first == "classid")
            return KeyType::Word;
        if (first == "ipv4_addr")
            return KeyType::Ipv4;
        if (first == "ipv6_addr")
            return KeyType::Ipv6;
        if (first == "inet_proto")
            return KeyType::Protocol;
        if (first == "inet_service")
            return KeyType::Port;
        if (first != "ifname")
            words_.fail("a type of key");
        if (!words_.take("."))
            return KeyType::Interface;
        return words_.one_of("ipv4_addr", "ipv6_addr") ? KeyType::InterfaceIpv4
                                                       : KeyType::InterfaceIpv6;
    }

    Key key(KeyType type) {
        Key out;
        if (type == KeyType::Word) {
            out.low = out.high = words_.word();
            return out;
        }
        const bool pair = type == KeyType::InterfaceIpv4 || type == KeyType::InterfaceIpv6;
        if (pair || type == KeyType::Interface)
            out.interface = words_.next();
        if (type == KeyType::Interface)
            return out;
        if (pair)
            words_.expect(".");
        const std::string text = words_.next();
        const std::size_t dash = text.find('-');
        const std::string_view first = std::string_view(text).substr(0, dash);
        const std::string_view last =
            dash == std::string::npos ? first : std::string_view(text).substr(dash + 1);
        if (pair || type == KeyType::Ipv4 || type == KeyType::Ipv6) {
            address_range(first, last, out);
        } else {
            out.low = words_.small_number<std::uint32_t>(first);
            out.high = words_.small_number<std::uint32_t>(last);
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
        words_.fail("an address");
    }

    Map map(bool is_set) {
        Map out;
        out.kind = is_set ? Map::Kind::Set : Map::Kind::Words;
        out.name = words_.next();
        words_.expect("{");
        for (;;) {
            while (words_.take("\n") || words_.take(";")) {
            }
            if (words_.take("}"))
                return out;
            if (words_.take("type")) {
                out.key = key_type();
                if (words_.take(":"))
                    out.kind = words_.one_of("verdict", "classid") ? Map::Kind::Verdicts
                                                                   : Map::Kind::Words;
            } else if (words_.take("flags")) {
                words_.expect("interval");
                out.interval = true;
            } else {
                words_.expect("elements");
                words_.expect("=");
                words_.expect("{");
                elements(out);
            }
        }
    }

    void elements(Map& out) {
        do {
            words_.skip_lines();
            Element element;
            element.key = key(out.key);
            if (words_.take(":")) {
                if (out.kind == Map::Kind::Verdicts) {
                    words_.expect("goto");
                    element.value = Goto{words_.next()};
                } else {
                    element.value = words_.word();
                }
            }
            out.elements.push_back(std::move(element));
            words_.skip_lines();
        } while (words_.take(","));
        words_.expect("}");
    }

    /// Numbers below 0 as well.
    int priority() {
        const std::string text = words_.next();
        const bool negative = text.starts_with("-");
        const auto number =
            static_cast<int>(words_.number(std::string_view(text).substr(negative ? 1 : 0)));
        return negative ? -number : number;
    }

    Chain chain() {
        Chain out;
        out.name = words_.next();
        words_.expect("{");
        for (;;) {
            words_.skip_lines();
            if (words_.take("}"))
                return out;
            if (words_.take("type")) {
                words_.expect("filter");
                words_.expect("hook");
                out.hook = words_.next();
                words_.expect("priority");
                out.priority = priority();
                for (const char* rest : {";", "policy", "accept", ";"})
                    words_.expect(rest);
            } else {
                out.rules.push_back(read_rule(words_));
            }
        }
    }

    Words words_;
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
