/// Rules of Calico policies and profiles, with everything that Calico's validators refuse in them.
#pragma once

#include <string_view>
#include <vector>

#include "frontend/kinds/fields.h"
#include "ir/policy/rule.h"

namespace polecat::frontend {

/// What the surroundings of a rule allow in it.
struct RuleContext {
    bool egress = false;
    bool global_policy = false; ///< services need a namespace
    bool profile = false;
    bool legacy_crd = false; ///< past Calico's API, which checks what Felix does not
};

/// The rules of `fields`' member `key`.
std::vector<policy::Rule> read_calico_rules(Fields& fields, std::string_view key,
                                            const RuleContext& context);

/// A selector member; what does not parse is reported at its place in the text.
/// `global`: whether global() may be used.
enum class GlobalTerm : bool { Refused, Alone };
std::optional<policy::SelectorField> read_selector(Fields& fields, std::string_view key,
                                                   GlobalTerm global);

/// "80", "80:90" or a name; numbers as numbers.
std::optional<policy::Port> read_calico_port(const yaml::Node& node, const std::string& path,
                                             Fields& fields);

/// TCP, UDP, ... in any case, or 1 to 255.
std::optional<At<net::Protocol>> read_calico_protocol(Fields& fields, std::string_view key);

/// CIDRs as policy rules take them (no host bits); `bare`: also addresses.
std::vector<At<net::Cidr>> read_nets(Fields& fields, std::string_view key, bool bare);

/// A name or wildcard as Calico Enterprise's domains take it.
void check_domains(Fields& fields, const std::vector<At<std::string>>& domains,
                   std::string_view key);

} // namespace polecat::frontend
