#include "artefact/iptables/others.h"

#include <optional>

#include "artefact/iptables/lines.h"
#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

namespace {

/// "0x4000/0xc000".
std::uint32_t bits_of_mark(const Line& line, const std::string& text) {
    std::uint32_t out = 0;
    for (const std::string& each : line.split(text, '/')) {
        const bool hex = each.starts_with("0x");
        out |= static_cast<std::uint32_t>(
            line.number(each.substr(hex ? 2 : 0), 0xffffffff, hex ? 16 : 10));
    }
    return out;
}

/// What is written by the options behind `-j CONNMARK`; nullopt: it is not known.
std::optional<std::uint32_t> written_bits(Line& line) {
    if (line.take("--set-xmark")) {
        const std::uint32_t out = bits_of_mark(line, line.next());
        return line.at_end() ? std::optional(out) : std::nullopt; // shifts move all bits
    }
    const bool saves = line.take("--save-mark");
    if (!saves && !line.take("--restore-mark"))
        return std::nullopt;
    std::uint32_t out = saves && line.at_end() ? 0xffffffff : 0;
    while (!line.at_end()) {
        if (!line.take("--nfmask") && !line.take("--ctmask"))
            return std::nullopt;
        out |= bits_of_mark(line, line.next());
    }
    return saves ? out : 0; // the other writes the packet's
}

class OthersReader {
  public:
    explicit OthersReader(std::string_view text) : lines_(text) {}

    OtherRules run() {
        std::string table;
        while (lines_.next()) {
            Line line = lines_.line();
            const std::string word = line.next();
            if (word.starts_with('*'))
                table = word.substr(1);
            if (word != "-A")
                continue;
            if (const std::string chain = line.next(); !chain.starts_with(kPrefix))
                read(line, chain + " of table " + table);
        }
        return std::move(out_);
    }

  private:
    void read(Line& line, const std::string& chain) {
        for (bool is_first = true; !line.at_end(); is_first = false) {
            const bool jumps = line.take("-j");
            if (!jumps && !line.take("-g")) {
                line.next();
                continue;
            }
            const std::string to = line.next();
            if (to.starts_with(kPrefix) && !(jumps && is_first))
                out_.into_ours.push_back(chain);
            if (to != "CONNMARK")
                return;
            if (const auto bits = written_bits(line))
                out_.marks.push_back({chain, *bits});
            else
                out_.unknown.push_back(chain);
            return;
        }
    }

    Lines lines_;
    OtherRules out_;
};

} // namespace

Result<OtherRules> other_rules(std::string_view listing) {
    try {
        return OthersReader(listing).run();
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::iptables
