#include "manifests.h"

#include <algorithm>
#include <cstdlib>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace polecat::testing {

namespace {

std::uint32_t lines_of(const std::string& text) {
    return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Namespaces that have nothing to do with the mistake and are in order.
void add_bystanders(std::vector<Document>& documents, Random& random) {
    for (std::size_t i = 0, count = random.below(4); i < count; ++i) {
        const std::string name = fmt::format("by-$(by{})", i);
        const auto add = [&](const std::string& text) { documents.push_back({"", text, false}); };
        add("{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}\n");
        add(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: idle, namespace: {}, "
                        "labels: {{run: by}}}}, spec: {{nodeName: node1, containers: [{{name: c, "
                        "image: i}}]}}, status: {{podIPs: $(ips {})}}}}\n",
                        name, 100 + i));
        add("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, "
            "namespace: " +
            name + "}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}\n");
    }
}

void apply(const Edit& edit, std::vector<Document>& documents) {
    const auto found = std::find_if(documents.begin(), documents.end(),
                                    [&](const Document& each) { return each.id == edit.document; });
    REQUIRE_MESSAGE(found != documents.end(), "no document ", edit.document);
    if (edit.drop) {
        documents.erase(found);
        return;
    }
    const auto at = found->text.find(edit.old_text);
    REQUIRE_MESSAGE(at != std::string::npos, edit.document, " has no ", edit.old_text);
    found->text.replace(at, edit.old_text.size(), edit.new_text);
    found->here = found->here || edit.here;
}

} // namespace

Manifests manifests_of(const std::string& base, const Seed* seed, Random& random,
                       const std::string& family) {
    std::vector<Document> documents = read_base(base);
    add_bystanders(documents, random);
    if (seed != nullptr) {
        for (const Edit& edit : seed->edits)
            apply(edit, documents);
        documents.insert(documents.end(), seed->added.begin(), seed->added.end());
    }
    for (std::size_t i = documents.size(); i > 1; --i)
        std::swap(documents[i - 1], documents[random.below(i)]);
    Words words(random, family);
    Manifests out;
    std::uint32_t line = 1;
    for (const Document& each : documents) {
        const std::string text = words.expand(each.text) + "---\n";
        const std::uint32_t next = line + lines_of(text);
        if (each.here)
            out.here.emplace_back(line, next - 1);
        out.text += text;
        line = next;
    }
    if (seed != nullptr)
        for (const std::string& each : seed->verdicts)
            out.verdicts.push_back(words.expand(each));
    return out;
}

std::size_t clusters_for_each() {
    const char* wanted = std::getenv("POLECAT_SEEDS");
    return wanted == nullptr ? 6 : std::strtoul(wanted, nullptr, 10);
}

} // namespace polecat::testing
