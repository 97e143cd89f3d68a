/// Objects that stand twice in the input: slips, and variants of one cluster. A repository as it
/// lies in Git is often several clusters: overlays, environments, releases, tests.
#pragma once

#include <vector>

#include "frontend/objects.h"
#include "ir/policy/cluster.h"
#include "support/source.h"

namespace polecat::frontend {

/// What counts of variants whose policies differ.
enum class Variants {
    Unknown, ///< nobody knows which one is meant: what hangs on them is not known
    Last,    ///< the last one, for who asks whether its text is good
    Refused, ///< an error, for who writes what a node is to do
};

/// Of objects with one kind, namespace and name the last stays, as with `kubectl apply`, and it is
/// said: equal ones are a note, two policies that differ an error. Where folders, or many objects
/// of two files, say the same names, these are variants: said as such, and the cluster notes of
/// which namespaces it shows more than one. `sources`: nullptr: all are of one text.
void drop_doubles(std::vector<Object>& objects, const Sources* sources, Variants variants,
                  policy::Cluster& cluster, diag::Diagnostics& diagnostics);

/// Objects that say no namespace and lie in several folders may go into several, and policies
/// without such pods beside them into any: the cluster notes that it doesn't know all of the one
/// they are taken to be in.
void note_unplaced(const std::vector<Object>& objects, const Sources& sources,
                   policy::Cluster& cluster);

} // namespace polecat::frontend
