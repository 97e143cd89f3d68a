/// ipset as far as plans use it, line by line. Fails where it would.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "artefact/iptables/ruleset.h"

namespace polecat::testing {

inline iptables::Set listed_set(const std::string& text) {
    const auto made = iptables::parse_sets(text);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()) << " in " << text);
    return made->front();
}

inline iptables::Set& set_in(iptables::Ruleset& rules, const std::string& name) {
    const iptables::Set* found = rules.find_set(name);
    REQUIRE_MESSAGE(found != nullptr, name);
    return const_cast<iptables::Set&>(*found);
}

inline void restore_sets(iptables::Ruleset& rules, const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string verb, name, member;
        words >> verb >> name >> member;
        if (verb == "create") {
            REQUIRE(rules.find_set(name) == nullptr);
            rules.sets.push_back(listed_set(line + "\n"));
            rules.sort();
        } else if (verb == "destroy") {
            set_in(rules, name);
            std::erase_if(rules.sets, [&](const auto& each) { return each.name == name; });
        } else {
            iptables::Set& to = set_in(rules, name);
            const auto one =
                listed_set(iptables::create_line(to) + "add " + name + " " + member + "\n")
                    .members.front();
            const auto place = std::find(to.members.begin(), to.members.end(), one);
            REQUIRE((place == to.members.end()) == (verb == "add"));
            if (verb == "add")
                to.members.push_back(one);
            else
                to.members.erase(place);
            std::sort(to.members.begin(), to.members.end());
        }
    }
}

} // namespace polecat::testing
