/// YAML and JSON documents as trees of nodes with spans, read from libyaml's events.
/// Scalars keep their text and whether they were quoted; resolve_scalar() gives the type that
/// Kubernetes' reader (sigs.k8s.io/yaml over YAML 1.1 booleans, no base-60 numbers) would see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::yaml {

struct Member;

struct Node {
    enum class Kind : std::uint8_t { Null, Scalar, Sequence, Mapping };
    Kind kind = Kind::Null;
    bool quoted = false;         ///< a scalar in quotes, a block scalar, or tagged !!str
    Span span;                   ///< the value; a collection: its first key, dash or line
    std::string text;            ///< scalars, and how a null was spelt
    std::vector<Node> items;     ///< sequences
    std::vector<Member> members; ///< mappings, in order, keys distinct

    bool is_null() const { return kind == Kind::Null; }
    bool is_mapping() const { return kind == Kind::Mapping; }
    bool is_sequence() const { return kind == Kind::Sequence; }
    bool is_scalar() const { return kind == Kind::Scalar; }
    /// The member of that key, or nullptr. Mappings only.
    const Node* find(std::string_view key) const;
};

struct Member {
    std::string key;
    Span key_span;
    Node value;
};

enum class ScalarType : std::uint8_t { Null, Boolean, Integer, Float, String };
/// The type of a scalar node as Kubernetes' reader takes it: unquoted y, yes, on, true are
/// booleans (YAML 1.1), 0x1F and 0o17 integers, 20:21 a string. Null for a null node, String for
/// collections.
ScalarType resolve_scalar(const Node& scalar);
/// The values, when the type fits.
std::optional<bool> as_boolean(const Node& node);
std::optional<std::int64_t> as_integer(const Node& node); ///< also 80.0, which JSON writes 80
std::optional<double> as_number(const Node& node);        ///< Integer or Float

/// Text with `{{ ... }}` in it, which a templating tool was to replace.
bool looks_like_template(std::string_view text);
inline constexpr const char* kRenderFirst = "render it first: `helm template . | polecat lint -`";

struct Document {
    Node root;
    FileId file;
};

/// Limits against hostile input; documents beyond them are refused with a diagnostic.
struct Limits {
    std::size_t max_bytes = 256u << 20; ///< of one file
    std::size_t max_depth = 200;
    std::size_t max_nodes = 20'000'000; ///< of one file
    /// Nodes that aliases may add in one file (long texts count as several).
    std::size_t max_alias_nodes = 1'000'000;
    /// After so many syntax errors the rest of a file is not looked at.
    std::size_t max_errors = 50;
};

/// Reads every document of a file (YAML multi-document or JSON). Empty documents are left out.
/// Anything that can't be understood (syntax, duplicate keys with both places, not UTF-8,
/// unrendered templates, exploding aliases, limits) is reported; a document with an error in it is
/// not returned, the documents before and, where the syntax allows, after it are.
std::vector<Document> read_documents(const Sources& sources, FileId file,
                                     diag::Diagnostics& diagnostics, const Limits& limits = {});

} // namespace polecat::yaml
