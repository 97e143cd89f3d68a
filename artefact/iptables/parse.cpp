// Reads the text of iptables-restore, ours or the kernel's listing. A word that is not known is an
// error: what is not understood may change what a rule means.
#include <map>

#include "artefact/iptables/lines.h"
#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

namespace {

FlowMark mark_of(Line& line) {
    std::string text = line.next();
    const std::string mask = "/0x1fff0000";
    if (text.size() <= mask.size() || !text.ends_with(mask) || !text.starts_with("0x"))
        line.fail("a conntrack mark with mask 0x1fff0000");
    text = text.substr(2, text.size() - mask.size() - 2);
    FlowMark out;
    if (text == "0@G@0000" || text == "1@G@0000") {
        out.denied = text.front() == '1';
        return out;
    }
    const std::uint64_t value = line.number(text, 0x1fffffff, 16);
    if ((value & 0xffff) != 0)
        line.fail("a conntrack mark of bits 16 to 28");
    out.denied = (value & 0x10000000) != 0;
    out.generation = static_cast<std::uint16_t>(value >> 16 & 0xfff);
    if (*out.generation == 0) // flows that nobody judged have it
        line.fail("a generation from 1 to 4095");
    return out;
}

std::vector<net::PortRange> ports_of(Line& line) {
    std::vector<net::PortRange> out;
    std::size_t slots = 0;
    for (const std::string& each : line.split(line.next(), ',')) {
        const std::size_t colon = each.find(':');
        const auto first = static_cast<std::uint16_t>(line.number(each.substr(0, colon), 65535));
        auto last = first;
        if (colon != std::string::npos)
            last = static_cast<std::uint16_t>(line.number(each.substr(colon + 1), 65535));
        if (last < first)
            line.fail("a range of ports");
        slots += first == last ? 1 : 2;
        out.push_back({first, last});
    }
    if (slots > kMostPorts)
        line.fail("at most 15 ports");
    return out;
}

FlowState state_of(Line& line) {
    FlowState out;
    for (const std::string& each : line.split(line.next(), ',')) {
        bool* const place = each == "INVALID"       ? &out.invalid
                            : each == "RELATED"     ? &out.related
                            : each == "ESTABLISHED" ? &out.established
                                                    : nullptr;
        if (place == nullptr)
            line.fail("a state of conntrack");
        *place = true;
    }
    return out;
}

IcmpIs icmp_of(Line& line, bool negated, bool v6) {
    const auto parts = line.split(line.next(), '/');
    IcmpIs out{negated, v6, static_cast<std::uint8_t>(line.number(parts.front(), 255)), {}};
    if (parts.size() > 2)
        line.fail("a type and a code");
    if (parts.size() == 2)
        out.code = static_cast<std::uint8_t>(line.number(parts[1], 255));
    return out;
}

InSet set_of(Line& line, bool negated) {
    InSet out{negated, line.next(), false, false};
    const std::string ends = line.next();
    out.source = ends.starts_with("src");
    out.pair = ends.find(',') != std::string::npos;
    if (ends != "src" && ends != "dst" && ends != "src,src" && ends != "dst,dst")
        line.fail("src or dst");
    return out;
}

net::Protocol protocol_in(Line& line) {
    const auto protocol = protocol_of(line.next());
    if (!protocol || *protocol == 0) // 0 would be any
        line.fail("a protocol");
    return *protocol;
}

class RuleReader {
  public:
    explicit RuleReader(Line& line) : line_(line) {}

    Rule run() {
        while (!line_.at_end() && !done_) {
            const bool negated = line_.take("!");
            const std::string word = line_.next();
            if (!read_match(word, negated) && (negated || !read_other(word)))
                line_.fail("a match or a target that is known");
        }
        if (!done_ || !line_.at_end())
            line_.fail("a target at the end");
        return std::move(rule_);
    }

