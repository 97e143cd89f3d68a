// Pictures: nothing is lost or misread, whatever names are in them.
#include <random>

#include <doctest/doctest.h>

#include "backends/graph/graph.h"

using namespace polecat;
using backends::Graph;

namespace {

using NodeKind = Graph::NodeKind;
using EdgeKind = Graph::EdgeKind;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t out = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
        ++out;
    return out;
}

std::string svg_of(const Graph& graph) {
    const auto svg = backends::to_svg(graph);
    REQUIRE_MESSAGE(svg.ok(), (svg ? "" : svg.error()));
    return *svg;
}

Graph small() {
    Graph graph;
    graph.title = "two";
    graph.nodes = {{"shop/web", "shop", "", NodeKind::Governed},
                   {"any outside address", "", "", NodeKind::Outside}};
    graph.edges = {{1, 0, "TCP 443"}};
    return graph;
}

/// A governed receiver, and senders that no policy restricts.
Graph star(std::size_t senders) {
    Graph graph;
    graph.nodes = {{"db", "shop", "", NodeKind::Governed}};
    for (std::size_t i = 1; i <= senders; ++i) {
        graph.nodes.push_back({"s" + std::to_string(i), "shop", "", NodeKind::Open});
        graph.edges.push_back({i, 0, "TCP 5432"});
    }
    return graph;
}

} // namespace

TEST_CASE("a graph as DOT and with arrows") {
    const Graph graph = small();
    const std::string dot = backends::to_dot(graph);
    CHECK(dot.find("shop/web") != std::string::npos);
    CHECK(dot.find("TCP 443") != std::string::npos);
    CHECK(dot == backends::to_dot(graph));
    CHECK(backends::drawing_of(graph) == backends::Drawing::Arrows);
    const std::string svg = svg_of(graph);
    CHECK(svg == svg_of(graph));
    CHECK(svg.find("<svg") != std::string::npos);
    CHECK(svg.find("policy both ways") != std::string::npos); // the legend
}

TEST_CASE("names come out as they are and are no markup") {
    Graph graph = small();
    const std::string name = "<script>alert(1)</script>&amp;\\N\\G\"'";
    graph.title = graph.nodes[0].label = graph.nodes[0].cluster = graph.edges[0].label = name;
    for (const bool table : {false, true}) {
        while (table && graph.edges.size() <= backends::kMostArrows)
            graph.edges.push_back({1, 0, name});
        const std::string svg = svg_of(graph);
        CHECK(svg.find("<script") == std::string::npos);
        CHECK(svg.find("&lt;script&gt;alert(1)") != std::string::npos);
        CHECK(svg.find("&amp;amp;\\N\\G") != std::string::npos);
    }
    CHECK(backends::escape_markup("<a b='c' d=\"&\">\x01") ==
          "&lt;a b=&#39;c&#39; d=&quot;&amp;&quot;&gt;");
    CHECK(backends::shortened("äöü", 2) == "äö…");
    CHECK(backends::shortened("äöü", 3) == "äöü");
}

TEST_CASE("many arrows are a table with every connection") {
    Graph graph;
    for (std::size_t i = 0; i < 40; ++i)
        graph.nodes.push_back(
            {"w" + std::to_string(i), i < 20 ? "a" : "b", "", NodeKind::Governed});
    for (std::size_t i = 0; i < 40; i += 2)
        for (std::size_t to = 0; to < 40; to += 5)
            graph.edges.push_back({i, to, "TCP " + std::to_string(to + 1)});
    CHECK(backends::drawing_of(graph) == backends::Drawing::Table);
    const std::string svg = svg_of(graph);
    CHECK(count(svg, "<title>w") == 40 * 2 + graph.edges.size());
    CHECK(svg.find("w2 -&gt; w35: TCP 36") != std::string::npos);
    graph.nodes.resize(backends::kMostNodes + 1);
    CHECK_FALSE(backends::to_svg(graph).ok());
}

TEST_CASE("a table joins neighbours that say the same, within a namespace") {
    Graph graph;
    for (std::size_t i = 0; i < 100; ++i)
        graph.nodes.push_back({"w" + std::to_string(i), i < 50 ? "a" : "b", "", NodeKind::Open});
    for (std::size_t to = 0; to < 100; ++to)
        graph.edges.push_back({0, to, "*"});
    const std::string svg = svg_of(graph);
    CHECK(svg.find("w0 -&gt; w0 to w49 (50): *") != std::string::npos);
    CHECK(svg.find("w0 -&gt; w50 to w99 (50): *") != std::string::npos);
}

TEST_CASE("condensed: what every free sender may do stands in the box") {
    const Graph alike = backends::condensed(star(6));
    CHECK(alike.edges.empty());
    CHECK(alike.nodes[0].label == "db\nfrom all: TCP 5432");
    CHECK(backends::condensed(star(3)).edges.size() == 3);
    Graph differs = star(6);
    differs.edges[2].label = "TCP 22";
    CHECK(backends::condensed(differs).edges.size() == 6);
    Graph lacks = star(6);
    lacks.edges.pop_back();
    CHECK(backends::condensed(lacks).edges.size() == 5);
    Graph governed = star(6);
    governed.nodes[1].kind = NodeKind::Governed;
    const Graph one = backends::condensed(governed);
    REQUIRE(one.edges.size() == 1); // a restricted sender keeps its arrow
    CHECK(one.edges[0].from == 1);
    Graph implied = star(6);
    implied.edges.push_back({1, 2, "*", EdgeKind::Allowed, true});
    const Graph without = backends::condensed(implied);
    CHECK(without.edges.empty());
    CHECK(without.notes.size() == 2);
}

TEST_CASE("Graphviz lays out what it is given") {
    std::mt19937 random(7);
    const auto below = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    for (int round = 0; round < 60; ++round) {
        Graph graph;
        const std::size_t nodes = 2 + below(24);
        for (std::size_t i = 0; i < nodes; ++i) {
            const auto kind = static_cast<NodeKind>(below(7));
            const bool outside = kind == NodeKind::Outside;
            graph.nodes.push_back({"w" + std::to_string(i),
                                   outside ? "" : "ns" + std::to_string(below(5)), "", kind});
        }
        const std::size_t edges = below(backends::kMostArrows + 1);
        for (std::size_t i = 0; i < edges; ++i)
            graph.edges.push_back({below(nodes), below(nodes), "TCP " + std::to_string(i + 1),
                                   static_cast<EdgeKind>(below(7))});
        const std::string svg = svg_of(graph);
        for (const Graph::Edge& edge : graph.edges)
            CHECK(svg.find(">" + edge.label + "<") != std::string::npos);
    }
}
