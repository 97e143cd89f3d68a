#include "analyzer/algebra/http_atoms.h"

#include <algorithm>

#include "ir/decision/eval.h"

namespace polecat::analyzer {

namespace {

/// Is `path` equal to `prefix` or a segment below it?
bool is_below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string trimmed(std::string_view prefix) {
    while (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return std::string(prefix);
}

/// As a request would send it. Rules are compared with what decoding leaves: the path `/a%20b` of a
/// rule is that of the request `/a%2520b`.
std::string encoded(const std::string& path) {
    std::string out;
    for (const char c : path)
        out += c == '%' ? "%25" : c == '?' ? "%3F" : c == '#' ? "%23" : std::string(1, c);
    return out;
}

/// What normalisation makes of some request's path.
bool is_normal(const std::string& path) {
    return decision::normalize_http_path(encoded(path)) == path;
}

/// Hides a slash below two layers of encoding.
constexpr const char* kRefusedPath = "/..%252f";
constexpr const char* kRefusedPaths = "paths that can't be normalised";

} // namespace

HttpAtoms::HttpAtoms(const std::vector<const decision::LoweredCluster*>& clusters) {
    for (const decision::LoweredCluster* cluster : clusters)
        for (const decision::Program& program : cluster->programs)
            for (const decision::Stage& stage : program.stages)
                for (const decision::Entry& entry : stage.entries)
                    if (entry.match->http)
                        add(*entry.match->http);
    std::sort(methods_.begin(), methods_.end());
    methods_.erase(std::unique(methods_.begin(), methods_.end()), methods_.end());
    const auto before = [](const Piece& a, const Piece& b) {
        return a.text != b.text ? a.text < b.text : a.exact < b.exact;
    };
    std::sort(pieces_.begin(), pieces_.end(), before);
    pieces_.erase(std::unique(pieces_.begin(), pieces_.end(),
                              [](const Piece& a, const Piece& b) {
                                  return a.text == b.text && a.exact == b.exact;
                              }),
                  pieces_.end());
}

void HttpAtoms::add(const decision::Match::Http& match) {
    for (const std::string& method : match.methods)
        if (method != "*")
            methods_.push_back(method);
    names_paths_ = names_paths_ || !match.paths.empty();
    for (const auto& [prefix, path] : match.paths) {
        if (!prefix && is_normal(path))
            pieces_.push_back({path == "/" ? "" : path, true});
        const std::string top = trimmed(path);
        if (prefix && (top.empty() || is_normal(top)))
            pieces_.push_back({top, false});
    }
}

std::uint32_t HttpAtoms::count() const {
    return static_cast<std::uint32_t>((methods_.size() + 1) * paths());
}

/// The piece that takes a normal path: itself, or the longest prefix.
std::uint32_t HttpAtoms::piece_of(const std::string& path) const {
    const std::string key = path == "/" ? "" : path;
    std::size_t best = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        if (pieces_[i].exact && pieces_[i].text == key)
            return static_cast<std::uint32_t>(i);
        if (!pieces_[i].exact && is_below(key, pieces_[i].text) &&
            pieces_[i].text.size() >= pieces_[best].text.size())
            best = i;
    }
    return static_cast<std::uint32_t>(best);
}

HttpSet HttpAtoms::of(const decision::Match::Http& match) const {
    std::vector<bool> pieces(paths(), match.paths.empty());
    for (const auto& [prefix, path] : match.paths) {
        const std::string top = prefix ? trimmed(path) : path == "/" ? "" : path;
        for (std::size_t i = 0; i < pieces_.size(); ++i)
            if (prefix ? is_below(pieces_[i].text, top)
                       : pieces_[i].exact && pieces_[i].text == top)
                pieces[i] = true;
    }
    const bool any = match.methods.empty() || std::find(match.methods.begin(), match.methods.end(),
                                                        "*") != match.methods.end();
    HttpSet out;
    for (std::size_t method = 0; method <= methods_.size(); ++method) {
        const bool wanted = any || (method < methods_.size() &&
                                    std::find(match.methods.begin(), match.methods.end(),
                                              methods_[method]) != match.methods.end());
        for (std::size_t i = 0; wanted && i < pieces.size(); ++i)
            if (pieces[i])
                out.push_back(static_cast<std::uint32_t>(method * pieces.size() + i));
    }
    return out;
}

std::uint32_t HttpAtoms::of(const decision::Flow::Http& request) const {
    const auto path = decision::normalize_http_path(request.path);
    const auto found = std::lower_bound(methods_.begin(), methods_.end(), request.method);
    const bool known = found != methods_.end() && *found == request.method;
    const auto method =
        known ? static_cast<std::size_t>(found - methods_.begin()) : methods_.size();
    const std::size_t piece = path ? piece_of(*path) : !names_paths_ ? 0 : pieces_.size();
    return static_cast<std::uint32_t>(method * paths() + piece);
}

/// Of a prefix: a name below it that nothing else takes.
std::string HttpAtoms::example_path(std::size_t piece) const {
    if (piece == pieces_.size())
        return kRefusedPath;
    if (pieces_[piece].exact)
        return pieces_[piece].text.empty() ? "/" : encoded(pieces_[piece].text);
    std::string path = pieces_[piece].text + "/x";
    while (piece_of(path) != piece)
        path += "x";
    return encoded(path);
}

decision::Flow::Http HttpAtoms::example(std::uint32_t atom) const {
    const std::size_t method = atom / paths();
    std::string name = method < methods_.size() ? methods_[method] : "GET";
    while (method == methods_.size() && std::binary_search(methods_.begin(), methods_.end(), name))
        name = name == "GET" ? "PATCH" : name + "X";
    return {name, example_path(atom % paths())};
}

/// "/cart, /orders/*": prefixes whose whole tree is there are written once.
std::string HttpAtoms::describe_pieces(const std::vector<bool>& pieces) const {
    if (std::find(pieces.begin(), pieces.end(), false) == pieces.end())
        return "any path";
    std::string out;
    std::vector<bool> told(pieces_.size(), false);
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        if (!pieces[i] || told[i])
            continue;
        const std::string& text = pieces_[i].text;
        if (pieces_[i].exact) {
            add(text.empty() ? "/" : text);
            continue;
        }
        std::string but;
        for (std::size_t j = 0; j < pieces_.size(); ++j)
            if (j != i && is_below(pieces_[j].text, text)) {
                told[j] = true;
                if (!pieces[j])
                    but += (but.empty() ? "" : ", ") +
                           (pieces_[j].text.empty() ? "/" : pieces_[j].text) +
                           (pieces_[j].exact ? "" : "/*");
            }
        add(text + "/*" + (but.empty() ? "" : " (but not " + but + ")"));
    }
    if (names_paths_ && pieces.back())
        add(kRefusedPaths);
    return out;
}

std::string HttpAtoms::describe(const HttpSet& set) const {
    std::string out;
    std::vector<std::pair<std::vector<bool>, std::string>> by_paths;
    for (std::size_t method = 0; method <= methods_.size(); ++method) {
        std::vector<bool> pieces(paths(), false);
        for (const std::uint32_t atom : set)
            if (atom / paths() == method)
                pieces[atom % paths()] = true;
        if (std::find(pieces.begin(), pieces.end(), true) == pieces.end())
            continue;
        const std::string name = method < methods_.size() ? methods_[method]
                                 : methods_.empty()       ? "any method"
                                                          : "other methods";
        const auto same = std::find_if(by_paths.begin(), by_paths.end(),
                                       [&](const auto& each) { return each.first == pieces; });
        if (same != by_paths.end())
            same->second += "|" + name;
        else
            by_paths.emplace_back(std::move(pieces), name);
    }
    for (const auto& [pieces, names] : by_paths)
        out += (out.empty() ? "" : ", ") + names + " " + describe_pieces(pieces);
    return out;
}

} // namespace polecat::analyzer
