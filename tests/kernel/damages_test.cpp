// Whatever others do to the rules that the kernel holds is noticed when they are read back: a
// change that the kernel takes and that its listing shows is no image, or another one.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "runtime/nft.h"
#include "tests/expressions.h"
#include "tests/kernel/node.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using testing::Random;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
    Lines out;
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        out.push_back(text.substr(at, end - at));
    return out;
}

std::string joined(const Lines& lines) {
    std::string out;
    for (const std::string& each : lines)
        out += each + "\n";
    return out;
}

/// A listing without what the kernel counts.
std::string uncounted(const std::string& text) {
    return testing::replaced(text, "packets [0-9]+ bytes [0-9]+", "");
}

/// One damage to the listing of a table; empty where this place has none of its kind.
class Vandal {
  public:
    Vandal(const std::string& listing, std::uint64_t seed)
        : whole_(lines_of(listing)), random_(seed) {
        for (std::size_t i = 0; i < whole_.size(); ++i) {
            const std::string& line = whole_[i];
            if (line.starts_with("\tchain "))
                chains_.push_back(line.substr(7, line.find(' ', 7) - 7));
            if (line.find("elements = {") != std::string::npos || line.starts_with("\t\t\t"))
                elements_.push_back(i);
            else if (is_rule(line))
                rules_.push_back(i);
            else if (line.starts_with("\t\ttype ") || line.starts_with("\t\tflags "))
                heads_.push_back(i);
        }
    }

    std::string damage() {
        Lines lines = whole_;
        using Act = bool (Vandal::*)(Lines&);
        static constexpr Act kActs[] = {
            &Vandal::drop_rule,     &Vandal::repeat_rule, &Vandal::swap_rules,
            &Vandal::alter_verdict, &Vandal::alter_word,  &Vandal::alter_number,
            &Vandal::drop_element,  &Vandal::alter_key,   &Vandal::alter_value,
            &Vandal::alter_head,    &Vandal::swap_names,  &Vandal::add_what_is_foreign,
            &Vandal::alter_element};
        return (this->*kActs[random_.below(std::size(kActs))])(lines) ? joined(lines)
                                                                      : std::string();
    }

  private:
    static bool is_rule(const std::string& line) {
        if (!line.starts_with("\t\t"))
            return false;
        for (const char* other : {"\t\ttype ", "\t\tflags ", "\t\telements", "\t\t\t", "\t\tsize "})
            if (line.starts_with(other))
                return false;
        return true;
    }
    std::string& any(Lines& lines, const std::vector<std::size_t>& places) {
        return lines[random_.pick(places)];
    }
    static bool replace(std::string& line, const std::string& from, const std::string& to) {
        const std::size_t at = line.find(from);
        if (at == std::string::npos)
            return false;
        line.replace(at, from.size(), to);
        return true;
    }

