#include "driver/rollout/side.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "backends/nftables/reachable.h"
#include "backends/node/felix_keys.h"
#include "driver/compile/compilation.h"
#include "driver/compile/digests.h"
#include "driver/compile/filter_folder.h"
#include "driver/compile/folder.h"
#include "driver/verify/bpf_node.h"
#include "support/listed.h"
#include "support/read_file.h"

namespace polecat::driver {

using backends::NodeImage;

namespace {

std::string side_name(std::string_view direction, std::string_view hook) {
    return hook == "normal" ? std::string(direction) : fmt::format("{} {}", hook, direction);
}

class ManifestsSide : public RulesSide {
  public:
    ManifestsSide(std::string name, const Input& input, diag::Diagnostics* diagnostics)
        : name_(std::move(name)), input_(input), diagnostics_(diagnostics),
          lowered_(passes::lower(input.cluster)) {
        for (const decision::Endpoint& each : lowered_.cluster.endpoints)
            if (!each.node.empty())
                nodes_.insert(each.node);
            else if (!each.host_network && !each.is_host_endpoint)
                ++unplaced_;
        if (diagnostics_ != nullptr)
            backends::report_felix_keys(input.cluster, *diagnostics_);
    }

    std::string name() const override { return name_ + " (manifests)"; }
    std::set<std::string> nodes() const override { return nodes_; }
    const Input* input() const override { return &input_; }
    const passes::Lowered* lowered() const override { return &lowered_; }

    std::optional<backends::Numbers> numbers() override { return compiled().all_numbers(); }
    void number_by(backends::Numbers base) override {
        base_ = std::move(base);
        compiled_.reset();
    }

    Result<std::optional<Held>> held(const std::string& node) override {
        if (!nodes_.contains(node))
            return std::optional<Held>();
        auto image = wanted(node);
        if (!image)
            return Error{image.error()};
        nft::Ruleset rules = backends::emit(**image);
        return std::optional(Held{std::move(rules), std::move(**image)});
    }

    Result<std::optional<NodeImage>> wanted(const std::string& node) override {
        diag::Diagnostics found;
        auto image = compiled().image(node, found);
        if (diagnostics_ != nullptr)
            diagnostics_->append(found);
        if (image)
            return image;
        return refusal(found);
    }

    ProgramUses uses(const std::string& node, const NodeImage& image) override {
        ProgramUses out;
        for (const decision::Endpoint& each : lowered_.cluster.endpoints) {
            if (each.node != node || each.host_network)
                continue;
            for (const auto& [key, program] : group_of(each).programs) {
                const std::string& name = compiled().program_name(program.program);
                if (image.programs.contains(name))
                    add_use(out[name], key, program, each.object);
            }
        }
        return out;
    }

    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& node) override {
        if (!nodes_.contains(node))
            return std::optional<iptables::Ruleset>();
        auto image = wanted_filter(node);
        if (!image)
            return Error{image.error()};
        iptables::Ruleset rules = iptables::emit(**image);
        rules.sort();
        return std::optional(std::move(rules));
    }

    Result<std::optional<iptables::FilterImage>> wanted_filter(const std::string& node) override {
        diag::Diagnostics found;
        auto image = compiled().filter_image(node, found);
        if (diagnostics_ != nullptr)
            diagnostics_->append(found);
        if (image)
            return image;
        return refusal(found);
    }

    Result<std::optional<Tables>> tables(const std::string& node) override {
        diag::Diagnostics found;
        auto out = tables_of(compiled(), node, found);
        if (diagnostics_ != nullptr)
            diagnostics_->append(found);
        if (out)
            return out;
        return refusal(found);
    }

    ProgramUses filter_uses(const std::string& node, const iptables::FilterImage& image) override {
        std::map<std::string, std::string> names, hosts; // by interface
        for (const decision::Endpoint& each : lowered_.cluster.endpoints)
            if (each.node == node && !each.host_network)
                (each.is_host_endpoint ? hosts : names)[each.interface_name] =
                    name_of(lowered_.cluster, each.object);
        std::map<std::string, std::set<std::string>> endpoints;
        ProgramUses out;
        for (const iptables::FilteredPod& pod : image.pods)
            for (const auto& [program, direction] :
                 {std::pair{pod.egress, "egress"}, std::pair{pod.ingress, "ingress"}})
                if (endpoints[program].insert(names[pod.interface]).second) {
                    out[program].direction = direction;
                    out[program].endpoints.push_back(names[pod.interface]);
                }
        for (const backends::AttachPoint& point : image.frame.attached) {
            out[point.program].direction =
                side_name(decision::to_string(point.direction), decision::to_string(point.hook));
            if (endpoints[point.program].insert(hosts[point.interface]).second)
                out[point.program].endpoints.push_back(hosts[point.interface]);
        }
        return out;
    }

