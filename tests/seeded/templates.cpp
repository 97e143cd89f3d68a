#include "templates.h"
#include "tests/paths.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace polecat::testing {

namespace {

constexpr const char* kNames[] = {
    "amber",  "birch",   "cobalt",  "delta",  "ember",  "falcon", "garnet", "harbor",
    "indigo", "juniper", "kestrel", "lagoon", "maple",  "nectar", "onyx",   "pepper",
    "quartz", "raven",   "saffron", "tundra", "umber",  "velvet", "willow", "xenon",
    "yarrow", "zephyr",  "acorn",   "basalt", "cedar",  "dahlia", "elm",    "fjord",
    "gecko",  "heron",   "iris",    "jasper", "kelp",   "lotus",  "mango",  "nimbus",
    "orchid", "pebble",  "quince",  "rowan",  "sorrel", "thistle"};

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> out;
    for (std::string word; in >> word;)
        out.push_back(word);
    return out;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? ""
                                      : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// With \n for the end of a line.
std::string unescaped(std::string text) {
    for (auto at = text.find("\\n"); at != std::string::npos; at = text.find("\\n"))
        text.replace(at, 2, "\n");
    return text;
}

Edit edit_of(const std::string& line, bool here) {
    const auto bar = line.find(" | "), arrow = line.find(" => ", bar);
    if (bar == std::string::npos || arrow == std::string::npos)
        throw std::runtime_error("no edit: " + line);
    return {trimmed(line.substr(0, bar)), unescaped(line.substr(bar + 3, arrow - bar - 3)),
            unescaped(line.substr(arrow + 4)), here, false};
}

/// Directives and the text below each.
template <class Act> void each_directive(const std::string& file, const Act& act) {
    std::ifstream in(std::filesystem::path(testing::source_dir()) / "tests/seeded" / file);
    if (!in)
        throw std::runtime_error("no file " + file);
    std::string what, rest, text;
    const auto flush = [&] {
        if (!what.empty())
            act(what, rest, text);
        text.clear();
    };
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("#: ", 0) != 0) {
            text += line + "\n";
            continue;
        }
        flush();
        const auto space = line.find(' ', 3);
        what = line.substr(3, space == std::string::npos ? space : space - 3);
        rest = space == std::string::npos ? "" : line.substr(space + 1);
    }
    flush();
}

} // namespace

std::vector<Seed> read_seeds(const std::string& file) {
    std::vector<Seed> out;
    each_directive(
        file, [&](const std::string& what, const std::string& rest, const std::string& text) {
            if (what == "seed") {
                out.push_back({words_of(rest), {}, {"4", "6", "46"}, {}, {}, {}, {}});
                return;
            }
            Seed& seed = out.back();
            if (what == "base")
                seed.bases = words_of(rest);
            else if (what == "family")
                seed.families = words_of(rest);
            else if (what == "add" || what == "here")
                seed.added.push_back({"", text, what == "here"});
            else if (what == "edit" || what == "edit-here")
                seed.edits.push_back(edit_of(rest, what == "edit-here"));
            else if (what == "mark")
                seed.edits.push_back({rest, "", "", true, false});
            else if (what == "drop")
                seed.edits.push_back({rest, "", "", false, true});
            else if (what == "verdict")
                seed.verdicts.push_back(rest);
            else if (what == "never")
                seed.never.emplace_back(words_of(rest).front(), std::stoul(words_of(rest).back()));
            else
                throw std::runtime_error("unknown directive " + what);
        });
    return out;
}

std::vector<Document> read_base(const std::string& name) {
    std::vector<Document> out;
    each_directive("base-" + name + ".yaml",
                   [&](const std::string& what, const std::string& rest, const std::string& text) {
                       if (what == "include") {
                           const auto more = read_base(rest);
                           out.insert(out.end(), more.begin(), more.end());
                       } else {
                           out.push_back({rest, text, false});
                       }
                   });
    return out;
}

