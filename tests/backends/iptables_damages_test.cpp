// Damages to what `iptables-save` and `ipset save` list: each that says something else is no image
// or another one, and what only stands in another order is the same. POLECAT_DAMAGES: how many.
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"
#include "tests/backends/bpf_node.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"
#include "tests/expressions.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

using namespace polecat;
using testing::Random;

namespace {

using Lines = std::vector<std::string>;

Lines lines_in(const std::string& text) {
    Lines out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

std::string lines_of(const Lines& lines) {
    std::string out;
    for (const std::string& each : lines)
        out += each + "\n";
    return out;
}

/// The first words of a line.
std::string head_of(const std::string& line, std::size_t words) {
    std::size_t at = 0;
    for (; words > 0 && at != std::string::npos; --words)
        at = line.find(' ', at + 1);
    return line.substr(0, at);
}

/// What a listing says, by nothing but its lines: rules of each chain in their order, members of
/// each set in any.
using Said = std::map<std::string, Lines>;

Said said_by(const std::string& rules, const std::string& sets) {
    Said out;
    std::string table;
    bool whole = true;
    for (const std::string& line : lines_in(rules)) {
        if (line.starts_with('*'))
            table = line;
        if (line.starts_with('*') || line == "COMMIT")
            whole = !whole;
        if (line == "COMMIT")
            table = "closed";
        if (testing::is_match(line, ":polecat\\S* - \\[\\S*\\]"))
            out[table + " " + head_of(line, 1).substr(1)].push_back("declared");
        else if (line.starts_with("-A "))
            out[table + " " + head_of(line, 2).substr(3)].push_back(line);
        else if (!line.empty() && !line.starts_with('#'))
            out["others"].push_back(line);
    }
    for (const std::string& line : lines_in(sets))
        if (!line.empty() && !line.starts_with('#')) {
            Lines& set = out["set " + head_of(line.substr(line.find(' ') + 1), 1)];
            const bool creates = line.starts_with("create");
            // Made first, and once.
            set.push_back(creates == set.empty() ? line : "not in order: " + line);
        }
    for (auto& [name, lines] : out)
        if (name.starts_with("set "))
            lines = [](const std::set<std::string>& sorted) {
                return Lines(sorted.begin(), sorted.end());
            }({lines.begin(), lines.end()});
    out["whole"].push_back(whole ? "yes" : "no");
    return out;
}

/// What a node has, and how a listing of it is read.
struct DamagedRules {
    iptables::FilterImage image;
    iptables::Ruleset rules;
    std::function<Result<iptables::FilterImage>(const iptables::Ruleset&)> read;
};

struct Listing {
    std::string v4, v6, sets;
    auto operator<=>(const Listing&) const = default;

    Said said() const {
        Said out = said_by(v4, sets);
        for (auto& [name, lines] : said_by(v6, ""))
            out["v6 " + name] = lines;
        return out;
    }
    Result<iptables::FilterImage> image(const DamagedRules& of) const {
        const auto parsed_sets = iptables::parse_sets(sets);
        const auto parsed_v4 = iptables::parse_table(v4), parsed_v6 = iptables::parse_table(v6);
        if (!parsed_sets || !parsed_v4 || !parsed_v6)
            return Error{"does not parse"};
        iptables::Ruleset rules{*parsed_sets, *parsed_v4, *parsed_v6};
        rules.sort();
        return of.read(rules);
    }
};

/// As the kernel lists it: no remarks, sets as they are.
Listing listing_of(const iptables::Ruleset& rules) {
    Listing out{iptables::with_generation(iptables::print(rules.v4), 7),
                iptables::with_generation(iptables::print(rules.v6), 7),
                {}};
    for (const iptables::Set& set : rules.sets) {
        out.sets += iptables::create_line(set);
        for (const iptables::Member& each : set.members)
            out.sets += iptables::member_line("add", set, each);
    }
    return out;
}

class Damager {
  public:
    explicit Damager(std::uint64_t seed) : random_(seed) {}

    Listing damage(const Listing& whole) {
        Listing out = whole;
        std::string& text = *random_.pick<std::string*>({&out.v4, &out.v4, &out.v6, &out.sets});
        lines_ = lines_in(text);
        using Act = void (Damager::*)();
        static constexpr Act kActs[] = {
            &Damager::drop_line,  &Damager::repeat_line, &Damager::swap_lines, &Damager::other_word,
            &Damager::other_word, &Damager::other_word,  &Damager::number,     &Damager::number,
            &Damager::negate,     &Damager::drop_word,   &Damager::cut_line,   &Damager::move_line,
            &Damager::letter};
        (this->*kActs[random_.below(std::size(kActs))])();
        text = lines_of(lines_);
        return out;
    }

  private:
    std::string& any() { return lines_[random_.below(lines_.size())]; }
    auto place() {
        return lines_.begin() + static_cast<std::ptrdiff_t>(random_.below(lines_.size()));
    }

    void drop_line() { lines_.erase(place()); }
    void repeat_line() {
        const auto at = place();
        lines_.insert(at, std::string(*at));
    }
    void swap_lines() {
        const std::size_t at = 1 + random_.below(lines_.size() - 1);
        std::swap(lines_[at], lines_[at - 1]);
    }
    void move_line() {
        const std::string line = *place();
        drop_line();
        lines_.insert(place(), line);
    }
    /// A word of one line where another line has another.
    void other_word() {
        std::string& line = any();
        Lines mine = words_of(line), others = words_of(any());
        const std::size_t at = random_.below(mine.size());
        mine[at] = others[random_.chance(60) ? std::min(at, others.size() - 1)
                                             : random_.below(others.size())];
        line = joined(mine);
    }
    void drop_word() {
        std::string& line = any();
        Lines words = words_of(line);
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(random_.below(words.size())));
        line = joined(words);
    }
    void negate() {
        std::string& line = any();
        if (const std::size_t at = line.find("! "); at != std::string::npos)
            line.erase(at, 2);
        else if (const std::size_t match = line.find("--"); match != std::string::npos)
            line.insert(match, "! ");
    }
    void number() {
        std::string& line = any();
        std::vector<std::size_t> digits;
        for (std::size_t i = 0; i < line.size(); ++i)
            if (line[i] >= '0' && line[i] <= '9')
                digits.push_back(i);
        if (!digits.empty())
            line[random_.pick(digits)] = static_cast<char>('0' + random_.below(10));
    }
    void cut_line() {
        std::string& line = any();
        line.resize(random_.below(line.size() + 1));
    }
    void letter() {
        std::string& line = any();
        if (!line.empty())
            line[random_.below(line.size())] = static_cast<char>('a' + random_.below(26));
    }

    static Lines words_of(const std::string& line) {
        Lines out;
        std::istringstream in(line);
        for (std::string word; in >> word;)
            out.push_back(word);
        if (out.empty())
            out.emplace_back();
        return out;
    }
    static std::string joined(const Lines& words) {
        std::string out;
        for (const std::string& each : words)
            out += (out.empty() ? "" : " ") + each;
        return out;
    }

    Random random_;
    Lines lines_;
};

/// The same in another order: members, sets, and what stands between chains.
Listing reordered(const Listing& whole, Random& random) {
    Listing out;
    const auto mix = [&](Lines& lines) {
        for (std::size_t i = lines.size(); i > 1; --i)
            std::swap(lines[i - 1], lines[random.below(i)]);
    };
    Lines creates, adds;
    for (const std::string& line : lines_in(whole.sets))
        (line.starts_with("create") ? creates : adds).push_back(line);
    mix(creates);
    mix(adds);
    out.sets = "# listed\n" + lines_of(creates) + "\n" + lines_of(adds);
    for (const auto& [from, to] : {std::pair{&whole.v4, &out.v4}, std::pair{&whole.v6, &out.v6}}) {
        Lines declared;
        std::map<std::string, Lines> rules;
        for (const std::string& line : lines_in(*from)) {
            if (line.starts_with(':'))
                declared.push_back(head_of(line, 1) + " - [17:4711]");
            else if (line.starts_with("-A "))
                rules[head_of(line, 2)].push_back(line);
            if (line.starts_with('*'))
                *to += "# Generated\n" + line + "\n:FORWARD ACCEPT [0:0]\n";
            if (line != "COMMIT")
                continue;
            mix(declared);
            *to += lines_of(declared);
            while (!rules.empty()) { // of any chain the next
                auto at = rules.begin();
                std::advance(at, static_cast<std::ptrdiff_t>(random.below(rules.size())));
                *to += at->second.front() + "\n";
                at->second.erase(at->second.begin());
                if (at->second.empty())
                    rules.erase(at);
            }
            *to += "COMMIT\n";
            declared.clear();
        }
    }
    return out;
}

void load_damaged(std::uint64_t seed, testing::RandomCluster& cluster) {
    Random random(seed);
    testing::ClusterShape shape;
    shape.pods = 3;
    testing::load_text(testing::ClusterWriter(seed, shape).write() +
                           (seed % 2 == 0 ? testing::host_endpoint("eth0") +
                                                testing::random_host_policies(random, true)
                                          : ""),
                       cluster);
}

/// Listings have no texts of sets.
void forget_texts(iptables::FilterImage& image) {
    for (auto& [name, set] : image.sets)
        set.what.clear();
}

DamagedRules of_iptables(std::uint64_t seed) {
    testing::RandomCluster cluster;
    load_damaged(seed, cluster);
    auto image = testing::filter_image_of(cluster);
    REQUIRE(image.has_value());
    forget_texts(*image);
    return {*image, iptables::emit(*image),
            [](const auto& rules) { return iptables::read_back(rules); }};
}

/// Around the BPF classifier.
DamagedRules of_bpf(std::uint64_t seed) {
    testing::RandomCluster cluster;
    load_damaged(seed, cluster);
    bpf::Node node = testing::tabled_node(cluster.lowered).node;
    forget_texts(node.host);
    return {node.host, bpf::rules_around(node), [node](const auto& rules) {
                auto read = bpf::read_around(node.image, rules);
                return read ? Result<iptables::FilterImage>(std::move(read->host))
                            : Error{read.error()};
            }};
}

void check_damages(DamagedRules (*of)(std::uint64_t seed)) {
    constexpr std::uint64_t kClusters = 4;
    std::size_t refused = 0, other = 0, same = 0, missed = 0, untrue = 0;
    for (std::uint64_t seed = 1; seed <= kClusters; ++seed) {
        const DamagedRules node = of(seed);
        const iptables::FilterImage& image = node.image;
        const Listing whole = listing_of(node.rules);
        const Said said = whole.said();
        REQUIRE(whole.image(node).ok());
        REQUIRE(*whole.image(node) == image);
        Damager damager(seed);
        for (std::size_t i = 0; i < testing::count_of("POLECAT_DAMAGES", 600) / kClusters; ++i) {
            Listing damaged = damager.damage(whole);
            while (damaged == whole)
                damaged = damager.damage(whole);
            const auto read = damaged.image(node);
            const bool is_same = read.ok() && *read == image;
            ++(!read.ok() ? refused : is_same ? same : other);
            if (is_same == (damaged.said() == said))
                continue;
            ++(is_same ? missed : untrue);
            const Listing& now = damaged;
            for (const auto& [before, after] :
                 {std::pair{&whole.v4, &now.v4}, {&whole.v6, &now.v6}, {&whole.sets, &now.sets}}) {
                const Lines a = lines_in(*before), b = lines_in(*after);
                for (std::size_t n = 0; n < std::max(a.size(), b.size()); ++n)
                    if (n >= a.size() || n >= b.size() || a[n] != b[n]) {
                        MESSAGE((is_same ? "missed: `" : "untrue: `")
                                << (n < a.size() ? a[n] : "") << "` became `"
                                << (n < b.size() ? b[n] : "") << "` "
                                << (read.ok() ? "" : read.error()));
                        break;
                    }
            }
        }
        Random random(seed);
        for (int i = 0; i < 10; ++i) {
            const Listing mixed = reordered(whole, random);
            const auto read = mixed.image(node);
            REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
            CHECK(*read == image);
        }
    }
    MESSAGE(refused << " refused, " << other << " differ, " << same << " are the same");
    CHECK(missed == 0);
    CHECK(untrue == 0);
    CHECK(other > refused / 100);
    CHECK(same > 10);
}

} // namespace

TEST_CASE("iptables: every damage to a listing that says something else is seen") {
    check_damages(of_iptables);
}

TEST_CASE("BPF: every damage to a listing of the rules around the classifier is seen") {
    check_damages(of_bpf);
}