    std::vector<std::string> notes() const override {
        if (unplaced_ == 0)
            return {};
        return {fmt::format("{}: {} on no node: rules for them come when they are placed", name_,
                            unplaced_ == 1 ? "1 pod is" : grouped_digits(unplaced_) + " pods are")};
    }

  private:
    Compilation& compiled() {
        if (!compiled_)
            compiled_ =
                std::make_unique<Compilation>(lowered_.cluster, input_.sources, std::move(base_));
        return *compiled_;
    }

    Error refusal(const diag::Diagnostics& found) const {
        const auto& all = found.list();
        const auto first = std::find_if(all.begin(), all.end(), [](const auto& each) {
            return each.severity == diag::Severity::Error;
        });
        return Error{first == all.end()
                         ? name_ + " can't be compiled for it"
                         : fmt::format("{} ({})", first->message, diag::label(first->code))};
    }

    const decision::Group& group_of(const decision::Endpoint& endpoint) const {
        return lowered_.cluster.groups[endpoint.group.value];
    }

    void add_use(ProgramUse& use, const decision::Group::Key& key,
                 const decision::GroupProgram& program, decision::ObjectId object) const {
        use.direction =
            side_name(decision::to_string(key.direction), decision::to_string(key.hook));
        use.endpoints.push_back(name_of(lowered_.cluster, object));
        for (const decision::PolicyBlock& block : program.slots.policies()) {
            use.policies.insert(policy::to_string(block.policy));
            if (block.count == 0)
                use.without_rules.insert(policy::to_string(block.policy));
        }
    }

    std::string name_;
    const Input& input_;
    diag::Diagnostics* diagnostics_;
    passes::Lowered lowered_;
    backends::Numbers base_;
    std::unique_ptr<Compilation> compiled_; ///< once something is asked
    std::set<std::string> nodes_;
    std::size_t unplaced_ = 0;
};

/// "NetworkPolicy shop/web" of "NetworkPolicy shop/web ingress[0] (policy.yaml:3:4)"; empty: of the
/// end of a tier.
std::string policy_of(const std::string& slot) {
    if (slot.starts_with("Profile ")) // each endpoint has some
        return {};
    for (const char* direction : {" ingress[", " egress["})
        if (const std::size_t at = slot.find(direction); at != std::string::npos)
            return slot.substr(0, at);
    return {};
}

class CompiledSide : public RulesSide {
  public:
    CompiledSide(std::string folder, std::optional<backends::Numbers> numbers)
        : folder_(std::move(folder)), numbers_(std::move(numbers)) {}

    std::string name() const override { return folder_ + " (compiled)"; }
    std::set<std::string> nodes() const override { return nodes_in(folder_); }
    std::optional<backends::Numbers> numbers() override { return numbers_; }
    void number_by(backends::Numbers /*base*/) override {}

    Result<std::optional<Held>> held(const std::string& node) override {
        const std::string path = rules_path(folder_, node);
        if (const std::string why = not_whole(folder_, node); !why.empty())
            return Error{why};
        if (!std::filesystem::exists(path))
            return std::optional<Held>();
        auto rules = rules_in(path);
        if (!rules)
            return Error{rules.error()};
        auto image = backends::read_back(*rules);
        if (!image)
            return Error{path + ": " + image.error()};
        return std::optional(Held{std::move(*rules), std::move(*image)});
    }

    Result<std::optional<NodeImage>> wanted(const std::string& node) override {
        auto found = held(node);
        if (!found)
            return Error{found.error()};
        return *found ? std::optional(std::move((*found)->image)) : std::nullopt;
    }

    ProgramUses uses(const std::string& node, const NodeImage& /*image*/) override {
        const auto text = read_file(origins_path(folder_, node));
        const auto origins = text ? parse_origins(*text) : Result<Origins>(Error{text.error()});
        return origins ? uses_in(*origins) : ProgramUses{};
    }

    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& node) override {
        const std::filesystem::path path = std::filesystem::path(folder_) / "nodes" / node;
        if (const std::string why = not_whole(folder_, node); !why.empty())
            return Error{why};
        if (!std::filesystem::exists(path))
            return std::optional<iptables::Ruleset>();
        auto out = filter_rules_in(path.string());
        if (!out)
            return Error{out.error()};
        return std::optional(std::move(*out));
    }

    Result<std::optional<iptables::FilterImage>> wanted_filter(const std::string& node) override {
        const auto rules = held_filter(node);
        if (!rules)
            return Error{rules.error()};
        if (!*rules)
            return std::optional<iptables::FilterImage>();
        auto image = iptables::read_back(**rules);
        if (!image)
            return Error{image.error()};
        return std::optional(std::move(*image));
    }

