#include "driver/try/tried_rules.h"

#include "backends/nftables/nftables.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"

namespace polecat::driver {

namespace {

class TriedNftables : public TriedRules {
  public:
    TriedNftables(const std::string& node, const backends::NodeImage& image)
        : image_(image), rules_(Compilation::rules(node, image).rules) {}

    Result<bool> load() override {
        return runtime::nft_apply(nft::replacing(rules_),
                                  backends::Generation{}.bits(image_.flow_mark_bit));
    }
    std::string difference() const override {
        const auto listed = runtime::nft_list("polecat");
        if (!listed)
            return listed.error();
        const auto parsed = nft::parse(*listed);
        if (!parsed)
            return parsed.error();
        const auto read = backends::read_back(*parsed);
        if (!read)
            return read.error();
        return *read == image_ ? "" : "the image differs";
    }
    std::string needs() const override { return "nft(8)"; }

  private:
    const backends::NodeImage& image_;
    nft::Ruleset rules_;
};

Result<bool> as_done(const Result<Loaded>& loaded) {
    if (!loaded)
        return Error{loaded.error()};
    return true;
}

/// Where what the kernel has needs another step, it is not what was loaded.
std::string first_step(const Result<Loaded>& again) {
    if (!again)
        return again.error();
    return again->steps.empty() ? "" : "it would take another step: " + again->steps.front();
}

class TriedFilters : public TriedRules {
  public:
    TriedFilters(LoadOptions options, iptables::FilterImage image)
        : options_(std::move(options)), image_(std::move(image)) {}

    Result<bool> load() override { return as_done(load_filters(image_, options_)); }
    std::string difference() const override {
        LoadOptions options = options_;
        options.only_tell = true;
        return first_step(load_filters(image_, options));
    }
    std::string needs() const override { return "iptables-restore(8), ipset(8), conntrack(8)"; }

  private:
    LoadOptions options_;
    iptables::FilterImage image_;
};

class TriedTables : public TriedRules {
  public:
    TriedTables(LoadOptions options, bpf::Image tables, bpf::Node node)
        : options_(std::move(options)), tables_(std::move(tables)), node_(std::move(node)) {}

    Result<bool> load() override {
        if (auto own = enter_own_bpffs(); !own)
            return own;
        return as_done(load_tables(tables_, node_, options_));
    }
    std::string difference() const override {
        LoadOptions options = options_;
        options.only_tell = true;
        return first_step(load_tables(tables_, node_, options));
    }
    std::string needs() const override {
        return "iptables-restore(8), ipset(8), conntrack(8), classifier.bpf.o, a kernel that takes "
               "BPF programs from root";
    }

  private:
    LoadOptions options_;
    bpf::Image tables_;
    bpf::Node node_;
};

} // namespace

std::unique_ptr<TriedRules> tried_rules(const std::string& target, const LoadOptions& options,
                                        Compilation& compiled, const std::string& node,
                                        const backends::NodeImage& image,
                                        diag::Diagnostics& diagnostics) {
    if (target == "iptables") {
        auto filters = compiled.filter_image(node, diagnostics);
        return filters ? std::make_unique<TriedFilters>(options, std::move(*filters)) : nullptr;
    }
    if (target == "bpf") {
        auto made = compiled.bpf_node(node, image, diagnostics);
        auto tables = made ? bpf::emit(made->image, node, diagnostics) : std::nullopt;
        return tables ? std::make_unique<TriedTables>(options, std::move(*tables), std::move(*made))
                      : nullptr;
    }
    return std::make_unique<TriedNftables>(node, image);
}

} // namespace polecat::driver
