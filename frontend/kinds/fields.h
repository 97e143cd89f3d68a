/// Fields: strict reading of a mapping. Every key must be asked for; finish() reports the rest as
/// unknown fields with the nearest known one. Wrong types are reported where they stand.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/yaml/node.h"
#include "ir/policy/objects.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// Numbers and booleans where text must be: the API server refuses them, calicoctl makes text of
/// them.
enum class OtherScalars : std::uint8_t { Refused, Taken };

class Fields {
  public:
    /// `node` may be null or absent (then it has no fields); anything but a mapping is reported.
    /// `path` is for messages: "spec.ingress[0].source".
    Fields(const yaml::Node* node, std::string path, std::string object,
           diag::Diagnostics& diagnostics);

    /// The member; nullptr when absent or null. Marks the key as known.
    const yaml::Node* get(std::string_view key);
    /// Typed members; wrong types are reported and read as absent.
    std::optional<At<std::string>> string(std::string_view key);
    std::optional<At<std::int64_t>> integer(std::string_view key);
    std::optional<At<double>> number(std::string_view key);
    std::optional<At<bool>> boolean(std::string_view key);
    /// Items of a sequence member; a non-sequence is reported. Empty when absent.
    std::vector<const yaml::Node*> list(std::string_view key);
    std::vector<At<std::string>> strings(std::string_view key);
    /// A mapping of strings.
    std::vector<std::pair<At<std::string>, At<std::string>>>
    string_map(std::string_view key, OtherScalars others = OtherScalars::Refused);
    /// A nested mapping.
    Fields mapping(std::string_view key);
    bool has(std::string_view key); ///< present, even when null
    /// Known but not read here.
    void ignore(std::initializer_list<std::string_view> keys);
    /// Everything not asked for passes unread (parts of kinds that polecat doesn't read).
    void ignore_rest();
    /// finish() for mappings of Kubernetes, of which newer releases may know more: `others` are the
    /// fields that are known and not read, what is near to a known one is a slip, and anything else
    /// `other`. `slip`: how bad a slip is.
    void finish_open(std::span<const std::string_view> others,
                     diag::Severity slip = diag::Severity::Error,
                     diag::Severity other = diag::Severity::Note);

    /// Reports keys that were never asked for.
    void finish();

    Span span() const;                  ///< of the mapping; not known where there is none
    Span home() const { return home_; } ///< where it is, or would be
    Span key_span(std::string_view key) const;
    bool present() const { return node_ != nullptr; }
    const std::string& path() const { return path_; }
    std::string path_of(std::string_view key) const;
    const std::string& object() const { return object_; }
    diag::Diagnostics& diagnostics() const { return *diagnostics_; }

  private:
    void report_unknown(diag::Severity slip, diag::Severity other);
    std::optional<diag::Fix> rename(const yaml::Member& member, const std::string& near) const;

    const yaml::Node* node_ = nullptr;
    std::string path_, object_;
    diag::Diagnostics* diagnostics_;
    std::vector<std::string_view> known_;
    bool rest_ignored_ = false;
    Span home_;
};

/// The whole number that a scalar says, if it says one; reports digits that mean another one.
std::optional<std::int64_t> as_integer(const yaml::Node& node, const std::string& path,
                                       const std::string& object, diag::Diagnostics& diagnostics);

/// The text of a scalar; anything else is reported.
/// Item `index` of the list `key` of `parent`.
Fields item(const yaml::Node* node, Fields& parent, std::string_view key, std::size_t index);

std::optional<At<std::string>> as_text(const yaml::Node& node, const std::string& path,
                                       const std::string& object, diag::Diagnostics& diagnostics);

diag::Diagnostic& report_wrong_type(diag::Diagnostics& diagnostics, const yaml::Node& node,
                                    const std::string& path, std::string_view expected,
                                    const std::string& object);

/// metadata of any object: name, namespace, labels, annotations; the rest ignored. `namespaced`:
/// an absent namespace is "default". `key`s of the root other than metadata are the caller's.
/// `unknown`: how bad a field is that metadata has in no kind.
policy::Metadata read_metadata(Fields& root, bool namespaced,
                               diag::Severity unknown = diag::Severity::Warning);

} // namespace polecat::frontend
