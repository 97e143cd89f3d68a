/// Questions with an open end: who can reach X, what can X reach, by which connections and which
/// rules. Exact, over the connectivity map; by the policies of both ends at the normal hook.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "analyzer/explain/set_trail.h"
#include "analyzer/flows/map.h"
#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/program_view.h"

namespace polecat::analyzer {

/// One side of a question.
struct AskedEnds {
    bool any = false;
    bool outside = false; ///< every outside address and no endpoint
    std::vector<decision::ObjectId> objects;
    net::AddressSet addresses;                 ///< with the endpoints that hold them
    std::optional<net::AddressSet> outside_in; ///< of outside addresses, only these
};

/// Ends that every question answers alike and whose rules have the same names.
struct Party {
    std::uint32_t group = 0; ///< of the map
    std::vector<decision::ObjectId> objects;
    net::AddressSet outside; ///< as far as it was asked about
    const decision::GroupProgram* egress = nullptr;
    const decision::GroupProgram* ingress = nullptr;
    bool unsure = false; ///< a pod with hostNetwork: which host endpoint governs it is not known
    bool is_outside() const { return objects.empty(); }
};

/// All of `from` with all of `to`.
struct Answer {
    std::vector<std::uint32_t> from, to; ///< indices into Answers
    Bounds<ConnectionSet> connections;   ///< of what was asked about
};

struct Answers {
    std::vector<Party> from, to;
    std::vector<Answer> rows;
};

class Questions {
  public:
    /// Both must outlive this.
    Questions(const decision::LoweredCluster& cluster, const ConnectivityMap& map);

    /// `denied`: pairs between which nothing is allowed have rows, too. An endpoint and itself, and
    /// two outside addresses, are no pair.
    Answers ask(const AskedEnds& from, const AskedEnds& to, const ConnectionSet& traffic,
                bool denied) const;

    /// What the rules of one end make of everything between the two; nullptr: it has no say. The
    /// same pointer for parties that get the same trail by the same rules.
    const std::vector<SetStep>* trail(const Party& from, const Party& to,
                                      decision::Direction direction);

    /// Why it is not known whether this may pass between them, by one flow of it.
    std::string doubt(const Party& from, const Party& to, const ConnectionSet& unsure) const;

    const ConnectivityMap& map() const { return map_; }
    net::Family family() const { return map_.ends().family(); }
    /// How a program sees the map's groups.
    ProgramView<ProgramFlows>& view(decision::ProgramId program);

  private:
    std::vector<Party> parties(const AskedEnds& asked, const AskedEnds& other) const;

    const decision::LoweredCluster& cluster_;
    const ConnectivityMap& map_;
    std::map<std::uint32_t, ProgramView<ProgramFlows>> views_; ///< by program
    /// Program, names of its rules, classes of both ends.
    using Key = std::tuple<std::uint32_t, const void*, std::uint32_t, std::uint32_t>;
    std::map<Key, std::vector<SetStep>> trails_;
};

} // namespace polecat::analyzer
