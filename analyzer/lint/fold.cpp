#include "analyzer/lint/fold.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/listed.h"

namespace polecat::lint {

namespace {

/// What Kubernetes means by something, and what the input lacks as a whole.
constexpr diag::Code kOnce[] = {diag::Code::EveryNamespace, diag::Code::NoDefaultDeny,
                                diag::Code::UnreadKind, diag::Code::MetadataOpen};

/// What must be mended at each place, but reads as one thing where there are many.
constexpr diag::Code kOnceOfMany[] = {
    diag::Code::ForeignPolicy,       diag::Code::UnrenderedChart, diag::Code::UnbuiltKustomization,
    diag::Code::UnrenderedTemplate,  diag::Code::PlaceholderLeft, diag::Code::UnreplacedVariable,
    diag::Code::UnprocessedTemplate, diag::Code::DuplicateObject, diag::Code::EqualPriority,
    diag::Code::LegacyApiVersion,    diag::Code::TypesOmitted,    diag::Code::NamespaceOmitted,
    diag::Code::StagedLeftBehind,    diag::Code::RedundantPolicy, diag::Code::WorldIngress,
    diag::Code::WorldEgress,         diag::Code::OldAdminPolicy,  diag::Code::NodePortOpen};
constexpr std::size_t kFew = 3;
constexpr std::size_t kMostMirrors = 5;

template <std::size_t Size> bool is_in(const diag::Code (&codes)[Size], diag::Code code) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

/// Places that have objects in common, and how many.
struct Mirror {
    std::set<std::string> places;
    std::size_t objects = 0;
    bool apart = false; ///< some of these can't be in one cluster
};

/// Chains of places are one, those with the most objects first.
std::vector<Mirror> mirrors_of(const std::vector<diag::Diagnostic>& variants) {
    std::vector<Mirror> out;
    for (const diag::Diagnostic& each : variants) {
        Mirror joined{{std::string(each.fact("first")), std::string(each.fact("second"))},
                      1,
                      each.fact("apart") == "true"};
        std::erase_if(out, [&](const Mirror& other) {
            const bool meets =
                std::any_of(joined.places.begin(), joined.places.end(),
                            [&](const std::string& place) { return other.places.contains(place); });
            if (meets) {
                joined.places.insert(other.places.begin(), other.places.end());
                joined.objects += other.objects;
                joined.apart = joined.apart || other.apart;
            }
            return meets;
        });
        out.push_back(std::move(joined));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.objects > b.objects; });
    return out;
}

/// "12 in deploy/dev, deploy/prod".
std::vector<std::string> shown(const std::vector<Mirror>& mirrors) {
    std::vector<std::string> out;
    for (const Mirror& each : mirrors)
        out.push_back(fmt::format("{} in {}", each.objects,
                                  listed({each.places.begin(), each.places.end()}, 5)));
    return out;
}

/// All of them as one finding, at the first that differs.
diag::Diagnostic told_once(const std::vector<diag::Diagnostic>& variants) {
    diag::Diagnostic out =
        *std::max_element(variants.begin(), variants.end(),
                          [](const auto& a, const auto& b) { return a.severity < b.severity; });
    const auto differ = std::count_if(variants.begin(), variants.end(), [](const auto& each) {
        return each.fact("differ") == "true";
    });
    const std::vector<Mirror> mirrors = mirrors_of(variants);
    const bool apart = std::any_of(mirrors.begin(), mirrors.end(), [](const Mirror& each) {
        return each.apart && each.objects > each.places.size();
    });
    out.message = fmt::format(
        "{} objects stand in more than one place, and {}{}", variants.size(),
        differ == 0 ? "all agree" : fmt::format("{} differ{}", differ, differ == 1 ? "s" : ""),
        apart ? ": the input looks like variants of one cluster" : "");
    out.object.clear();
    out.facts.clear();
    std::vector<std::string> places = shown(mirrors);
    if (places.size() > kMostMirrors) {
        places.resize(kMostMirrors);
        places.push_back(fmt::format("{} more", mirrors.size() - kMostMirrors));
    }
    out.with_note(fmt::format("{}", fmt::join(places, "; ")));
    out.with_note(apart ? "the last of each counts here, and of namespaces that stand in several "
                          "variants only what is certain is said (--all shows each object)"
                        : "the last of each counts here (--all shows each object)");
    if (!apart)
        out.hint = "one place for each will do";
    // How the input was read, where whole folders mirror each other.
    if (apart && out.severity == diag::Severity::Warning)
        out.severity = diag::Severity::Note;
    out.as_usual(differ == 0 || !apart);
    return out;
}

/// The object it is about, or the first words: "v1 ConfigMap: 3 objects not read".
std::string shown_of(const diag::Diagnostic& finding) {
    return finding.object.empty() ? finding.message.substr(0, finding.message.find(':'))
                                  : finding.object;
}

/// What is wrong with several host endpoints in the same way.
constexpr diag::Code kOfHosts[] = {diag::Code::HostOneDirection, diag::Code::HostWithoutPolicy,
                                   diag::Code::KubeletLockout, diag::Code::FailsafeExposed};

void fold_hosts(diag::Diagnostics& findings) {
    using Key =
        std::tuple<diag::Code, diag::Severity, std::vector<std::pair<std::string, std::string>>>;
    std::map<Key, std::vector<std::string>> alike;
    const auto key_of = [](const diag::Diagnostic& each) {
        return Key{each.code, each.severity, each.facts};
    };
    for (const diag::Diagnostic& each : findings.list())
        if (is_in(kOfHosts, each.code))
            alike[key_of(each)].push_back(each.object);
    findings.keep_if([&](diag::Diagnostic& each) {
        if (!is_in(kOfHosts, each.code))
            return true;
        std::vector<std::string>& objects = alike[key_of(each)];
        if (objects.empty() || objects.front() != each.object)
            return false; // told with the first
        if (objects.size() > 1)
            each.notes.push_back("the same of " + listed({objects.begin() + 1, objects.end()}, 10));
        objects.resize(1);
        return true;
    });
}

/// A pool in a service range that is advertised is told at the pool.
void fold_service_ranges(diag::Diagnostics& findings) {
    const auto clash_of = [](const diag::Diagnostic& each) {
        return std::pair(each.fact("pool"), each.fact("services"));
    };
    std::set<std::pair<std::string, std::string>> told;
    for (const diag::Diagnostic& each : findings.list())
        if (each.code == diag::Code::PoolOverlap)
            told.emplace(clash_of(each));
    findings.keep_if([&](const diag::Diagnostic& each) {
        return each.code != diag::Code::ServiceRangeOverlap ||
               !told.contains({std::string(each.fact("pool")), std::string(each.fact("services"))});
    });
}

using PlaceOfObject = std::tuple<FileId, std::uint32_t, std::string>;
PlaceOfObject place_of(const diag::Diagnostic& each) {
    return {each.span.file, each.span.line, each.object};
}

std::set<PlaceOfObject> places_of(const diag::Diagnostics& findings,
                                  std::initializer_list<diag::Code> codes) {
    std::set<PlaceOfObject> out;
    for (const diag::Diagnostic& each : findings.list())
        if (std::find(codes.begin(), codes.end(), each.code) != codes.end())
            out.insert(place_of(each));
    return out;
}

/// A rule that is open to everybody because its list of peers is empty is told as open, and one
/// that never decides opens nothing.
void fold_open_rules(diag::Diagnostics& findings) {
    using diag::Code;
    const auto open = places_of(findings, {Code::WorldIngress, Code::WorldEgress});
    std::set<Span> shadowed; // of the rule itself: others may stand on its line
    for (const diag::Diagnostic& each : findings.list())
        if (each.code == Code::ShadowedRule)
            shadowed.insert(each.span);
    findings.keep_if([&](const diag::Diagnostic& each) {
        if (each.code == Code::WorldIngress || each.code == Code::WorldEgress)
            return !shadowed.contains(each.span);
        return each.code != Code::EmptyValue || each.severity != diag::Severity::Note ||
               !open.contains(place_of(each));
    });
}

/// What stands around the field: "spec.ingress[0]".
std::string_view parent_of(std::string_view path) {
    return path.substr(0, path.rfind('.'));
}

/// `from:` with nothing behind it beside a field that rules don't have: the second is indented too
/// little, and belongs behind the first.
void fold_misplaced_fields(diag::Diagnostics& findings) {
    using Around = std::pair<std::string, std::string>; // the object, the mapping in it
    std::map<Around, std::vector<std::string>> empty;
    std::set<Around> told;
    const auto around = [](const diag::Diagnostic& each) {
        return Around(each.object, parent_of(each.fact("field")));
    };
    for (const diag::Diagnostic& each : findings.list())
        if (each.code == diag::Code::EmptyValue && !each.fact("field").empty())
            empty[around(each)].push_back(each.message);
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = empty.find(around(each));
        if (each.code != diag::Code::UnknownField || found == empty.end())
            return true;
        if (told.insert(found->first).second)
            each.notes.insert(each.notes.end(), found->second.begin(), found->second.end());
        return true;
    });
    findings.keep_if([&](const diag::Diagnostic& each) {
        return each.code != diag::Code::EmptyValue || !told.contains(around(each));
    });
}

