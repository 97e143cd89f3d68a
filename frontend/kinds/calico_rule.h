/// Rules of Calico policies and profiles, with everything that Calico's validators refuse in them.
#pragma once

#include <string_view>
#include <vector>

#include "frontend/kinds/fields.h"
#include "frontend/kinds/kinds.h"
#include "ir/policy/rule.h"

namespace polecat::frontend {

/// Which checks an object of Calico went through. Felix checks what it programs once more.
enum class Checks : std::uint8_t {
    Api,     ///< the validator of Calico's API
    Storage, ///< crd.projectcalico.org/v1: only the schema of its storage
};
Checks checks_of(const ObjectContext& context);

/// What the surroundings of a rule allow in it.
struct RuleContext {
    Checks checks = Checks::Api;
    bool egress = false;
    bool global_policy = false; ///< services need a namespace
    bool profile = false;       ///< no schema describes profiles
};

/// Reports what Calico's API alone refuses. Felix programs it as it stands, so of an object that
/// went past the API it is a warning.
diag::Diagnostic& refuse_in_api(Fields& fields, Checks checks, Span span, const std::string& path,
                                const std::string& rule);

/// The rules of `fields`' member `key`.
std::vector<policy::Rule> read_calico_rules(Fields& fields, std::string_view key,
                                            const RuleContext& context);

/// A selector member; what does not parse is reported at its place in the text.
/// `global`: where global() may be used. Empty text is as good as none.
enum class GlobalTerm : std::uint8_t {
    Refused,
    Alone,     ///< the selector's one term
    Anywhere,  ///< a selector of namespaces past Calico's API
    Everything ///< no selector of namespaces: there it holds of everything
};
std::optional<policy::SelectorField> read_selector(Fields& fields, std::string_view key,
                                                   GlobalTerm global);

/// "80", "80:90" or a name; numbers as numbers.
std::optional<policy::Port> read_calico_port(const yaml::Node& node, const std::string& path,
                                             Fields& fields);

/// TCP, UDP, ... or 1 to 255.
std::optional<At<net::Protocol>> read_calico_protocol(Fields& fields, std::string_view key,
                                                      Checks checks);

/// CIDRs as policy rules take them: no host bits, no addresses without a length.
std::vector<At<net::Cidr>> read_nets(Fields& fields, std::string_view key, Checks checks);
/// The same as network sets take them: also with host bits, and addresses.
std::vector<At<net::Cidr>> read_loose_nets(Fields& fields, std::string_view key);

/// A name or wildcard as Calico Enterprise's domains take it.
void check_domains(Fields& fields, const std::vector<At<std::string>>& domains,
                   std::string_view key);

} // namespace polecat::frontend
