// Reads the text of `ipset restore` by doing what it says: what is left at its end is what the
// kernel would have. A listing (`ipset save`) is such a text as well.
#include <map>

#include "artefact/iptables/lines.h"
#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

namespace {

class SetReader {
  public:
    explicit SetReader(std::string_view text) : lines_(text) {}

    std::vector<Set> run() {
        while (lines_.next()) {
            Line line = lines_.line();
            const std::string word = line.one_of({"create", "add", "flush", "swap", "destroy"});
            const std::string name = line.next();
            if (!name.starts_with(kPrefix)) {
                if (word == "swap" && std::string_view(line.next()).starts_with(kPrefix))
                    line.fail("no set of others in place of ours");
                continue;
            }
            if (word == "create")
                create(line, name);
            else if (word == "add")
                find(line, name).members.push_back(member(line, find(line, name)));
            else if (word == "flush")
                find(line, name).members.clear();
            else if (word == "swap")
                change_places(line, name);
            else if (find(line, name); true)
                sets_.erase(name);
            if ((word == "flush" || word == "destroy") && !line.at_end())
                line.fail("the end of the line");
        }
        Ruleset sorted;
        for (auto& [name, set] : sets_)
            sorted.sets.push_back(std::move(set));
        sorted.sort();
        return std::move(sorted.sets);
    }

  private:
    Set& find(Line& line, const std::string& name) {
        const auto found = sets_.find(name);
        if (found == sets_.end())
            line.fail("a set that was created");
        return found->second;
    }

    void create(Line& line, const std::string& name) {
        Set made;
        made.name = name;
        const std::string type = line.one_of({"hash:net", "hash:ip,port", "hash:net,iface"});
        made.type = type == "hash:net"       ? Set::Type::Nets
                    : type == "hash:ip,port" ? Set::Type::AddressPorts
                                             : Set::Type::NetInterfaces;
        line.one_of({"family"});
        made.family = line.one_of({"inet", "inet6"}) == "inet" ? net::Family::V4 : net::Family::V6;
        bool as_large = false;
        while (!line.at_end()) {
            const std::string word =
                line.one_of({"maxelem", "hashsize", "bucketsize", "initval", "-exist"});
            if (word == "maxelem")
                as_large = line.number(line.next(), kMostMembers) == kMostMembers;
            else if (word != "-exist") { // how the kernel keeps them
                const std::string text = line.next();
                const bool hex = text.starts_with("0x");
                line.number(text.substr(hex ? 2 : 0), 0xffffffff, hex ? 16 : 10);
            }
        }
        if (!as_large)
            line.fail("as many members as our sets take");
        const std::string remark = "# " + name + ": ";
        if (lines_.remark().starts_with(remark))
            made.what = lines_.remark().substr(remark.size());
        if (!sets_.emplace(name, std::move(made)).second)
            line.fail("a set that is not there yet");
    }

    Member member(Line& line, const Set& set) {
        const auto parts = line.split(line.next(), ',');
        Member out;
        const bool is_block = parts.front().find('/') != std::string::npos;
        const auto nets = net::parse_cidr(parts.front(), is_block ? net::CidrForm::Strict
                                                                  : net::CidrForm::OrAddress);
        if (!nets || nets->family() != set.family)
            line.fail("an address of the set's family");
        out.nets = *nets;
        if (parts.size() != (set.type == Set::Type::Nets ? 1 : 2) || !line.at_end())
            line.fail("a member of the set's type");
        if (set.type == Set::Type::NetInterfaces)
            out.interface = parts[1];
        else if (set.type == Set::Type::AddressPorts)
            add_port(line, parts[1], out);
        return out;
    }

    static void add_port(Line& line, const std::string& text, Member& out) {
        const auto parts = line.split(text, ':');
        const auto protocol = protocol_of(parts.front());
        if (parts.size() != 2 || !protocol || *protocol == 0)
            line.fail("a protocol and a port");
        out.protocol = *protocol;
        out.port = static_cast<std::uint16_t>(line.number(parts[1], 65535));
    }

    /// Members change places; types must be the same.
    void change_places(Line& line, const std::string& name) {
        Set& one = find(line, name);
        Set& other = find(line, line.next());
        if (one.type != other.type || one.family != other.family || !line.at_end())
            line.fail("two sets of one type");
        one.members.swap(other.members);
    }

    Lines lines_;
    std::map<std::string, Set> sets_;
};

} // namespace

Result<std::vector<Set>> parse_sets(std::string_view text) {
    try {
        return SetReader(text).run();
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::iptables