// --- findings that one mistake makes -------------------------------------------------------------

/// The namespace of "NetworkPolicy shop/web"; empty: it is in none.
std::string named_space(const std::string& object) {
    const std::size_t start = object.find(' '), end = object.find('/');
    return start == std::string::npos || end == std::string::npos || end < start
               ? ""
               : object.substr(start + 1, end - start - 1);
}

/// What findings of a code have in common that one mend takes away: who it is about, and facts.
/// Of several for one code the first counts whose facts are there.
struct CommonCause {
    diag::Code code;
    enum class Of : std::uint8_t { Object, Namespace, Anything } of;
    std::vector<const char*> facts;
};
using Of = CommonCause::Of;
const CommonCause kCauses[] = {
    // A label that a namespace doesn't have, in every rule of a policy.
    {diag::Code::SelectorTypo, Of::Object, {"label", "namespace"}},
    // One policy for all pods of a namespace will do.
    {diag::Code::DnsMissing, Of::Namespace, {}},
    {diag::Code::DnsTcpMissing, Of::Namespace, {}},
    {diag::Code::NodeLocalDnsMissed, Of::Namespace, {}},
    {diag::Code::DeafPort, Of::Object, {"port"}},
    // One policy keeps what they lead to closed; else whichever of its hosts and paths leads there.
    {diag::Code::IngressBackendBlocked, Of::Namespace, {"governed_by"}},
    {diag::Code::IngressBackendBlocked, Of::Anything, {"pod", "port", "sender"}},
    // At both ends, or for each sender.
    {diag::Code::ServicePortNotPodPort, Of::Anything, {"service_port", "target"}},
    // What is not there is missed by every rule.
    {diag::Code::PeerMatchesNothing, Of::Namespace, {"selector"}},
};

