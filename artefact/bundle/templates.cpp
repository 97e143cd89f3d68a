#include "artefact/bundle/templates.h"

#include <algorithm>
#include <set>

namespace polecat::bundle {

namespace {

template <class T> std::uint32_t place_in(const std::vector<T>& sorted, const T& value) {
    return static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), value) -
                                      sorted.begin());
}

template <class T> const T& at_place(const std::vector<T>& list, std::uint32_t place) {
    if (place >= list.size())
        throw cbor::Failure{"a template has something that its part does not have"};
    return list[place];
}

} // namespace

std::string bytes_of_templates(const std::vector<TemplateRecord>& templates) {
    std::set<std::string> words;
    std::set<GroupRecord> groups;
    for (const TemplateRecord& each : templates) {
        words.insert(each.space);
        for (const auto& [key, value] : each.labels) {
            words.emplace(key);
            words.emplace(value);
        }
        groups.insert(each.group);
    }
    TemplatesPart out{{words.begin(), words.end()}, {groups.begin(), groups.end()}, {}};
    for (const TemplateRecord& each : templates) {
        TemplatesPart::Look& look = out.looks.emplace_back();
        look.space = place_in(out.words, each.space);
        for (const auto& [key, value] : each.labels)
            for (const std::string_view word : {key, value})
                look.labels.push_back(place_in(out.words, std::string(word)));
        look.ports = each.ports;
        look.group = place_in(out.groups, each.group);
    }
    Encoder encoder;
    encoder.put(out);
    return encoder.take();
}

std::vector<TemplateRecord> read_templates(std::string_view bytes) {
    Decoder in(bytes);
    TemplatesPart part;
    in.get(part);
    in.finish();
    std::vector<TemplateRecord> out;
    for (TemplatesPart::Look& look : part.looks) {
        if (look.labels.size() % 2 != 0)
            throw cbor::Failure{"a template has a key without a value"};
        std::vector<selector::Labels::Pair> pairs;
        for (std::size_t i = 0; i < look.labels.size(); i += 2)
            pairs.emplace_back(at_place(part.words, look.labels[i]),
                               at_place(part.words, look.labels[i + 1]));
        out.push_back({at_place(part.words, look.space), selector::Labels(std::move(pairs)),
                       std::move(look.ports), at_place(part.groups, look.group)});
    }
    if (bytes_of_templates(out) != bytes) // one form only
        throw cbor::Failure{"templates are not in order"};
    return out;
}

} // namespace polecat::bundle
