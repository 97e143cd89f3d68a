/// Random changes of manifests, document by document.
#pragma once

#include <string>
#include <vector>

#include "tests/random_cluster.h"

namespace polecat::testing {

inline std::vector<std::string> documents_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = 0, end; (end = text.find("\n---\n", at)) != std::string::npos;
         at = end + 5)
        out.push_back(text.substr(at, end - at));
    return out;
}

inline std::string text_of(const std::vector<std::string>& documents) {
    std::string out;
    for (const std::string& each : documents)
        out += each + "\n---\n";
    return out;
}

inline void shuffle(std::vector<std::string>& documents, Random& random) {
    for (std::size_t i = documents.size(); i > 1; --i)
        std::swap(documents[i - 1], documents[random.below(i)]);
}

/// One thing that a day brings: a policy or a pod that goes, comes, or has other labels.
inline void change(std::vector<std::string>& documents, Random& random, std::uint64_t& fresh) {
    const std::size_t at = random.below(documents.size());
    std::string& document = documents[at];
    const bool is_pod = document.find("kind: Pod,") != std::string::npos;
    const bool is_policy = document.find("NetworkPolicy") != std::string::npos;
    if (is_pod && random.chance(40)) {
        const std::size_t label = document.find("app: ") + 5;
        document[label] = "abc"[random.below(3)];
    } else if ((is_pod || is_policy) && random.chance(40) && documents.size() > 8) {
        documents.erase(documents.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
        for (std::string& each : documents_of(ClusterWriter(++fresh, {}).write()))
            if (each.find("NetworkPolicy") != std::string::npos) {
                const std::size_t name = each.find("name: ") + 6;
                each.insert(name, "n" + std::to_string(fresh));
                documents.push_back(each);
                break;
            }
    }
}

} // namespace polecat::testing
