/// Sets of endpoints, network sets and outside addresses, as selectors pick them one by one.
/// For warning_count*.cpp.
#pragma once

#include <set>
#include <string>

#include "tests/conformance/runner/configuration.h"
#include "tests/conformance/runner/warning_count.h"

namespace polecat::conformance {

struct Selected {
    std::set<decision::ObjectId> objects;
    bool outside = false; ///< and outside addresses
    bool empty() const { return objects.empty() && !outside; }
    bool operator==(const Selected&) const = default;
};
Selected operator&(const Selected& a, const Selected& b);
Selected operator|(Selected a, const Selected& b);
Selected operator-(Selected a, const Selected& b); ///< outside addresses stay

/// The objects of a cluster, and what is wrong with one policy's picks of them.
class Picker {
  public:
    Picker(const Configuration& of, std::vector<SelectionWarning>& out) : of_(of), out_(out) {}

    void begin(const PolicyRef& policy) { about_ = policy; }
    void warn(SelectionWarning::Kind kind, const std::string& text);

    /// Everything that the selector matches.
    Selected matching(const selector::Selector& selector) const;
    /// What is in a namespace; empty: everything.
    Selected in_namespace(const std::string& space) const;
    Selected in_namespaces() const; ///< in any
    Selected all() const;           ///< with outside addresses

  private:
    const Configuration& of_;
    std::vector<SelectionWarning>& out_;
    PolicyRef about_;
};

void warn_about(const policy::KubernetesNetworkPolicy& policy, Picker& pick); // ..._kubernetes.cpp
void warn_about(const policy::Policy& policy, Picker& pick);                  // ..._calico.cpp

} // namespace polecat::conformance