Words::Words(Random& random, std::string family)
    : random_(random), family_(std::move(family)),
      hall_(static_cast<unsigned>(random.below(200) + 20)),
      names_(std::begin(kNames), std::end(kNames)) {
    for (unsigned port = 1024; port < 29000; port += 97 + static_cast<unsigned>(random.below(300)))
        ports_.push_back(std::to_string(port));
}

void Words::choose(std::string& text) {
    for (auto at = text.find("$<"); at != std::string::npos; at = text.find("$<", at)) {
        const auto end = text.find('>', at);
        std::istringstream list(text.substr(at + 2, end - at - 2));
        std::vector<std::string> choices;
        for (std::string each; std::getline(list, each, '|');)
            choices.push_back(each);
        text.replace(at, end - at + 1, random_.pick(choices));
    }
}

std::string Words::expand(std::string text) {
    choose(text);
    for (auto at = text.find("$("); at != std::string::npos; at = text.find("$(", at)) {
        const auto end = text.find(')', at);
        const std::string value = word(text.substr(at + 2, end - at - 2));
        text.replace(at, end - at + 1, value);
    }
    return text;
}

std::string Words::address(const std::string& kind, unsigned number, bool six) const {
    const std::string hall = std::to_string(hall_), last = std::to_string(number);
    if (kind == "pod")
        return six ? "fd10:" + hall + "::" + last : "10." + hall + ".1." + last;
    if (kind == "node")
        return six ? "fd20:" + hall + "::" + last : "192.168." + hall + "." + last;
    if (kind == "svc")
        return six ? "fd30:" + hall + "::" + last : "172.20." + hall + "." + last;
    return six ? "2001:db8:" + last + "::7" : "203.0.113." + last;
}

/// `ips N` (of a pod's status), `nodeips N`, `pod N`, `node N`, `svc N`, `far N` (outside), `all`,
/// `pods`, `nodes`, `out` (nets), `bits` (of one host), `cluster` (every net inside), `port NAME`.
std::string Words::special(const std::string& name) {
    const bool six = family_ == "6";
    const auto words = words_of(name);
    const auto number = words.size() > 1 ? static_cast<unsigned>(std::atoi(words[1].c_str())) : 0;
    const std::string hall = std::to_string(hall_);
    if (words[0] == "ips")
        return "[{ip: '" + address("pod", number, six) + "'}" +
               (family_ == "46" ? ", {ip: '" + address("pod", number, true) + "'}]" : "]");
    if (words[0] == "nodeips")
        return "['" + address("node", number, six) + "'" +
               (family_ == "46" ? ", '" + address("node", number, true) + "']" : "]");
    if (words[0] == "pod" || words[0] == "node" || words[0] == "svc" || words[0] == "far")
        return address(words[0], number, six);
    if (name == "hall")
        return hall;
    if (name == "all")
        return six ? "'::/0'" : "0.0.0.0/0";
    if (name == "pods")
        return six ? "'fd10:" + hall + "::/64'" : "10." + hall + ".0.0/16";
    if (name == "nodes")
        return six ? "'fd20:" + hall + "::/64'" : "192.168." + hall + ".0/24";
    if (name == "out")
        return six ? "'2001:db8:" + hall + "::/48'" : "198.51.100.0/24";
    if (name == "wide") // holds `out`
        return six ? "'2001:db8::/32'" : "198.51.0.0/16";
    if (name == "bits")
        return six ? "128" : "32";
    return "";
}

std::string Words::word(const std::string& name) {
    const std::string value = special(name);
    if (!value.empty())
        return value;
    std::string& known = known_[name];
    if (!known.empty())
        return known;
    auto& list = name.rfind("port", 0) == 0 ? ports_ : names_;
    const std::size_t at = random_.below(list.size());
    known = list[at];
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    return known;
}

} // namespace polecat::testing
