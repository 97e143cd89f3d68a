#include "backends/graph/graph.h"

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

#include <cstdlib>
#include <map>
#include <memory>

namespace polecat::backends {

namespace {

/// Graphviz takes char* that it does not write to.
char* text(const std::string& value) {
    return const_cast<char*>(value.c_str());
}

struct CloseGraph {
    void operator()(Agraph_t* graph) const { agclose(graph); }
};
using GraphPtr = std::unique_ptr<Agraph_t, CloseGraph>;

void set(void* object, const std::string& name, const std::string& value) {
    const std::string none;
    agsafeset(object, text(name), text(value), text(none));
}

GraphPtr build(const Graph& graph) {
    const std::string name = "polecat";
    GraphPtr out(agopen(text(name), Agdirected, nullptr));
    set(out.get(), "rankdir", "LR");
    set(out.get(), "fontname", "Helvetica");
    std::map<std::string, Agraph_t*> clusters;
    std::vector<Agnode_t*> nodes;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Graph::Node& node = graph.nodes[i];
        Agraph_t* inside = out.get();
        if (!node.cluster.empty()) {
            Agraph_t*& cluster = clusters[node.cluster];
            if (cluster == nullptr) {
                const std::string id = "cluster_" + std::to_string(clusters.size());
                cluster = agsubg(out.get(), text(id), 1);
                set(cluster, "label", node.cluster);
                set(cluster, "color", "#8899aa");
            }
            inside = cluster;
        }
        const std::string id = "n" + std::to_string(i);
        Agnode_t* made = agnode(inside, text(id), 1);
        set(made, "label", node.label);
        set(made, "shape", node.outside ? "ellipse" : "box");
        set(made, "fontname", "Helvetica");
        nodes.push_back(made);
    }
    for (std::size_t i = 0; i < graph.edges.size(); ++i) {
        const Graph::Edge& edge = graph.edges[i];
        const std::string id = "e" + std::to_string(i);
        Agedge_t* made = agedge(out.get(), nodes[edge.from], nodes[edge.to], text(id), 1);
        set(made, "label", edge.label);
        set(made, "fontname", "Helvetica");
        set(made, "fontsize", "10");
        if (edge.doubtful)
            set(made, "style", "dashed");
    }
    return out;
}

} // namespace

std::string to_dot(const Graph& graph) {
    const GraphPtr built = build(graph);
    char* data = nullptr;
    std::size_t size = 0;
    FILE* memory = open_memstream(&data, &size);
    if (memory == nullptr)
        return {};
    agwrite(built.get(), memory);
    std::fclose(memory);
    std::string out(data, size);
    std::free(data);
    return out;
}

Result<std::string> to_svg(const Graph& graph) {
    const GraphPtr built = build(graph);
    const std::unique_ptr<GVC_t, int (*)(GVC_t*)> context(gvContext(), gvFreeContext);
    const std::string layout = graph.nodes.size() > 400 ? "sfdp" : "dot";
    if (gvLayout(context.get(), built.get(), layout.c_str()) != 0)
        return Error{"Graphviz cannot lay the graph out with " + layout};
    char* data = nullptr;
    unsigned size = 0;
    const int failed = gvRenderData(context.get(), built.get(), "svg", &data, &size);
    std::string out = failed == 0 ? std::string(data, size) : std::string();
    if (failed == 0)
        gvFreeRenderData(data);
    gvFreeLayout(context.get(), built.get());
    if (failed != 0)
        return Error{"Graphviz cannot render svg"};
    return out;
}

} // namespace polecat::backends