    bool drop_rule(Lines& lines) {
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(random_.pick(rules_)));
        return true;
    }
    bool repeat_rule(Lines& lines) {
        const auto at = lines.begin() + static_cast<std::ptrdiff_t>(random_.pick(rules_));
        const std::string line = *at;
        lines.insert(at, line);
        return true;
    }
    bool swap_rules(Lines& lines) {
        const std::size_t at = random_.pick(rules_);
        if (!is_rule(lines[at + 1]) || lines[at] == lines[at + 1])
            return false;
        std::swap(lines[at], lines[at + 1]);
        return true;
    }
    bool alter_verdict(Lines& lines) {
        static const std::vector<std::string> kVerdicts{" accept", " drop", " return", " goto deny",
                                                        " continue"};
        std::string& line = any(lines, rules_);
        const std::string& to = random_.pick(kVerdicts);
        for (const char* verdict : {" accept", " drop", " return"})
            if (verdict != to && replace(line, verdict, to))
                return true;
        for (const char* word : {"jump ", "goto "}) {
            const std::size_t at = line.find(word);
            if (at == std::string::npos)
                continue;
            const std::size_t end = std::min(line.find(' ', at + 5), line.size());
            line.replace(at, end - at,
                         (random_.chance(50) ? "jump " : "goto ") + random_.pick(chains_));
            return true;
        }
        return false;
    }
    bool alter_word(Lines& lines) {
        static const std::vector<std::pair<std::string, std::string>> kWords{
            {"saddr", "daddr"},
            {"daddr", "saddr"},
            {"iifname", "oifname"},
            {"oifname", "iifname"},
            {"sport", "dport"},
            {"ip ", "ip6 "},
            {"!= ", ""},
            {"established", "new"},
            {"cali*", "cal*"},
            {"cali*", "cali"},
            {"@from", "@to"},
            {"@rto", "@rfrom"},
            {"@addr4", "@net4"},
            {"ct mark", "meta mark"},
            {"&", "|"},
            {"|", "^"},
            {"invalid", "untracked"},
            {"original", "reply"},
            {"reply", "original"},
            {"counter ", ""},
            {"meta priority set", "meta mark set"},
            {"meta priority", "meta mark"},
            {"comment \"", "comment \"x"}};
        const auto& [from, to] = random_.pick(kWords);
        return replace(any(lines, rules_), from, to);
    }

    /// One bit, or one more or less.
    std::string other_number(const std::string& number) {
        if (number.starts_with("0x"))
            return fmt::format("0x{:08x}",
                               static_cast<std::uint32_t>(std::stoul(number, nullptr, 16)) ^
                                   1U << random_.below(32));
        const unsigned long value = std::stoul(number);
        return std::to_string(random_.chance(50) || value == 0 ? value + 1 : value - 1);
    }
    bool alter_number(std::string& line, std::size_t from, std::size_t to) {
        std::vector<std::pair<std::size_t, std::size_t>> found;
        for (const testing::Match& each :
             testing::matches(line.substr(from, to - from), "0x[0-9a-f]+|\\b[0-9]+\\b"))
            found.emplace_back(from + each.at, each[0].size());
        if (found.empty())
            return false;
        const auto [at, size] = random_.pick(found);
        line.replace(at, size, other_number(line.substr(at, size)));
        return true;
    }
    bool alter_number(Lines& lines) {
        std::string& line = any(lines, rules_);
        const std::size_t counter = line.find("counter packets");
        return alter_number(line, 0, std::min(counter, line.size()));
    }

    /// Where an element of a line begins and ends.
    std::pair<std::size_t, std::size_t> element(const std::string& line) {
        const std::size_t open = line.find('{');
        std::size_t begin = open == std::string::npos ? line.find_first_not_of(" \t") : open + 2;
        std::vector<std::pair<std::size_t, std::size_t>> all;
        while (begin < line.size()) {
            const std::size_t end =
                std::min({line.find(',', begin), line.find(" }", begin), line.size()});
            if (end > begin)
                all.emplace_back(begin, end);
            begin = end + 2;
        }
        return all.empty() ? std::pair{line.size(), line.size()} : random_.pick(all);
    }
    bool drop_element(Lines& lines) {
        std::string& line = any(lines, elements_);
        const auto [from, to] = element(line);
        if (to == line.size() || line[to] != ',')
            return false;
        line.erase(from, to + 2 - from);
        return true;
    }
    bool alter_key(Lines& lines) {
        std::string& line = any(lines, elements_);
        const auto [from, to] = element(line);
        return alter_number(line, from, std::min(line.find(" : ", from), to));
    }
    bool alter_value(Lines& lines) {
        std::string& line = any(lines, elements_);
        const auto [from, to] = element(line);
        const std::size_t colon = line.find(" : ", from);
        if (colon >= to)
            return false;
        if (alter_number(line, colon, to))
            return true;
        line.replace(colon + 3, to - colon - 3, "goto " + random_.pick(chains_));
        return true;
    }
    /// What elements have beside key and value.
    bool alter_element(Lines& lines) {
        std::string& line = any(lines, elements_);
        const auto [from, to] = element(line);
        const std::size_t key = std::min(line.find(" : ", from), to);
        line.insert(key, random_.pick<std::string>({" comment \"x\"", " timeout 1h"}));
        return true;
    }

    bool alter_head(Lines& lines) {
        static const std::vector<std::pair<std::string, std::string>> kHeads{
            {"policy accept", "policy drop"},
            {"priority filter", "priority 300"},
            {"priority 0", "priority -1"},
            {"priority filter", "priority raw"},
            {"hook forward", "hook prerouting"},
            {"hook input", "hook output"},
            {"hook forward", "hook postrouting"},
            {"type filter", "type route"},
            {"flags interval", "flags interval,timeout"},
            {"flags interval", "flags dynamic"},
            {"\t\ttype ", "\t\tsize 65000\n\t\ttype "},
            {"\t\ttype ", "\t\tcounter\n\t\ttype "},
            {"\t\ttype ", "\t\tgc-interval 1m\n\t\ttype "},
            {"\t\ttype ", "\t\tcomment \"x\"\n\t\ttype "},
            {"\t\ttype ", "\t\tflags constant\n\t\ttype "},
            {"\t\ttype ", "\t\ttimeout 1h\n\t\ttype "}};
        const auto& [from, to] = random_.pick(kHeads);
        return replace(any(lines, heads_), from, to);
    }
    /// Two maps or two chains trade places; not two that say the same.
    bool swap_names(Lines& lines) {
        const std::string what = random_.chance(50) ? "\tmap " : "\tchain ";
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < lines.size(); ++i)
            if (lines[i].starts_with(what))
                places.push_back(i);
        const std::size_t one = random_.pick(places), other = random_.pick(places);
        if (block_at(one) == block_at(other))
            return false;
        std::swap(lines[one], lines[other]);
        return true;
    }
    /// What stands below a map's or a chain's name.
    std::string block_at(std::size_t name) const {
        std::string out;
        for (std::size_t i = name + 1; i < whole_.size() && whole_[i] != "\t}"; ++i)
            out += whole_[i] + "\n";
        return uncounted(out);
    }
    bool add_what_is_foreign(Lines& lines) {
        static const std::vector<std::string> kRules{"\t\taccept",
                                                     "\t\tip saddr 10.9.0.3 accept",
                                                     "\t\tct mark set 0x00010000",
                                                     "\t\tmeta priority set none",
                                                     "\t\tcounter",
                                                     "\t\tnotrack",
                                                     "\t\tudp dport 53 accept",
                                                     "\t\tlimit rate 1/second accept"};
        static const std::vector<std::string> kBlocks{
            "\tflags dormant",
            "\tcomment \"ours\"",
            "\tchain extra {\n\t\ttype filter hook forward priority -200\n\t\tct mark set "
            "0x00010000\n\t}",
            "\tchain extra {\n\t\ttype filter hook output priority 0\n\t\tdrop\n\t}",
            "\tchain extra {\n\t}",
            "\tset extra {\n\t\ttype ipv4_addr\n\t}",
            "\tcounter extra {\n\t}",
            "\tquota extra {\n\t\tover 1 bytes\n\t}"};
        if (random_.chance(50)) {
            const std::size_t at = random_.pick(rules_);
            lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), random_.pick(kRules));
        } else {
            lines.insert(lines.begin() + 1, random_.pick(kBlocks));
        }
        return true;
    }

    const Lines whole_;
    std::vector<std::string> chains_;
    std::vector<std::size_t> rules_, elements_, heads_;
    Random random_;
};

