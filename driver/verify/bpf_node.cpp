#include "driver/verify/bpf_node.h"

#include <filesystem>

#include "driver/compile/filter_folder.h"
#include "driver/compile/folder.h"
#include "driver/verify/filter_beside.h"
#include "driver/verify/filter_node.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace fs = std::filesystem;

Result<backends::NodeImage> tables_in(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes)
        return Error{path + ": " + bytes.error()};
    const auto tables = bpf::read(*bytes);
    if (!tables)
        return Error{path + ": " + tables.error()};
    auto image = bpf::read_back(*tables);
    return image ? std::move(image)
                 : Result<backends::NodeImage>(Error{path + ": " + image.error()});
}

Result<bpf::Node> bpf_node_in(const std::string& bundle, const std::string& node) {
    auto image = tables_in(path_in(bundle, node, kTablesFile));
    if (!image)
        return Error{image.error()};
    const std::string folder = (fs::path(bundle) / "nodes" / node).string();
    const auto rules = filter_rules_in(folder);
    if (!rules)
        return Error{rules.error()};
    auto out = bpf::read_around(std::move(*image), *rules);
    return out ? std::move(out) : Result<bpf::Node>(Error{folder + ": " + out.error()});
}

Result<ListedTables> listed_tables_in(const std::string& path) {
    const bool folder = fs::is_directory(path);
    auto image = tables_in(folder ? (fs::path(path) / kTablesFile).string() : path);
    if (!image)
        return Error{image.error()};
    ListedTables out{std::move(*image), {}};
    if (!folder)
        return out;
    auto rules = listed_filter_rules_in(path);
    if (!rules)
        return Error{rules.error()};
    out.rules = std::move(*rules);
    return out;
}

NodeVerdict judge_around(NodeVerdict out, iptables::Ruleset held, const std::string& listing,
                         const bpf::Node& wanted, const NameAt& name_at) {
    using State = NodeVerdict::State;
    iptables::Ruleset rules = bpf::rules_around(wanted);
    for (Difference& each : listing.empty()
                                ? filter_differences(held, rules, name_at)
                                : listed_filter_differences(held, rules, name_at, out.notes))
        out.differences.push_back(std::move(each));
    if (!listing.empty())
        for (std::string& each : filter_breaks(listing))
            out.differences.push_back({"", std::move(each), {}});
    if (!out.differences.empty()) {
        out.state = State::Differs;
        return out;
    }
    // Whatever the comparison does not look at.
    if (const auto read = bpf::read_around(wanted.image, held); !read) {
        out.state = State::Unread;
        out.why = (listing.empty() ? "" : listing + ": ") + read.error();
    }
    return out;
}

NodeVerdict prove_around(NodeVerdict out, Prover& prover, const iptables::Ruleset& held,
                         const NameAt& name_at) {
    if (!out.proof || out.state == NodeVerdict::State::Unread)
        return out;
    NodeProof proof = prover.prove(out.node, held, Prover::Of::HostEndpoints);
    return with_proof(std::move(out), std::move(proof), name_at);
}

} // namespace polecat::driver
