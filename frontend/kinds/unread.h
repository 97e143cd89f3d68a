/// What becomes of objects that could not be read, or only in part: answers must know what is not
/// known. docs/input.md says what counts.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// Of a policy with an error outside of its rules (`where`; nullopt: none): it may have any rule in
/// each direction that it may govern. `types_known`: those are said and could be read.
void forget_rules(policy::Policy& policy, std::optional<Span> where, bool types_known);
void forget_rules(policy::KubernetesNetworkPolicy& policy, std::optional<Span> where,
                  bool types_known);
void forget_rules(policy::ClusterNetworkPolicy& policy, std::optional<Span> where);
void forget_rules(policy::Profile& profile, std::optional<Span> where);

/// A policy, or what seems to be one, of which no more can be told than where it is.
void add_unread_policy(const yaml::Node& root, std::string_view api_version, std::string_view kind,
                       Span where, policy::Cluster& cluster);
/// The same of an object of any kind, with what it means for other objects.
void add_unread_object(const yaml::Node& root, std::string_view api_version, std::string_view kind,
                       Span where, policy::Cluster& cluster);
/// The objects of documents that are no YAML, as far as their lines show them. `places`: somewhere
/// in each.
void add_unread_documents(const std::vector<Span>& places, const Sources& sources,
                          policy::Cluster& cluster);

/// Whether an answer may hang on the object of a document that is no YAML, at this place.
bool may_matter(const Span& place, const Sources& sources);

/// Watches an object being read, and marks what comes of it.
class UnreadWatch {
  public:
    UnreadWatch(policy::Cluster& cluster, const diag::Diagnostics& diagnostics);
    /// `contested`: another object of the name says something else, and either may be meant.
    void settle(const yaml::Node& root, std::string_view api_version, std::string_view kind,
                bool contested = false);

  private:
    static constexpr std::size_t kLists = 12, kPolicyLists = 3;
    struct Sizes {
        std::array<std::size_t, kLists> lists;
        std::array<std::size_t, kPolicyLists> policies;
        bool operator==(const Sizes&) const = default;
    };
    Sizes sizes() const;
    bool drop_policies();

    policy::Cluster& cluster_;
    diag::Watch watch_;
    Sizes before_;
};

/// After everything was read: policies of a tier that could not be read have no known place.
void settle_tiers(policy::Cluster& cluster);

} // namespace polecat::frontend
