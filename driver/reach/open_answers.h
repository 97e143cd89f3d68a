/// Answers to questions with an open end, in one IP family: who may, by which rules, and why what
/// depends does. cli/polecat/reach/ask_print says them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/reach/ask_through.h"
#include "driver/session.h"

namespace polecat::driver {

class OpenAnswers {
  public:
    /// `session` must outlive this, and be asked for no other map until then.
    OpenAnswers(Session& session, net::Family family);

    using Trail = std::vector<analyzer::SetStep>;
    /// Parts of a row that the same rules of both ends decide.
    struct Explained {
        std::vector<std::uint32_t> from, to;
        const Trail* egress = nullptr;
        const Trail* ingress = nullptr;
    };
    /// Answers, and what is known of rows beside them where nodes on the way were followed.
    struct Answered {
        analyzer::Answers answers;
        std::optional<ThroughAnswers> through;
    };

    /// `hanging`: the rows that hang on what of the input was not read are added to it.
    Answered ask(const Question& question, Hanging& hanging);
    /// Of a row, by number; made when asked.
    std::set<DecidedBy> deciders(const Answered& of, std::size_t row);
    std::string reason(const Answered& of, std::size_t row) const;
    std::vector<Explained> explained(const analyzer::Answers& answers, const analyzer::Answer& row);

    /// Every one by name; outside addresses as CIDRs.
    std::vector<std::string> members(const std::vector<analyzer::Party>& parties,
                                     const std::vector<std::uint32_t>& which) const;
    /// Names up to a number; outside addresses by the fewest CIDRs. `asked`: as written.
    std::string label(const std::vector<analyzer::Party>& parties,
                      const std::vector<std::uint32_t>& which, const std::string& asked,
                      const analyzer::AskedEnds& ends) const;
    const analyzer::HttpAtoms& http() const { return ask_.map().http(); }
    net::Family family() const { return ask_.family(); }

  private:
    void count_hanging(const Answered& of, Hanging& hanging) const;
    std::set<DecidedBy> deciders(const analyzer::Answers& answers, const analyzer::Answer& row);

    const decision::LoweredCluster& cluster_;
    const Input& input_;
    analyzer::Questions ask_;
    net::AddressSet outside_; ///< that no endpoint has
};

/// Where nothing has an IPv6 address, only IPv4 is answered, unless IPv6 was asked for.
std::vector<net::Family> families_of(const decision::LoweredCluster& cluster,
                                     const std::vector<Question>& questions);

} // namespace polecat::driver
