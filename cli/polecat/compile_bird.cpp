#include "cli/polecat/compile_bird.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/bird/bird.h"
#include "frontend/endpoint_status.h"
#include "passes/routing/routing.h"
#include "support/diag/render.h"

namespace polecat::cli {

namespace {

namespace fs = std::filesystem;

class BirdCompiler {
  public:
    BirdCompiler(const BirdCompileOptions& options, Input& input)
        : options_(options), input_(input) {}

    int run() {
        const routing::ClusterRouting cluster =
            passes::lower_routing(input_.cluster, routing_options(), diagnostics_);
        bool any = false;
        if (!diagnostics_.has_errors())
            for (routing::NodeIndex i = 0; i < cluster.nodes.size(); ++i) {
                const routing::BgpNode& node = cluster.nodes[i];
                const bool wanted = options_.node.empty() || node.name == options_.node;
                if (!wanted || (!node.v4 && !node.v6))
                    continue;
                any = true;
                compile(cluster, i);
            }
        if (!any && !diagnostics_.has_errors())
            diagnostics_
                .report(diag::Code::NoBgpNode, Span{},
                        {options_.node.empty() ? "*" : options_.node})
                .with_hint("add `calicoctl get nodes -o yaml`, or `kubectl get nodes -o yaml` with "
                           "Calico's annotations");
        diagnostics_.sort();
        fmt::print(stderr, "{}",
                   diag::render_text(diagnostics_.list(), input_.sources, {colour_on(true)}));
        return diagnostics_.has_errors() ? kFindings : write();
    }

  private:
    struct Written {
        std::string node, text, summary;
    };

    passes::RoutingOptions routing_options() {
        passes::RoutingOptions out;
        out.router_id = options_.router_id;
        out.agent_namespace = options_.agent_namespace;
        if (!options_.endpoint_status.empty())
            out.endpoint_status = frontend::read_endpoint_status(options_.endpoint_status,
                                                                 input_.sources, diagnostics_);
        if (options_.cluster_ips.empty())
            return out;
        out.cluster_ip_ranges.emplace();
        std::istringstream words(options_.cluster_ips);
        for (std::string word; std::getline(words, word, ',');)
            if (const auto cidr = net::parse_cidr(word, net::CidrForm::Strict))
                out.cluster_ip_ranges->push_back(*cidr);
            else
                diagnostics_.report(diag::Code::RefusedByBird, Span{},
                                    {"--advertise-cluster-ips must be CIDRs"});
        return out;
    }

    void compile(const routing::ClusterRouting& cluster, routing::NodeIndex index) {
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
        bird::EmitOptions how;
        how.origins = options_.origins ? &input_.sources : nullptr;
        Written out{node->node, bird::emit(*node, how), summary(*node)};
        // Nothing is written that does not read back as what it was made from.
        const auto again = bird::read_back(out.text);
        if (!again || *again != bird::comparable(*node))
            throw std::runtime_error(
                "node " + node->node +
                ": what was compiled does not read back as the same routing (" +
                (again ? "the form differs" : again.error()) +
                "); nothing was written. This is a fault of polecat");
        written_.push_back(std::move(out));
    }

    static std::string summary(const routing::NodeRouting& node) {
        std::set<std::string> passwords;
        for (const routing::FamilyRouting* family : {&node.v4, &node.v6})
            for (const routing::Session& session : family->sessions)
                if (session.password)
                    passwords.insert(bird::password_file(*session.password));
        std::string out = fmt::format("{} sessions, {} blocks, reads back equal",
                                      node.v4.sessions.size() + node.v6.sessions.size(),
                                      node.v4.blocks.size() + node.v6.blocks.size());
        if (!passwords.empty())
            out += fmt::format(", needs {}", fmt::join(passwords, " "));
        return out;
    }

    int write() const {
        for (const Written& each : written_) {
            const fs::path path = fs::path(options_.out) / "nodes" / each.node / "bird.conf";
            if (!write_file(path.string(), each.text)) {
                fmt::print(stderr, "polecat: cannot write {}\n", path.string());
                return kBadInput;
            }
            fmt::print("{}: {} -> {}\n", each.node, each.summary, path.string());
        }
        return kGood;
    }

    const BirdCompileOptions& options_;
    Input& input_;
    diag::Diagnostics diagnostics_;
    std::vector<Written> written_;
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
