/// Two rulesets of a node, part by part: what comes, goes, is written anew though it stays, stays.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "artefact/nft/ruleset.h"
#include "backends/node/node_image.h"

namespace polecat::driver {

/// Of chains, rules, maps, elements or whole programs.
struct Tally {
    std::size_t come = 0, go = 0;
    std::size_t anew = 0; ///< says what it said before, and is written once more
    std::size_t stay = 0;

    bool changes() const { return come + go + anew != 0; }
    Tally& operator+=(const Tally& more);
    auto operator<=>(const Tally&) const = default;
};

/// What people call a part of a node's rules.
enum class PartKind : std::uint8_t {
    Program,    ///< its chains and maps, and those for answers
    Addresses,  ///< of endpoints, cluster-wide: whose they are
    Networks,   ///< all other addresses, as ranges
    Workloads,  ///< interfaces and addresses of the node's workloads
    Dispatch,   ///< which programs workloads' groups run
    HostPoints, ///< interfaces of host endpoints, and what passes them
    Predicates, ///< of iptables: sets of addresses that rules ask
    Chain,      ///< one of those that all packets come to, or that programs share
};
std::string_view to_string(PartKind kind);

enum class PartChange : std::uint8_t { Comes, Goes, Changes, WrittenAnew };
std::string_view to_string(PartChange change);

struct RulesPart {
    PartKind kind = PartKind::Chain;
    PartChange change = PartChange::Changes;
    std::string name; ///< of the program, the chain, the map (without its slot)
    Tally chains, rules, maps, elements;
    std::vector<std::string> objects; ///< chains and maps of it that come, go or are written
    bool reordered = false;           ///< a chain has the same rules in another order
    bool operator==(const RulesPart&) const = default;
};

struct PartList {
    std::vector<RulesPart> parts; ///< without those that stay as they are
    Tally programs, chains, rules, maps, elements;

    /// Says how the part changes by its tallies; one that stays is counted only.
    void add(RulesPart part);
};

/// Parts while two rulesets are compared.
class PartTable {
  public:
    RulesPart& at(PartKind kind, const std::string& name);
    /// A chain (a map) of a part, and the rules (elements) in it: to the part's tallies of both.
    static void count(RulesPart& part, const std::string& name, const Tally& whole,
                      const Tally& inside, Tally& to_whole, Tally& to_inside);
    PartList take();

  private:
    std::map<std::pair<PartKind, std::string>, RulesPart> parts_;
};

/// `judges_anew`: rules that say the generation's number are written again. `flow_mark_bit`: of
/// both.
PartList compare_parts(const nft::Ruleset& before, const nft::Ruleset& after, bool judges_anew,
                       unsigned flow_mark_bit = backends::kFlowMarkBit);

/// "p0123456789ab" of "p0123456789abr_c3"; empty: it is no program's.
std::string program_in(const std::string& name);

} // namespace polecat::driver
