/// What a compile of manifests gives for each node: images, files, and whom and which line they
/// are of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "backends/bpf/bpf.h"
#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "driver/compile/origins.h"

namespace polecat::driver {

/// What is written of a node. Nothing that does not read back as what it was made from.
struct NodeFiles {
    std::map<std::string, std::string> texts; ///< by name in the folder of the node
    std::size_t programs = 0, addresses = 0;  ///< addresses of the node's own workloads
    std::optional<std::size_t> sets;          ///< of iptables

    std::string summary() const; ///< "6 programs, 3 local addresses"
};

/// Reports pods that are on no node, so that no node has rules for them. Those on the network of
/// their host have none anywhere.
void report_unplaced(const decision::LoweredCluster& cluster, diag::Diagnostics& diagnostics);

class Compilation {
  public:
    /// Both must outlive this. The rest as NodeImages has it.
    Compilation(const decision::LoweredCluster& cluster, const Sources& sources,
                backends::Numbers base = {}, const backends::NodeOptions& options = {});
    /// Of a node of a bundle.
    Compilation(const decision::LoweredCluster& cluster, const Sources& sources,
                backends::IdentityNumbers numbers, backends::OwnSides own, backends::Numbers base,
                const backends::NodeOptions& options = {});

    /// Those that endpoints are on, by name.
    std::set<std::string> nodes() const;

    /// What can't be expressed is reported; nullopt then.
    std::optional<backends::NodeImage> image(const std::string& node,
                                             diag::Diagnostics& diagnostics);
    std::optional<iptables::FilterImage> filter_image(const std::string& node,
                                                      diag::Diagnostics& diagnostics);
    /// Of what these return. All throw std::runtime_error where it does not read back: a
    /// fault of ours.
    static backends::CompiledRules rules(const std::string& node, const backends::NodeImage& image);
    NodeFiles files(const std::string& node, const backends::NodeImage& image);
    static NodeFiles files(const std::string& node, const iptables::FilterImage& image);
    /// For the BPF classifier and the rules around it: workloads and host endpoints apart. What
    /// rules can't say is reported; nullopt then.
    std::optional<bpf::Node> bpf_node(const std::string& node, const backends::NodeImage& image,
                                      diag::Diagnostics& diagnostics);
    /// Of both, as above; what the classifier can't do is reported, nullopt then.
    std::optional<NodeFiles> table_files(const std::string& node, const backends::NodeImage& image,
                                         diag::Diagnostics& diagnostics);

    Origins origins(const std::string& node, const backends::NodeImage& image);
    /// The endpoint of an address; empty: none.
    std::string name_at(const net::Address& address) const;
    /// The name that images have for a program; empty: of those that can't be said.
    const std::string& program_name(decision::ProgramId id) { return images_.name_of(id); }
    /// Of the nodes that were asked for.
    backends::Numbers numbers() const { return images_.record(); }
    /// Of all nodes: for who asks for few of them, since a program that comes to a node may run
    /// elsewhere already.
    backends::Numbers all_numbers();

  private:
    iptables::FilterImages& filters();

    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    std::optional<decision::Identities> identities_; ///< of a whole cluster
    backends::NodeImages images_;
    std::optional<iptables::FilterImages> filters_; ///< once they are asked for: filters()
};

} // namespace polecat::driver
