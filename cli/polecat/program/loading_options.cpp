#include "cli/polecat/program/loading_options.h"

namespace polecat::cli {

void add_loading_options(CLI::App& command, LoadingOptions& into) {
    command.add_option("--variant", into.variant, "iptables, bpf: iptables-nft or iptables-legacy")
        ->check(CLI::IsMember({"nft", "legacy"}))
        ->default_str("nft");
    command.add_option("--classifier", into.classifier,
                       "bpf: its programs (classifier.bpf.o), when not beside polecat nor in "
                       "share/polecat");
}

driver::LoadOptions LoadingOptions::of(const std::string& target) const {
    if (!variant.empty() && target == "nftables")
        throw CLI::ValidationError("--variant", "rules of nftables do not go through iptables: "
                                                "only those of iptables and bpf have one");
    if (!classifier.empty() && target != "bpf")
        throw CLI::ValidationError("--classifier", "only rules of bpf have one");
    driver::LoadOptions out;
    out.variant = variant == "legacy" ? runtime::Iptables::Legacy : runtime::Iptables::Nft;
    out.classifier = classifier.empty() ? driver::installed_classifier() : classifier;
    return out;
}

} // namespace polecat::cli
