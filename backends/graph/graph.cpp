#include "backends/graph/graph.h"

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>

#include "backends/graph/styles.h"

namespace polecat::backends {

namespace {

constexpr std::size_t kLabelLength = 38;

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

/// Graphviz reads \N, \G, \l and entities such as &lt; in labels: names must come out as they are.
std::string literal(const std::string& value) {
    std::string out;
    for (const char c : value)
        if (c == '\\')
            out += "\\\\";
        else if (c == '&')
            out += "&amp;";
        else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n')
            out += c;
    return out;
}

/// Numbers names in the order in which they come. Graphviz's own ids are addresses in memory, and
/// it writes and places clusters in the order of ids: each run would look different.
struct Ids {
    std::map<std::string, IDTYPE> numbers;
    std::map<IDTYPE, char*> names; ///< strings of Graphviz: it looks at what stands before them
    Agraph_t* graph = nullptr;
    IDTYPE next = 2, unnamed = 1;

    static void* open(Agraph_t* graph, Agdisc_t*) {
        auto* ids = new Ids;
        ids->graph = graph;
        return ids;
    }
    static void close(void* state) { delete static_cast<Ids*>(state); }
    static long map(void* state, int kind, char* name, IDTYPE* id, int create) {
        Ids& ids = *static_cast<Ids*>(state);
        if (name == nullptr) {
            *id = ids.unnamed;
            ids.unnamed += create != 0 ? 2 : 0;
            return create;
        }
        const std::string key = std::to_string(kind) + name;
        const auto found = ids.numbers.find(key);
        if (found == ids.numbers.end() && create == 0)
            return 0;
        *id = found == ids.numbers.end() ? ids.next : found->second;
        if (found == ids.numbers.end()) {
            ids.numbers.emplace(key, ids.next);
            ids.names.emplace(ids.next, agstrdup(ids.graph, name));
            ids.next += 2;
        }
        return 1;
    }
    static long take(void*, int, IDTYPE) { return 0; }
    static void release(void*, int, IDTYPE) {}
    static char* print(void* state, int, IDTYPE id) {
        Ids& ids = *static_cast<Ids*>(state);
        const auto found = ids.names.find(id);
        return found == ids.names.end() ? nullptr : found->second;
    }
    static void note(void*, int, void*) {}
};

Agdisc_t* disciplines() {
    static Agiddisc_t ids{Ids::open,  Ids::map,   Ids::take, Ids::release,
                          Ids::print, Ids::close, Ids::note};
    static Agdisc_t all{&AgMemDisc, &ids, &AgIoDisc};
    return &all;
}

class Builder {
  public:
    explicit Builder(const Graph& graph) : graph_(graph) {
        const std::string name = "polecat";
        out_.reset(agopen(text(name), Agdirected, disciplines()));
    }

    GraphPtr build() {
        header();
        nodes();
        edges();
        if (graph_.legend && !graph_.nodes.empty())
            legend();
        return std::move(out_);
    }

  private:
    void header() {
        std::string label = literal(graph_.title) + "\\l";
        for (const std::string& note : graph_.notes)
            label += literal(shortened(note, kNoteLength)) + "\\l";
        for (const auto& [name, value] :
             std::initializer_list<std::pair<const char*, std::string>>{{"rankdir", "LR"},
                                                                        {"fontname", "Helvetica"},
                                                                        {"fontsize", "13"},
                                                                        {"labelloc", "t"},
                                                                        {"labeljust", "l"},
                                                                        {"label", label},
                                                                        {"ranksep", "0.7"},
                                                                        {"nodesep", "0.2"},
                                                                        {"bgcolor", "white"}})
            set(out_.get(), name, value);
    }

    Agraph_t* cluster(const std::string& name) {
        Agraph_t*& found = clusters_[name];
        if (found != nullptr)
            return found;
        const std::string id = "cluster_" + std::to_string(clusters_.size());
        found = agsubg(out_.get(), text(id), 1);
        set(found, "label", literal(name));
        set(found, "tooltip", literal(name));
        set(found, "pencolor", "#8899aa");
        set(found, "fillcolor", "#f5f7f9");
        set(found, "labeljust", "l");
        set(found, "style", "rounded,filled");
        return found;
    }

    Agnode_t* node(Agraph_t* inside, const std::string& id, const Graph::Node& from) {
        Agnode_t* made = agnode(inside, text(id), 1);
        const NodeStyle& style = style_of(from.kind);
        set(made, "label", literal(from.label));
        set(made, "tooltip", literal(from.tooltip.empty() ? from.label : from.tooltip));
        set(made, "shape", style.shape);
        set(made, "style", style.style);
        set(made, "fillcolor", style.fill);
        set(made, "color", style.line);
        set(made, "fontname", "Helvetica");
        set(made, "fontsize", "12");
        set(made, "margin", "0.14,0.06");
        return made;
    }