/// Empty: it lacks something of it.
std::vector<std::string> words_of(const CommonCause& cause, const diag::Diagnostic& finding) {
    std::vector<std::string> out{cause.of == Of::Object      ? finding.object
                                 : cause.of == Of::Namespace ? named_space(finding.object)
                                                             : ""};
    for (const char* key : cause.facts) {
        const std::string_view value = finding.fact(key);
        if (value.empty())
            return {};
        out.emplace_back(value);
    }
    return cause.facts.empty() && out.front().empty() ? std::vector<std::string>{} : out;
}

/// Empty: the finding stands by itself.
std::vector<std::string> cause_of(const diag::Diagnostic& finding) {
    for (const CommonCause& cause : kCauses)
        if (cause.code == finding.code)
            if (auto words = words_of(cause, finding); !words.empty())
                return words;
    return {};
}

/// An Ingress is kept out because rules open another port than the one at which its backend
/// listens: told of these rules.
void fold_kept_out(diag::Diagnostics& findings) {
    std::set<std::string> deaf; // policies with such a rule
    for (const diag::Diagnostic& each : findings.list())
        if (each.code == diag::Code::DeafPort)
            deaf.insert(each.object);
    std::map<std::string, std::string> senders; // by the policy
    findings.keep_if([&](const diag::Diagnostic& each) {
        if (each.code != diag::Code::IngressBackendBlocked)
            return true;
        const std::string policies = fmt::format(", {}, ", each.fact("governed_by"));
        const auto told = std::find_if(deaf.begin(), deaf.end(), [&](const std::string& policy) {
            return policies.find(", " + policy + ", ") != std::string::npos;
        });
        if (told != deaf.end())
            senders.emplace(*told, each.object);
        return told == deaf.end();
    });
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = senders.find(each.object);
        if (each.code == diag::Code::DeafPort && found != senders.end())
            each.with_note(found->second + " sends requests there");
        return true;
    });
}

