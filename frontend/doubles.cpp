#include "frontend/doubles.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "frontend/differences.h"
#include "frontend/discover.h"
#include "frontend/joined_objects.h"
#include "frontend/placeholders.h"
#include "support/letters.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

using yaml::Node;

/// Group (Calico's, whichever of its names, or Kubernetes'), kind, namespace, name.
using Identity = std::tuple<bool, std::string, std::string, std::string>;

bool is_calico(const TypeMeta& type) {
    return type.api_version.find("projectcalico.org/") != std::string::npos;
}

constexpr const char* kDefault = "default";

std::optional<Identity> identity_of(const Object& object) {
    const Node* name = name_node(*object.root);
    if (object.row == nullptr || name == nullptr || !name->is_scalar() || name->text.empty() ||
        (holds_placeholder(name->text) && !is_policy_like(object.type)))
        return std::nullopt;
    std::string space;
    if (!is_global_kind(object.type.kind)) {
        space = space_of(object);
        space = space.empty() ? kDefault : space;
    }
    return Identity{is_calico(object.type), object.type.kind, space, name->text};
}

bool is_pods(const Object& object) {
    return object.row != nullptr &&
           (object.row->read == read_workload || object.row->read == read_pod);
}

/// Pods that stand twice are of two clusters, and so is what differs; many folders of one cluster
/// say the same namespace.
bool tells_clusters_apart(const Object& object, bool equal) {
    static constexpr std::string_view kShared[] = {"Namespace", "ServiceAccount", "Secret"};
    return is_pods(object) || (!equal && std::find(std::begin(kShared), std::end(kShared),
                                                   object.type.kind) == std::end(kShared));
}

bool is_unplaced(const Object& object) {
    return !is_global_kind(object.type.kind) && space_of(object).empty();
}

// --- slips and variants --------------------------------------------------------------------------

/// An object that stands again.
struct Double {
    std::size_t first, second; ///< among the objects
    bool equal;
    bool variant = false;
    bool elsewhere = false; ///< in another folder
    bool steps = false;     ///< of a course, each of which replaces what one before made
    bool unplaced = false;  ///< and neither says its namespace: they may be two objects
};

/// The number of a step and what its name says but for that: "lab 3" of `lab3-policy`.
struct Step {
    std::string number, name;
};

/// A word such as `step` may stand before the number; `web2` is the name of something.
std::optional<Step> step_of(const std::string& name) {
    static constexpr std::string_view kWords[] = {"",    "step",    "lab",    "part",     "stage",
                                                  "ex",  "chapter", "module", "exercise", "lesson",
                                                  "day", "task",    "phase",  "section",  "level"};
    constexpr const char* kDigits = "0123456789";
    const std::size_t first = name.find_first_of(kDigits);
    if (first == std::string::npos)
        return std::nullopt;
    std::string word = lower_case(name.substr(0, first));
    while (!word.empty() && std::string_view("-_. ").find(word.back()) != std::string_view::npos)
        word.pop_back();
    if (std::find(std::begin(kWords), std::end(kWords), word) == std::end(kWords))
        return std::nullopt;
    std::size_t end = std::min(name.find_first_not_of("0123456789.", first), name.size());
    while (end > first && name[end - 1] == '.') // before the ending
        --end;
    return Step{name.substr(first, end - first), word + name.substr(end)};
}

bool are_numbered(const std::string& a, const std::string& b, bool folders) {
    const auto one = step_of(a), other = step_of(b);
    return one && other && one->number != other->number && (folders || one->name == other->name);
}

class DoublesFinder {
  public:
    DoublesFinder(const std::vector<Object>& objects, const Sources* sources)
        : objects_(objects), sources_(sources) {}

    std::vector<Double> run() {
        std::map<Identity, std::size_t> last;
        for (std::size_t i = 0; i < objects_.size(); ++i)
            if (auto identity = identity_of(objects_[i])) {
                const auto [known, fresh] = last.emplace(std::move(*identity), i);
                if (fresh)
                    continue;
                found_.push_back(
                    {known->second, i, are_equal(objects_[known->second], objects_[i])});
                known->second = i;
            }
        tell_apart();
        return std::move(found_);
    }