    Result<std::optional<Tables>> tables(const std::string& node) override {
        if (const std::string why = not_whole(folder_, node); !why.empty())
            return Error{why};
        if (!nodes().contains(node))
            return std::optional<Tables>();
        auto read = bpf_node_in(folder_, node);
        if (!read)
            return Error{read.error()};
        diag::Diagnostics told;
        auto made = bpf::emit(read->image, node, told);
        if (!made)
            return Error{folder_ + ": its tables are not this version's"};
        return std::optional(Tables{std::move(*read), std::move(*made)});
    }

  private:
    std::string folder_;
    std::optional<backends::Numbers> numbers_;
};

class ListingSide : public RulesSide {
  public:
    ListingSide(std::string path, std::string node, Held held, std::string folder,
                std::optional<backends::Numbers> numbers)
        : path_(std::move(path)), node_(std::move(node)), held_(std::move(held)),
          folder_(std::move(folder)), numbers_(std::move(numbers)) {}

    std::string name() const override { return path_ + " (listing of " + node_ + ")"; }
    std::set<std::string> nodes() const override { return {node_}; }
    std::optional<backends::Numbers> numbers() override { return numbers_; }
    void number_by(backends::Numbers /*base*/) override {}
    Result<std::optional<Held>> held(const std::string& node) override {
        return node == node_ ? std::optional(held_) : std::nullopt;
    }
    Result<std::optional<NodeImage>> wanted(const std::string& node) override {
        return node == node_ ? std::optional(held_.image) : std::nullopt;
    }
    ProgramUses uses(const std::string& node, const NodeImage& image) override {
        return folder_.empty() ? ProgramUses{}
                               : CompiledSide(folder_, std::nullopt).uses(node, image);
    }
    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& /*node*/) override {
        return Error{path_ + " is a listing of nftables"};
    }
    Result<std::optional<iptables::FilterImage>>
    wanted_filter(const std::string& /*node*/) override {
        return Error{path_ + " is a listing of nftables"};
    }
    std::vector<std::string> notes() const override {
        if (numbers_)
            return {};
        return {numbers_unknown(path_)};
    }

  private:
    std::string path_, node_;
    Held held_;
    std::string folder_;
    std::optional<backends::Numbers> numbers_;
};

} // namespace

std::string numbers_unknown(const std::string& listing) {
    return listing + " does not say what numbers mean: where it is BASE, HEAD is numbered afresh, "
                     "and more may change than would by a rollout; --base names the compiled "
                     "folder that the node was loaded from";
}

ProgramUses uses_in(const Origins& origins) {
    ProgramUses out;
    for (const auto& [program, uses] : origins.uses)
        for (const Origins::Use& each : uses) {
            out[program].direction = side_name(each.direction, each.hook);
            out[program].endpoints.push_back(each.endpoint);
        }
    for (const auto& [place, slots] : origins.slots)
        for (const std::string& slot : slots)
            if (const std::string policy = policy_of(slot); !policy.empty())
                out[place.second].policies.insert(policy);
    return out;
}

std::optional<RulesSide::Tables> tables_of(Compilation& compiled, const std::string& node,
                                           diag::Diagnostics& told) {
    const auto image = compiled.image(node, told);
    auto made = image ? compiled.bpf_node(node, *image, told) : std::nullopt;
    auto tables = made ? bpf::emit(made->image, node, told) : std::nullopt;
    if (!tables)
        return std::nullopt;
    made->image = bpf::normal(made->image); // as folders have it
    return RulesSide::Tables{std::move(*made), std::move(*tables)};
}

std::unique_ptr<RulesSide> manifests_side(std::string name, const Input& input,
                                          diag::Diagnostics* diagnostics) {
    return std::make_unique<ManifestsSide>(std::move(name), input, diagnostics);
}

Result<std::unique_ptr<RulesSide>> compiled_side(const std::string& folder, bool of_iptables) {
    if (of_iptables)
        return std::unique_ptr<RulesSide>(std::make_unique<CompiledSide>(folder, std::nullopt));
    auto numbers = numbers_in(folder);
    if (!numbers)
        return Error{numbers.error()};
    return std::unique_ptr<RulesSide>(std::make_unique<CompiledSide>(folder, std::move(*numbers)));
}

Result<std::unique_ptr<RulesSide>> listing_side(const std::string& path, const std::string& node,
                                                const std::string& numbers) {
    std::optional<backends::Numbers> known;
    if (!numbers.empty()) {
        auto read = numbers_in(numbers);
        if (!read)
            return Error{read.error()};
        known = std::move(*read);
    }
    nft::OtherTables others;
    auto rules = listed_rules_in(path, others);
    if (!rules)
        return Error{rules.error()};
    auto image = backends::read_back(backends::without_unreachable(*rules));
    if (!image)
        return Error{path + ": " + image.error() + kListedBy};
    RulesSide::Held held{std::move(*rules), std::move(*image), true};
    return std::unique_ptr<RulesSide>(
        std::make_unique<ListingSide>(path, node, std::move(held), numbers, std::move(known)));
}

} // namespace polecat::driver
