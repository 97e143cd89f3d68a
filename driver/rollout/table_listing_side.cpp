// What a node of the BPF classifier has, as BASE or HEAD of a rollout.
#include <optional>

#include "driver/compile/folder.h"
#include "driver/rollout/side.h"
#include "driver/verify/bpf_node.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

class TableListingSide : public RulesSide {
  public:
    TableListingSide(std::string folder, std::string node, Tables held, std::string from,
                     std::optional<backends::Numbers> numbers)
        : folder_(std::move(folder)), node_(std::move(node)), held_(std::move(held)),
          from_(std::move(from)), numbers_(std::move(numbers)) {}

    std::string name() const override { return folder_ + " (listing of " + node_ + ")"; }
    std::set<std::string> nodes() const override { return {node_}; }
    std::optional<backends::Numbers> numbers() override { return numbers_; }
    void number_by(backends::Numbers /*base*/) override {}
    Result<std::optional<Tables>> tables(const std::string& node) override {
        return node == node_ ? std::optional(held_) : std::nullopt;
    }
    ProgramUses uses(const std::string& node, const backends::NodeImage& /*image*/) override {
        const auto text =
            from_.empty() ? Result<std::string>(Error{""}) : read_file(origins_path(from_, node));
        const auto origins = text ? parse_origins(*text) : Result<Origins>(Error{text.error()});
        return origins ? uses_in(*origins) : ProgramUses{};
    }
    std::vector<std::string> notes() const override {
        return numbers_ ? std::vector<std::string>{} : std::vector{numbers_unknown(folder_)};
    }

    Result<std::optional<Held>> held(const std::string& /*node*/) override { return of_bpf(); }
    Result<std::optional<backends::NodeImage>> wanted(const std::string& /*node*/) override {
        return of_bpf();
    }
    Result<std::optional<iptables::Ruleset>> held_filter(const std::string& /*node*/) override {
        return of_bpf();
    }
    Result<std::optional<iptables::FilterImage>>
    wanted_filter(const std::string& /*node*/) override {
        return of_bpf();
    }

  private:
    Error of_bpf() const { return Error{folder_ + " is a listing of bpf"}; }

    std::string folder_, node_;
    Tables held_;
    std::string from_; ///< the compiled folder that it was loaded from, or empty
    std::optional<backends::Numbers> numbers_;
};

} // namespace

Result<std::unique_ptr<RulesSide>>
table_listing_side(const std::string& folder, const std::string& node, const std::string& numbers) {
    std::optional<backends::Numbers> known;
    if (!numbers.empty()) {
        auto read = numbers_in(numbers);
        if (!read)
            return Error{read.error()};
        known = std::move(*read);
    }
    auto listed = listed_tables_in(folder);
    if (!listed)
        return Error{listed.error()};
    auto read = bpf::read_around(std::move(listed->image), *listed->rules);
    if (!read)
        return Error{folder + ": " + read.error()};
    diag::Diagnostics told;
    auto tables = bpf::emit(read->image, node, told);
    if (!tables)
        return Error{folder + ": its tables are not this version's"};
    return std::unique_ptr<RulesSide>(std::make_unique<TableListingSide>(
        folder, node,
        RulesSide::Tables{std::move(*read), std::move(*tables), std::move(*listed->rules)}, numbers,
        std::move(known)));
}

} // namespace polecat::driver
