/// What a compile of manifests gives for each node: images, files, and whom and which line they
/// are of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "backends/iptables/build.h"
#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "driver/compile/origins.h"

namespace polecat::driver {

/// What is written of a node. Nothing that does not read back as what it was made from.
struct NodeFiles {
    std::map<std::string, std::string> texts; ///< by name in the folder of the node
    std::size_t programs = 0, addresses = 0;
    std::optional<std::size_t> sets; ///< of iptables
};

class Compilation {
  public:
    /// Both must outlive this. The rest as NodeImages has it.
    Compilation(const decision::LoweredCluster& cluster, const Sources& sources,
                backends::Numbers base = {}, const backends::NodeOptions& options = {});

    /// Those that endpoints are on, by name.
    std::set<std::string> nodes() const;
    /// Reports pods that are on no node, so in no bundle. Those on the network of their host have
    /// no rules.
    void report_unplaced(diag::Diagnostics& diagnostics) const;

    /// What can't be expressed is reported; nullopt then.
    std::optional<backends::NodeImage> image(const std::string& node,
                                             diag::Diagnostics& diagnostics);
    std::optional<iptables::FilterImage> filter_image(const std::string& node,
                                                      diag::Diagnostics& diagnostics);
    /// Of what these return. All three throw std::runtime_error where it does not read back: a
    /// fault of ours.
    static backends::CompiledRules rules(const std::string& node, const backends::NodeImage& image);
    NodeFiles files(const std::string& node, const backends::NodeImage& image);
    static NodeFiles files(const std::string& node, const iptables::FilterImage& image);

    Origins origins(const std::string& node, const backends::NodeImage& image);
    /// The endpoint of an address; empty: none.
    std::string name_at(const net::Address& address) const;
    /// Of the nodes that were asked for.
    backends::Numbers numbers() const { return images_.record(); }

  private:
    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    decision::Identities identities_;
    backends::NodeImages images_;
    std::optional<iptables::FilterImages> filters_; ///< once they are asked for
};

} // namespace polecat::driver