    /// The file or the folder, whichever tells the two apart.
    std::pair<std::string, std::string> places(const Double& each) const {
        const std::string a = path(each.first), b = path(each.second);
        return each.elsewhere ? std::pair(folder_of(a), folder_of(b)) : std::pair(a, b);
    }

  private:
    /// Of a policy what it says counts, not what is written on it.
    static bool are_equal(const Object& a, const Object& b) {
        return say_the_same(*a.root, *b.root) ||
               (is_policy_name(a.type.kind) &&
                say_the_same_of_policy(*a.root, *b.root, a.type.kind));
    }

    const Span& span(std::size_t object) const { return objects_[object].root->span; }
    std::string path(std::size_t object) const {
        return sources_ == nullptr ? "" : sources_->path(span(object).file);
    }

    std::pair<std::string, std::string> folders(const Double& each) const {
        return {folder_of(path(each.first)), folder_of(path(each.second))};
    }
    bool in_one_file(const Double& each) const {
        return span(each.first).file == span(each.second).file;
    }

    /// `dns-policy.yaml` and `dns-policy.sets.yaml`, `web-service.yaml` and
    /// `web-nodeport-service.yaml`, `pool-a.yaml` and `pool-b.yaml`: one of them is applied.
    bool are_alternatives(const Double& each) const {
        std::string a = name_of(path(each.first)), b = name_of(path(each.second));
        a = a.substr(0, a.rfind('.'));
        b = b.substr(0, b.rfind('.'));
        if (a.size() > b.size())
            std::swap(a, b);
        constexpr std::size_t kWord = 5;
        const auto same = static_cast<std::size_t>(
            std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
        const auto back = static_cast<std::size_t>(
            std::mismatch(a.rbegin(), a.rend(), b.rbegin()).first - a.rbegin());
        return a != b && a.size() >= kWord &&
               (same + back >= a.size() || b.find(a) != std::string::npos ||
                (same > kWord && same * 3 >= b.size() * 2));
    }

    /// `1-deny/web.yaml` and `2-allow/web.yaml`, `lab3` and `lab4`, `02-web.yaml` and
    /// `05-web.yaml`: numbers tell apart what else has one name, or what numbered folders hold.
    bool are_steps(const Double& each) const {
        const fs::path a = path(each.first), b = path(each.second);
        const auto [one, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        if (one == a.end() || other == b.end())
            return false;
        const bool folders = std::next(one) != a.end() && std::next(other) != b.end();
        return are_numbered(one->string(), other->string(), folders);
    }

    /// Two objects are a slip; an object in a third file, or three objects of two folders or of the
    /// files of one, are not.
    void tell_apart() {
        std::map<std::pair<std::string, std::string>, std::size_t> shared;
        std::map<std::size_t, std::size_t> files; // that have an object so far
        for (Double& each : found_) {
            each.elsewhere = folders(each).first != folders(each).second;
            each.unplaced = each.elsewhere && is_unplaced(objects_[each.first]) &&
                            is_unplaced(objects_[each.second]);
            each.steps = !in_one_file(each) && are_steps(each);
            if (in_one_file(each))
                continue;
            ++shared[folders(each)];
            const auto before = files.find(each.first);
            files[each.second] = before == files.end() ? 2 : before->second + 1;
        }
        std::set<std::size_t> again; // objects that stand in a later file as well
        std::size_t variants = 0;
        for (auto each = found_.rbegin(); each != found_.rend(); ++each) {
            if (in_one_file(*each)) // one source may be built twice
                each->variant = span(each->first) == span(each->second);
            else
                each->variant = each->elsewhere || are_alternatives(*each) ||
                                shared[folders(*each)] > kMostSlips ||
                                files[each->second] > kMostSlips || again.contains(each->second);
            // Numbers say as well in which order files are applied.
            each->steps = each->steps && (each->elsewhere || files[each->second] > kMostSlips ||
                                          again.contains(each->second));
            if (each->variant && !in_one_file(*each))
                again.insert(each->first);
            variants += each->variant ? 1 : 0;
        }
        settle(variants > kMostSlips);
    }

    /// Where there are variants, what else stands in two files is told with them, but for policies:
    /// of them a slip is too dear.
    void settle(bool has_variants) {
        for (Double& each : found_)
            if (!has_variants)
                each.variant = each.unplaced || each.steps ||
                               (!each.elsewhere && !in_one_file(each) && are_alternatives(each));
            else if (!in_one_file(each) &&
                     (each.equal || !is_policy_like(objects_[each.second].type)))
                each.variant = true;
    }

    static constexpr std::size_t kMostSlips = 2;
    const std::vector<Object>& objects_;
    const Sources* sources_;
    std::vector<Double> found_;
};

/// Of which people keep several to choose from.
bool is_settings(const TypeMeta& type) {
    return type.group() == "operator.tigera.io";
}

/// Two that differ in labels of which no policy here asks are the same to policy.
bool differ_for_policies(const Object& first, const Object& second,
                         const std::vector<Object>& objects) {
    const std::string& kind = second.type.kind;
    if (kind != "Namespace" && kind != "ServiceAccount")
        return !say_the_same_of_policy(*first.root, *second.root, kind);
    const std::vector<std::string> labels = differing_labels(*first.root, *second.root);
    return std::any_of(labels.begin(), labels.end(), [&](const std::string& label) {
        return std::any_of(objects.begin(), objects.end(), [&](const Object& each) {
            return is_policy_like(each.type) && asks_for_label(*each.root, kind, label);
        });
    });
}

void report_slip(const Object& first, const Object& second, const Double& each, bool is_error,
                 const Sources* sources, const std::vector<Object>& objects,
                 diag::Diagnostics& diagnostics) {
    const std::string label = object_label(*second.root, second.type.kind);
    auto& diagnostic =
        diagnostics.report(diag::Code::DuplicateObject, name_node(*second.root)->span, {label});
    diagnostic.about(label).with_label(name_node(*first.root)->span, "first here");
    if (const std::string by = joined_by(first, second, sources); !by.empty()) {
        diagnostic.severity =
            is_error && !each.equal ? diag::Severity::Error : diag::Severity::Warning;
        diagnostic.with_note(by + ", and kustomize refuses two objects of one name")
            .with_hint("leave `namespace:` out of the kustomization, or give the two other names");
        return;
    }
    if (each.equal) {
        diagnostic.severity = diag::Severity::Note;
        diagnostic.with_hint("both say the same; one of them can go");
        diagnostic.as_usual(!is_policy_like(second.type));
        return;
    }
    // Of Kubernetes' own kinds the last one applied counts, and which one that is seldom matters to
    // policy; of two policies that differ nobody can say which is meant.
    // A file that no kustomization names stands beside what one makes of another.
    const bool matters = second.type.kind != "Secret" && second.type.kind != "Ingress" &&
                         !is_settings(second.type) &&
                         is_renamed(first, sources) == is_renamed(second, sources) &&
                         differ_for_policies(first, second, objects);
    diagnostic.severity = is_error  ? diag::Severity::Error
                          : matters ? diag::Severity::Warning
                                    : diag::Severity::Note;
    diagnostic.as_usual(!is_error && !matters);
    diagnostic
        .with_note("the two differ: the one that is applied last replaces the other, and here that "
                   "is taken to be this one")
        .with_hint("keep one; where they are for two clusters, ask about each on its own");
}

void report_variant(const Object& first, const Object& second, const Double& each,
                    const std::pair<std::string, std::string>& places, bool is_error,
                    diag::Diagnostics& diagnostics) {
    const std::string label = object_label(*second.root, second.type.kind);
    auto& diagnostic =
        diagnostics.report(diag::Code::SeveralVariants, name_node(*second.root)->span,
                           {label, places.first, places.second});
    diagnostic.about(label)
        .with_label(name_node(*first.root)->span, "first here")
        .with_fact("first", places.first)
        .with_fact("second", places.second)
        .with_fact("differ", each.equal ? "false" : "true")
        .with_fact("apart", tells_clusters_apart(second, each.equal) ? "true" : "false")
        .with_hint(each.steps ? "steps of a course replace one another: pass one at a time"
                   : each.unplaced
                       ? "neither says its namespace, so two may be meant: pass one folder at a "
                         "time, with --namespace"
                       : "pass the files of one cluster only: its folder, or what its "
                         "kustomization makes");
    // Of others the last counts, as with `kubectl apply`; of policies answers know none.
    const bool matters = !each.equal && !each.steps && is_policy_like(second.type);
    diagnostic.severity = is_error  ? diag::Severity::Error
                          : matters ? diag::Severity::Warning
                                    : diag::Severity::Note;
}

/// More than one of this is in the input, so what it shows of the namespace is nobody's.
void note_mixed(const Object& object, policy::Cluster& cluster) {
    const std::string space = space_of(object);
    if (object.type.kind == "Namespace")
        cluster.spaces_in_part.insert(name_node(*object.root)->text);
    else if (!is_global_kind(object.type.kind))
        cluster.spaces_in_part.insert(space.empty() ? kDefault : space);
}

/// The folders whose variants were found, for all files that objects are from.
void note_variants(const std::set<std::string>& folders, const std::vector<Object>& objects,
                   const Sources& sources, policy::Cluster& cluster) {
    for (const Object& each : objects) {
        const FileId file = each.root->span.file;
        const auto found = folders.find(folder_of(sources.path(file)));
        if (found != folders.end())
            cluster.variants[file] =
                static_cast<std::size_t>(std::distance(folders.begin(), found));
    }
}

} // namespace

void drop_doubles(std::vector<Object>& objects, const Sources* sources, Variants variants,
                  policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    DoublesFinder finder(objects, sources);
    std::vector<bool> dropped(objects.size(), false);
    std::set<std::string> folders;
    for (const Double& each : finder.run()) {
        const Object& first = objects[each.first];
        Object& second = objects[each.second];
        const bool policy = is_policy_like(second.type), several = each.variant || each.elsewhere;
        const bool is_error = policy && (!several || variants == Variants::Refused);
        if (each.variant)
            report_variant(first, second, each, finder.places(each), is_error, diagnostics);
        else
            report_slip(first, second, each, is_error, sources, objects, diagnostics);
        const bool counts = several && variants == Variants::Last;
        second.contested = first.contested || (!each.equal && policy && !counts);
        if (several &&
            (is_pods(second) || policy || (second.type.kind == "Namespace" && !each.equal)))
            note_mixed(second, cluster);
        if (each.variant && each.elsewhere && tells_clusters_apart(second, each.equal)) {
            const auto [one, other] = finder.places(each);
            folders.insert({one, other});
        }
        dropped[each.first] = true;
    }
    if (sources != nullptr)
        note_variants(folders, objects, *sources, cluster);
    std::size_t at = 0;
    std::erase_if(objects, [&](const Object&) { return dropped[at++]; });
}

void note_unplaced(const std::vector<Object>& objects, const Sources& sources,
                   policy::Cluster& cluster) {
    std::set<std::string> folders;
    bool elsewhere = false, pods = false;
    for (const Object& each : objects)
        if (space_of(each).empty() && !is_global_kind(each.type.kind) &&
            (is_pods(each) || is_policy_name(each.type.kind))) {
            const FileId file = each.root->span.file;
            folders.insert(folder_of(sources.path(file)));
            elsewhere = elsewhere || cluster.placed_elsewhere.contains(file);
            pods = pods || is_pods(each);
        }
    if (folders.size() > 1 || elsewhere || (!folders.empty() && !pods))
        cluster.spaces_in_part.insert(kDefault);
}

} // namespace polecat::frontend
