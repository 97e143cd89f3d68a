/// Templates as they stand in a part: words and groups once each, since a namespace's workloads
/// have most of theirs in common. For artefact/bundle only.
#pragma once

#include "artefact/bundle/codec.h"

namespace polecat::bundle {

struct TemplatesPart {
    struct Look {
        std::uint32_t space = 0;           ///< of `words`
        std::vector<std::uint32_t> labels; ///< keys and values in turn, of `words`
        std::vector<policy::EndpointPort> ports;
        std::uint32_t group = 0;
    };
    std::vector<std::string> words;  ///< sorted
    std::vector<GroupRecord> groups; ///< sorted
    std::vector<Look> looks;
};

template <class C, Is<TemplatesPart::Look> R> void describe(C& c, R& r) {
    c.fields(r.space, r.labels, r.ports, r.group);
}
template <class C, Is<TemplatesPart> R> void describe(C& c, R& r) {
    c.fields(r.words, r.groups, r.looks);
}

std::string bytes_of_templates(const std::vector<TemplateRecord>& templates);
/// Throws cbor::Failure.
std::vector<TemplateRecord> read_templates(std::string_view bytes);

} // namespace polecat::bundle
