// Reads the text of iptables-restore, ours or the kernel's listing. A word that is not known is an
// error: what is not understood may change what a rule means.
#include <map>
#include <set>
#include <utility>

#include "artefact/iptables/lines.h"
#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

namespace {

/// One of the bits, on or off.
std::optional<std::pair<FlowBit, bool>> bit_in(const std::string& text) {
    for (const auto& [bit, mask] : {std::pair<FlowBit, std::string>{FlowBit::Early, "0x80000000"},
                                    {FlowBit::Leaving, "0x40000000"},
                                    {FlowBit::EarlyNext, "0x20000000"}}) {
        if (text == mask + "/" + mask)
            return std::pair(bit, true);
        if (text == "0x0/" + mask)
            return std::pair(bit, false);
    }
    return std::nullopt;
}

FlowMark mark_of(Line& line, std::string text) {
    const std::string mask = "/0x5fff0000";
    if (text.size() <= mask.size() || !text.ends_with(mask) || !text.starts_with("0x"))
        line.fail("a conntrack mark with mask 0x5fff0000");
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
                            : each == "UNTRACKED"   ? &out.untracked
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

AddressIs address_of(Line& line, bool source) {
    const auto nets = net::parse_cidr(line.next(), net::CidrForm::Strict);
    if (!nets || nets->prefix == 0)
        line.fail("a block of addresses");
    return {source, *nets};
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
    /// An option belongs to the extension that was named last.
    void of(std::string_view extension) {
        if (extension_ != extension)
            line_.fail("-m " + std::string(extension) + " before its options");
        is_used_ = true;
    }
    void name_extension() {
        if (!is_used_)
            line_.fail("an option of " + extension_);
        extension_ = line_.one_of(
            {"multiport", "icmp", "icmp6", "set", "conntrack", "connmark", "comment", "bpf"});
        is_used_ = false;
    }

    /// Those that may be negated.
    bool read_match(const std::string& word, bool negated) {
        auto& to = rule_.matches;
        for (const auto& [option, extension] : kOptions)
            if (word == option)
                of(extension);
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
        else if (word == "-s" || word == "-d")
            to.emplace_back(address_of(line_, word == "-s"));
        else if (word == "-m")
            name_extension();
        else if (word == "--ctstate")
            to.emplace_back(state_of(line_));
        else if (word == "--ctdir") {
            line_.one_of({"REPLY"});
            to.emplace_back(IsReply{});
        } else if (word == "--mark")
            read_mark(line_.next());
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

    void read_mark(const std::string& text) {
        const auto bit = bit_in(text);
        if (bit && !bit->second)
            line_.fail("a bit of conntrack marks that is set");
        if (bit)
            rule_.matches.emplace_back(FlowBitIs{bit->first});
        else
            rule_.matches.emplace_back(FlowMarkIs{mark_of(line_, text)});
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
            const std::string text = line_.next();
            const auto bit = bit_in(text);
            finish(!bit          ? Target::Kind::SetFlowMark
                   : bit->second ? Target::Kind::SetFlowBit
                                 : Target::Kind::ClearFlowBit);
            if (bit)
                rule_.target.bit = bit->first;
            else
                rule_.target.mark = mark_of(line_, text);
        } else if (name == "CT") {
            line_.one_of({"--notrack"});
            finish(Target::Kind::NoTrack);
        } else
            finish(Target::Kind::Jump, name);
    }

    void finish(Target::Kind kind, std::string name = {}) {
        const bool to_chain = kind == Target::Kind::Jump || kind == Target::Kind::Goto;
        if (to_chain && !name.starts_with(kPrefix))
            line_.fail("a chain of ours");
        if (!is_used_)
            line_.fail("an option of " + extension_);
        rule_.target = {kind, std::move(name), {}, {}};
        done_ = true;
    }

    static constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
        {"--sports", "multiport"},  {"--dports", "multiport"}, {"--icmp-type", "icmp"},
        {"--icmpv6-type", "icmp6"}, {"--match-set", "set"},    {"--ctproto", "conntrack"},
        {"--ctstate", "conntrack"}, {"--ctdir", "conntrack"},  {"--mark", "connmark"},
        {"--comment", "comment"},   {"--object-pinned", "bpf"}};

    Line& line_;
    std::string extension_;
    bool is_used_ = true; ///< an option of `extension_` was there
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
            if (word.starts_with('*') && !open_)
                begin(line, word.substr(1));
            else if (!open_)
                line.fail("a table");
            else if (word == "COMMIT")
                open_ = false;
            else if (word.starts_with(':'))
                declare(line, word.substr(1));
            else if (word == "-A")
                add(line);
            else
                line.fail("a chain or a rule");
        }
        if (open_ || seen_.empty())
            throw Failure{"COMMIT is missing: the text is cut off"};
        for (auto& [name, chain] : chains_)
            out_.chains.push_back(std::move(chain));
        return std::move(out_);
    }

  private:
    /// Listings have them in any order; ours are three.
    void begin(const Line& line, const std::string& name) {
        if (!seen_.insert(name).second)
            line.fail("a table that was not there yet");
        open_ = true;
        others_.clear();
        in_.reset();
        for (const In each : {In::Raw, In::Mangle, In::Filter})
            if (to_string(each) == name)
                in_ = each;
    }

    void declare(Line& line, const std::string& name) {
        if (!name.starts_with(kPrefix)) {
            if (!out_.hooks) // a file of ours declares no other
                out_.hooks.emplace();
            if (!others_.emplace(name, false).second)
                line.fail("a chain that is not there yet");
            return;
        }
        if (name.size() > 28)
            line.fail("a name of at most 28 characters");
        line.one_of({"-"}); // the kernel's own have a policy there
        const std::string counts = line.next();
        if (!counts.starts_with('[') || !counts.ends_with(']') || !line.at_end())
            line.fail("what was counted, at the end");
        if (!in_ || !chains_.emplace(std::pair(*in_, name), Chain{name, {}, *in_}).second)
            line.fail("a chain that is not there yet, of table raw, mangle or filter");
    }

    void add(Line& line) {
        const std::string name = line.next();
        if (!name.starts_with(kPrefix))
            return add_others(line, name);
        const auto chain = in_ ? chains_.find({*in_, name}) : chains_.end();
        if (chain == chains_.end())
            line.fail("a chain that was declared");
        chain->second.rules.push_back(RuleReader(line).run());
    }

    /// Of others' rules those that send all packets to us are of interest.
    void add_others(Line& line, const std::string& name) {
        const auto chain = others_.find(name);
        if (chain == others_.end()) // iptables-save lists all that have rules
            line.fail("a chain that was declared");
        const bool first = !std::exchange(chain->second, true);
        if (!in_ || !line.take("-j"))
            return;
        const std::string to = line.next();
        if (to.starts_with(kPrefix) && line.at_end())
            out_.hooks->push_back({*in_, name, to, first});
    }

    Lines lines_;
    Table out_;
    std::map<std::pair<In, std::string>, Chain> chains_;
    std::map<std::string, bool> others_; ///< of the table: whether a rule was there
    std::set<std::string> seen_;         ///< tables
    std::optional<In> in_;               ///< absent: a table that we have no part in
    bool open_ = false;
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
