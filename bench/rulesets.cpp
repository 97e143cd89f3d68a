#include "bench/rulesets.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "artefact/nft/ruleset.h"
#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "bench/measure.h"
#include "passes/lower.h"

namespace polecat::bench {

namespace {

std::string stress_pod(const std::string& name, const std::string& node, std::size_t number,
                       const std::string& labels) {
    return fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {}, namespace: ns, labels: "
                       "{{{}}}}}, spec: {{nodeName: {}, containers: [{{name: c, image: i}}]}}, "
                       "status: {{podIP: 10.{}.{}.{}}}}}\n---\n",
                       name, labels, node, 1 + number / 65536, number / 256 % 256, number % 256);
}

std::string local_pods() {
    return stress_pod("db", "node-0000", 1, "app: db") +
           stress_pod("web", "node-0000", 2, "app: web");
}

std::string policy_for(const std::string& app, const std::string& rules, std::size_t part = 0) {
    return fmt::format("{{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {{name: "
                       "{0}-{2}, namespace: ns}}, spec: {{selector: app == '{0}', types: "
                       "[Ingress], ingress: [{1}]}}}}\n---\n",
                       app, rules, part);
}

/// As many policies as that many rules need.
template <class Rule> std::string db_with(std::size_t count, const Rule& rule) {
    std::string out = local_pods(), rules;
    for (std::size_t i = 0; i < count; ++i) {
        rules += "{action: Allow, protocol: TCP, " + rule(i) + "}, ";
        if (i % 1000 == 999 || i + 1 == count) {
            out += policy_for("db", rules, i / 1000);
            rules.clear();
        }
    }
    return out;
}

} // namespace

std::string many_selectors(std::size_t count) {
    std::string pods;
    for (std::size_t i = 0; i < count; ++i)
        pods += stress_pod(fmt::format("p{}", i), "node-0001", 10 + i, fmt::format("app: a{}", i));
    return pods + db_with(count, [](std::size_t i) {
               return fmt::format("source: {{selector: app == 'a{}'}}", i);
           });
}

std::string many_ports(std::size_t count) {
    return db_with(count, [](std::size_t i) {
        return fmt::format("destination: {{ports: [{}]}}", 1 + 4 * i);
    });
}

std::string many_source_ports(std::size_t count) {
    return db_with(count, [](std::size_t i) {
        return fmt::format("source: {{ports: [{}]}}, destination: {{ports: [{}]}}", 1000 + i,
                           2000 + 2 * i);
    });
}

std::string grid(std::size_t count) {
    return db_with(count, [](std::size_t i) {
        return fmt::format("source: {{nets: [20.{}.{}.0/24]}}, destination: {{ports: [{}]}}",
                           i / 256, i % 256, 1000 + i);
    });
}

std::string many_identities(std::size_t count) {
    std::string out = local_pods();
    // As many labels as tell that many pods apart.
    std::size_t bits = 1;
    while ((std::size_t{1} << bits) < count)
        ++bits;
    for (std::size_t i = 0; i < count; ++i) {
        std::string labels = "app: other";
        for (std::size_t bit = 0; bit < bits; ++bit)
            if ((i >> bit & 1) != 0)
                labels += fmt::format(", b{}: x", bit);
        out += stress_pod(fmt::format("p{}", i), "node-0001", 10 + i, labels);
    }
    std::string rules = "{action: Allow, source: {selector: has(b0)}}, ";
    for (std::size_t bit = 1; bit < bits; ++bit)
        rules += fmt::format("{{action: Allow, protocol: TCP, source: {{selector: has(b{})}}, "
                             "destination: {{ports: [{}]}}}}, ",
                             bit, 1000 + bit);
    return out + policy_for("db", rules);
}

std::string many_groups(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string app = fmt::format("a{}", i);
        out += stress_pod(app, "node-0000", 10 + i, "app: " + app) +
               policy_for(app, fmt::format("{{action: Allow, protocol: TCP, source: {{selector: "
                                           "app == 'a{}'}}, destination: {{ports: [{}]}}}}",
                                           (i + 1) % count, 1000 + i % 1000));
    }
    return out;
}

void rulesets_of(const std::string& name, const policy::Cluster& cluster,
                 const std::vector<std::string>& nodes) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const auto lowered = passes::lower(cluster).cluster;
    phases.done("lower");
    const decision::Identities identities(lowered);
    phases.done("identities");
    backends::NodeImages images(lowered, identities);
    std::size_t elements = 0, chains = 0, bytes = 0, closed = 0;
    for (const std::string& node : nodes) {
        const auto image = images.of(node, diagnostics);
        if (!image) {
            fmt::print(stderr, "{}: {} has no image\n", name, node);
            std::exit(1);
        }
        phases.done("image");
        for (const auto& [program, each] : image->programs)
            closed += each->closed ? 1 : 0;
        const nft::Ruleset rules = backends::emit(*image);
        for (const nft::Map& map : rules.maps)
            elements += map.elements.size();
        chains += rules.chains.size();
        const std::string text = nft::print(rules);
        bytes += text.size();
        phases.done("write");
        const auto parsed = nft::parse(text);
        const auto read = backends::read_back(*parsed);
        if (!read || *read != *image) {
            fmt::print(stderr, "{}: {} is not read back as written\n", name, node);
            std::exit(1);
        }
        phases.done("read back");
    }
    phases.print(fmt::format("{} ({} elements, {} chains, {:.1f} MB, {} closed)", name, elements,
                             chains, static_cast<double>(bytes) / 1e6, closed));
}

} // namespace polecat::bench
