#include "cli/polecat/compile/bird.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/bird/bird.h"
#include "passes/routing/routing.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

namespace fs = std::filesystem;

class BirdCompiler {
  public:
    BirdCompiler(const BirdCompileOptions& options, Input& input)
        : options_(options), input_(input) {}

    int run() {
        const routing::ClusterRouting cluster = passes::lower_routing(
            input_.cluster, routing_options(options_.flags, input_.sources, diagnostics_),
            diagnostics_);
        std::vector<routing::NodeIndex> nodes;
        for (routing::NodeIndex i = 0; i < cluster.nodes.size(); ++i) {
            const routing::BgpNode& node = cluster.nodes[i];
            if ((node.v4 || node.v6) && (options_.node.empty() || node.name == options_.node))
                nodes.push_back(i);
        }
        if (nodes.empty() && !diagnostics_.has_errors())
            diagnostics_.report(diag::Code::NoBgpNode, Span{}, {wanted(cluster.nodes.size())})
                .with_hint("add `calicoctl get nodes -o yaml`, or `kubectl get nodes -o yaml` with "
                           "Calico's annotations");
        // Everything is looked at before anything is written.
        for (const routing::NodeIndex node : nodes)
            check(cluster, node);
        diagnostics_.sort();
        fmt::print(stderr, "{}",
                   diag::render_text(diagnostics_.list(), input_.sources, {colour_on(true)}));
        if (diagnostics_.has_errors())
            return kFindings;
        for (const routing::NodeIndex node : nodes)
            if (!write(cluster, node))
                return kBadInput;
        return kGood;
    }

  private:
    /// Of what none has an address: "there is no Node", "none of the 2 Nodes has".
    std::string wanted(std::size_t nodes) const {
        if (!options_.node.empty())
            return fmt::format("there is no Node `{}` with", options_.node);
        return nodes < 2 ? "the input has no Node with"
                         : fmt::format("none of the {} Nodes has", nodes);
    }

    void check(const routing::ClusterRouting& cluster, routing::NodeIndex index) {
        const auto node = passes::node_routing(cluster, index, diagnostics_);
        if (!node)
            return;
        for (const routing::KernelPool& pool : bird::not_expressible(*node))
            diagnostics_
                .report(diag::Code::TunnelNotInBird, pool.origin.span,
                        {node->node, net::to_string(pool.cidr)})
                .about(pool.origin.object)
                .with_hint("programClusterRoutes: EnabledNoEncapOnly in BGPConfiguration leaves "
                           "these routes to Felix");
    }

    /// Nothing is written that does not read back as what it was made from. Made anew for each
    /// node: the sessions of a large mesh fit into no memory together.
    bool write(const routing::ClusterRouting& cluster, routing::NodeIndex index) const {
        diag::Diagnostics told; // by check()
        const auto node = passes::node_routing(cluster, index, told);
        bird::EmitOptions how;
        how.origins = options_.origins ? &input_.sources : nullptr;
        const std::string text = bird::emit(*node, how);
        const auto again = bird::read_back(text);
        if (!again || *again != bird::comparable(*node))
            throw std::runtime_error(
                "node " + node->node +
                ": what was compiled does not read back as the same routing (" +
                (again ? "the form differs" : again.error()) +
                "); it was not written. This is a fault of polecat");
        const fs::path path = fs::path(options_.out) / "nodes" / node->node / "bird.conf";
        if (!write_file(path.string(), text)) {
            fmt::print(stderr, "polecat: cannot write {}\n", path.string());
            return false;
        }
        fmt::print("{}: {} -> {}\n", node->node, summary(*node), path.string());
        return true;
    }

    static std::string summary(const routing::NodeRouting& node) {
        std::set<std::string> passwords;
        for (const routing::FamilyRouting* family : {&node.v4, &node.v6})
            for (const routing::Session& session : family->sessions)
                if (session.password)
                    passwords.insert(bird::password_file(*session.password));
        std::string out =
            fmt::format("{}, {}, reads back equal",
                        counted(node.v4.sessions.size() + node.v6.sessions.size(), "session"),
                        counted(node.v4.blocks.size() + node.v6.blocks.size(), "block"));
        if (!passwords.empty())
            out += fmt::format(", needs {}", fmt::join(passwords, " "));
        return out;
    }

    const BirdCompileOptions& options_;
    Input& input_;
    diag::Diagnostics diagnostics_;
};

} // namespace

bool write_file(const std::string& path, const std::string& text) {
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << text;
    return static_cast<bool>(out.flush());
}

int compile_bird(const BirdCompileOptions& options, Input& input) {
    return BirdCompiler(options, input).run();
}

} // namespace polecat::cli