std::string listing() {
    const auto out = runtime::nft_list("polecat");
    REQUIRE_MESSAGE(out.ok(), (out ? "" : out.error()));
    return *out;
}

/// A damaged table instead of the other; false where the kernel does not take it.
bool load_instead(const std::string& text) {
    return runtime::nft_load("table inet polecat {}\ndelete table inet polecat\n" + text).ok();
}

} // namespace

TEST_CASE("damages to what the kernel holds are noticed when it is read back") {
    if (!may_run())
        return;
    const std::size_t wanted = count_of("POLECAT_KERNEL_DAMAGES", 100);
    std::size_t made = 0, refused = 0, same = 0, clusters = 0;
    for (std::uint64_t seed = 1; made < wanted; ++seed, ++clusters) {
        testing::ClusterShape shape;
        shape.pods = 3;
        shape.policies = 5;
        const Node node(testing::ClusterWriter(seed, shape).write(), {});
        const std::string whole = listing(), plain = uncounted(whole);
        REQUIRE(node.kernel_agrees());
        Vandal vandal(whole, seed);
        for (std::size_t i = 0; i < 250 && made < wanted; ++i) {
            const std::string text = vandal.damage();
            if (text.empty())
                continue;
            if (!load_instead(text)) {
                ++refused;
                continue;
            }
            const std::string listed = listing();
            if (uncounted(listed) == plain) { // nothing of it is in the kernel
                ++same;
                continue;
            }
            ++made;
            const auto parsed = nft::parse(listed);
            const auto read = parsed ? backends::read_back(*parsed)
                                     : Result<backends::NodeImage>(Error{parsed.error()});
            CHECK_MESSAGE(!(read && *read == node.image), "not noticed, seed " << seed << ":\n"
                                                                               << text);
        }
    }
    MESSAGE(made << " damages of " << clusters << " rulesets noticed; the kernel refused "
                 << refused << " others and took " << same << " for what was there");
}