  private:
    /// Those that may be negated.
    bool read_match(const std::string& word, bool negated) {
        auto& to = rule_.matches;
        if (word == "-p")
            to.emplace_back(ProtocolIs{negated, protocol_in(line_)});
        else if (word == "--sports" || word == "--dports")
            to.emplace_back(PortIn{negated, word == "--sports", ports_of(line_)});
        else if (word == "--icmp-type" || word == "--icmpv6-type")
            to.emplace_back(icmp_of(line_, negated, word == "--icmpv6-type"));
        else if (word == "--match-set")
            to.emplace_back(set_of(line_, negated));
        else if (word == "--ctproto" && negated)
            to.emplace_back(NotFlowProtocol{protocol_in(line_)});
        else
            return false;
        return true;
    }

    bool read_other(const std::string& word) {
        auto& to = rule_.matches;
        if (word == "-i" || word == "-o")
            to.emplace_back(InterfaceIs{word == "-i", line_.next()});
        else if (word == "-m")
            line_.one_of(
                {"multiport", "icmp", "icmp6", "set", "conntrack", "connmark", "comment", "bpf"});
        else if (word == "--ctstate")
            to.emplace_back(state_of(line_));
        else if (word == "--ctdir") {
            line_.one_of({"REPLY"});
            to.emplace_back(IsReply{});
        } else if (word == "--mark")
            to.emplace_back(FlowMarkIs{mark_of(line_)});
        else if (word == "--object-pinned")
            to.emplace_back(PinnedSays{line_.next()});
        else if (word == "--comment")
            rule_.comment = line_.next();
        else if (word == "-g")
            finish(Target::Kind::Goto, line_.next());
        else if (word == "-j")
            read_target(line_.next());
        else
            return false;
        return true;
    }

    void read_target(const std::string& name) {
        if (name == "ACCEPT")
            finish(Target::Kind::Accept);
        else if (name == "DROP")
            finish(Target::Kind::Drop);
        else if (name == "RETURN")
            finish(Target::Kind::Return);
        else if (name == "LOG") {
            line_.one_of({"--log-prefix"});
            finish(Target::Kind::Log, line_.next());
        } else if (name == "CONNMARK") {
            line_.one_of({"--set-xmark"});
            finish(Target::Kind::SetFlowMark);
            rule_.target.mark = mark_of(line_);
        } else
            finish(Target::Kind::Jump, name);
    }

    void finish(Target::Kind kind, std::string name = {}) {
        const bool to_chain = kind == Target::Kind::Jump || kind == Target::Kind::Goto;
        if (to_chain && !name.starts_with(kPrefix))
            line_.fail("a chain of ours");
        rule_.target = {kind, std::move(name), {}};
        done_ = true;
    }

    Line& line_;
    Rule rule_;
    bool done_ = false;
};

class TableReader {
  public:
    explicit TableReader(std::string_view text) : lines_(text) {}

    Table run() {
        while (lines_.next()) {
            Line line = lines_.line();
            const std::string word = line.next();
            if (word == "*filter" && !open_)
                open_ = true;
            else if (word == "COMMIT" && open_)
                closed_ = true;
            else if (!open_ || closed_)
                line.fail("one table, filter");
            else if (word.starts_with(':'))
                declare(line, word.substr(1));
            else if (word == "-A")
                add(line);
            else
                line.fail("a chain or a rule");
        }
        if (!closed_)
            throw Failure{"COMMIT is missing: the text is cut off"};
        Ruleset sorted;
        for (auto& [name, chain] : chains_)
            sorted.v4.chains.push_back(std::move(chain));
        return std::move(sorted.v4);
    }

  private:
    void declare(Line& line, const std::string& name) {
        if (!name.starts_with(kPrefix))
            return;
        if (name.size() > 28)
            line.fail("a name of at most 28 characters");
        if (!chains_.emplace(name, Chain{name, {}}).second)
            line.fail("a chain that is not there yet");
    }

    void add(Line& line) {
        const std::string name = line.next();
        if (!name.starts_with(kPrefix))
            return;
        const auto chain = chains_.find(name);
        if (chain == chains_.end())
            line.fail("a chain that was declared");
        chain->second.rules.push_back(RuleReader(line).run());
    }

    Lines lines_;
    std::map<std::string, Chain> chains_;
    bool open_ = false, closed_ = false;
};

} // namespace

Result<Table> parse_table(std::string_view text) {
    try {
        return TableReader(text).run();
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::iptables