/// At the first of them.
void tell_others(diag::Diagnostic& first, const std::vector<diag::Diagnostic>& all) {
    constexpr std::size_t kMostPlaces = 3;
    std::vector<std::string> objects;
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].object == first.object && i <= kMostPlaces)
            first.with_label(all[i].span, "and here");
        else if (all[i].object != first.object &&
                 std::find(objects.begin(), objects.end(), all[i].object) == objects.end())
            objects.push_back(all[i].object);
    }
    for (const diag::Diagnostic& each : all) // what follows from another place of the policy
        for (const std::string& note : each.notes)
            if (each.object == first.object && each.code == diag::Code::SelectorTypo &&
                std::find(first.notes.begin(), first.notes.end(), note) == first.notes.end())
                first.with_note(note);
    first.message += fmt::format(" (and {} more)", all.size() - 1);
    if (!objects.empty())
        first.with_note("the same of " + listed(objects, 10));
}

/// One finding for each mistake: where it is first seen, with the other places and policies.
void fold_causes(diag::Diagnostics& findings) {
    fold_kept_out(findings);
    using Key = std::tuple<diag::Code, diag::Severity, bool, std::vector<std::string>>;
    const auto key_of = [](const diag::Diagnostic& each) {
        return Key{each.code, each.severity, each.usual, cause_of(each)};
    };
    std::map<Key, std::vector<diag::Diagnostic>> alike;
    for (const diag::Diagnostic& each : findings.list())
        if (!cause_of(each).empty())
            alike[key_of(each)].push_back(each);
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = alike.find(key_of(each));
        if (found == alike.end())
            return true;
        if (found->second.empty())
            return false; // told with the first
        if (found->second.size() > 1)
            tell_others(each, found->second);
        const std::vector<diag::Diagnostic> told = std::move(found->second);
        found->second.clear();
        return true;
    });
}

} // namespace

void fold(diag::Diagnostics& findings) {
    fold_hosts(findings);
    fold_service_ranges(findings);
    fold_open_rules(findings);
    fold_misplaced_fields(findings);
    fold_causes(findings);
    using Key = std::tuple<diag::Code, diag::Severity, bool>;
    const auto key_of = [](const diag::Diagnostic& each) {
        const bool whole = each.code == diag::Code::SeveralVariants;
        return Key{each.code, whole ? diag::Severity::Note : each.severity,
                   each.fact("policies") == "true"};
    };
    std::map<Key, std::vector<diag::Diagnostic>> alike;
    for (const diag::Diagnostic& each : findings.list())
        if (is_in(kOnce, each.code) || each.code == diag::Code::SeveralVariants ||
            (is_in(kOnceOfMany, each.code) && each.severity != diag::Severity::Error))
            alike[key_of(each)].push_back(each);
    std::erase_if(alike, [](const auto& each) {
        return is_in(kOnceOfMany, std::get<diag::Code>(each.first)) && each.second.size() <= kFew;
    });
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = alike.find(key_of(each));
        if (found == alike.end())
            return true;
        const std::vector<diag::Diagnostic> all = std::move(found->second);
        found->second.clear();
        if (all.size() < 2)
            return !all.empty(); // empty: it was told
        if (each.code == diag::Code::SeveralVariants) {
            each = told_once(all);
            return true;
        }
        const auto telling =
            std::find_if(all.begin(), all.end(), [](const auto& other) { return !other.usual; });
        each = telling == all.end() ? all.front() : *telling;
        std::vector<std::string> others;
        for (const diag::Diagnostic& other : all)
            if (const std::string name = shown_of(other);
                name != shown_of(each) &&
                std::find(others.begin(), others.end(), name) == others.end())
                others.push_back(name);
        each.message += fmt::format(" (and {} more)", all.size() - 1);
        if (!others.empty())
            each.notes.push_back("the same of " + listed(others, 10));
        return true;
    });
}

} // namespace polecat::lint