    void edge(Agnode_t* from, Agnode_t* to, const std::string& id, const std::string& label,
              Graph::EdgeKind kind, const std::string& tooltip) {
        Agedge_t* made = agedge(out_.get(), from, to, text(id), 1);
        const EdgeStyle& style = style_of(kind);
        set(made, "label", literal(shortened(label, kLabelLength)));
        set(made, "tooltip", literal(tooltip));
        set(made, "labeltooltip", literal(tooltip));
        set(made, "fontname", "Helvetica");
        set(made, "fontsize", "10");
        set(made, "color", style.colour);
        set(made, "fontcolor", style.colour);
        set(made, "style", style.style);
        set(made, "penwidth", style.width);
    }

    /// An outside range that sends and receives is drawn twice, so that arrows go one way.
    void nodes() {
        std::vector<bool> sends(graph_.nodes.size()), receives(graph_.nodes.size());
        for (const Graph::Edge& each : graph_.edges)
            sends[each.from] = receives[each.to] = true;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            const Graph::Node& each = graph_.nodes[i];
            Agraph_t* inside = each.cluster.empty() ? out_.get() : cluster(each.cluster);
            senders_.push_back(node(inside, "n" + std::to_string(i), each));
            receivers_.push_back(senders_.back());
            if (each.kind == Graph::NodeKind::Outside && sends[i] && receives[i])
                receivers_.back() = node(inside, "n" + std::to_string(i) + "to", each);
        }
    }

    void edges() {
        for (std::size_t i = 0; i < graph_.edges.size(); ++i) {
            const Graph::Edge& each = graph_.edges[i];
            edge(senders_[each.from], receivers_[each.to], "e" + std::to_string(i), each.label,
                 each.kind,
                 graph_.nodes[each.from].label + " -> " + graph_.nodes[each.to].label + ": " +
                     each.label);
        }
    }

    /// Samples of what the picture uses, in a chain.
    void legend() {
        std::set<Graph::NodeKind> node_kinds;
        std::set<Graph::EdgeKind> edge_kinds;
        for (const Graph::Node& each : graph_.nodes)
            node_kinds.insert(each.kind);
        for (const Graph::Edge& each : graph_.edges)
            edge_kinds.insert(each.kind);
        const std::string id = "cluster_legend";
        Agraph_t* box = agsubg(out_.get(), text(id), 1);
        set(box, "label", "legend");
        set(box, "color", "#bbbbbb");
        set(box, "labeljust", "l");
        set(box, "fontsize", "11");
        std::vector<Agnode_t*> samples;
        const auto sample = [&](const Graph::Node& like) {
            samples.push_back(node(box, "legend" + std::to_string(samples.size()), like));
            set(samples.back(), "fontsize", "10");
        };
        for (const Graph::NodeKind kind : node_kinds)
            sample({style_of(kind).words, "", "", kind});
        while (!edge_kinds.empty() && samples.size() < edge_kinds.size() + 1) {
            sample({"", "", "legend", Graph::NodeKind::Outside});
            set(samples.back(), "shape", "point");
        }
        std::size_t at = 0;
        for (const Graph::EdgeKind kind : edge_kinds) {
            edge(samples[at], samples[at + 1], "legend" + std::to_string(at), style_of(kind).words,
                 kind, style_of(kind).words);
            ++at;
        }
    }

    const Graph& graph_;
    GraphPtr out_;
    std::map<std::string, Agraph_t*> clusters_;
    std::vector<Agnode_t*> senders_, receivers_;
};

/// Graphviz 2.43 frees some layouts with clusters twice, so they are kept until the program ends.
struct Layout {
    GVC_t* context;
    Agraph_t* graph;
};
Layout& keep(GVC_t* context, GraphPtr graph) {
    static auto* const kept = new std::vector<Layout>;
    kept->push_back({context, graph.release()});
    return kept->back();
}

Result<std::string> arrows_svg(const Graph& graph) {
    const Layout& layout = keep(gvContext(), Builder(graph).build());
    agseterr(AGERR); // warnings about crowded labels are of no use to anybody
    if (gvLayout(layout.context, layout.graph, "dot") != 0)
        return Error{"Graphviz cannot lay the graph out"};
    char* data = nullptr;
    unsigned size = 0;
    if (gvRenderData(layout.context, layout.graph, "svg", &data, &size) != 0)
        return Error{"Graphviz cannot render svg"};
    std::string out(data, size);
    gvFreeRenderData(data);
    return out;
}

} // namespace

std::string to_dot(const Graph& graph) {
    const GraphPtr built = Builder(graph).build();
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

Drawing drawing_of(const Graph& graph) {
    return graph.edges.size() > kMostArrows || graph.nodes.size() > kMostArrows ? Drawing::Table
                                                                                : Drawing::Arrows;
}

Result<std::string> to_svg(const Graph& graph) {
    if (graph.nodes.size() > kMostNodes)
        return Error{"a picture of " + std::to_string(graph.nodes.size()) +
                     " groups is beyond reading (the limit is " + std::to_string(kMostNodes) +
                     "); --group-by namespace or label:KEY makes fewer"};
    if (drawing_of(graph) == Drawing::Table)
        return to_table_svg(graph);
    return arrows_svg(graph);
}

} // namespace polecat::backends
