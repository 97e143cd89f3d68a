/// What every object has: name, namespace, labels, annotations.
#pragma once

#include <map>
#include <string>

#include "ir/selector/selector.h"
#include "support/source.h"

namespace polecat::policy {

using selector::Labels;

struct Metadata {
    std::string name;
    std::string space;        ///< namespace; empty for cluster-wide kinds
    bool space_given = false; ///< false: "default" was filled in
    Labels labels;
    std::map<std::string, std::string> annotations;
    Span span; ///< metadata.name
    /// Known: here is something that could not be read, so that what the object says is not known.
    /// Of a policy: outside of its rules; it may then have any.
    Span unread;
    bool labels_unread = false; ///< what was wrong is in the labels, or may be
    /// What is not known of it, where it was read ("which of its pods is meant"); else empty.
    std::string unread_part;
};

/// "shop/web", or "web" of what has no namespace.
std::string full_name(const Metadata& meta);

} // namespace polecat::policy
