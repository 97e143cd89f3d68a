// Tables of the classifier by their plan, and the programs where there are none yet.
#include <filesystem>

#include "driver/load/connections.h"
#include "driver/load/load.h"
#include "runtime/bpf/classifier.h"
#include "runtime/bpf/pinned_text.h"

namespace polecat::driver {

namespace {

using StepKind = bpf::Plan::Step::Kind;

/// What a file of tables says beside them, for who lists what the kernel has.
constexpr const char* kNames = "names";

std::string names_of(bpf::Image image) {
    image.tables.clear();
    return bpf::write(image);
}

class TableLoader {
  public:
    TableLoader(const bpf::Image& tables, const bpf::Node& node, const LoadOptions& options)
        : tables_(tables), node_(node), options_(options) {}

    Result<Loaded> run() {
        if (const auto alone = stands_alone(options_.variant); !alone)
            return Error{alone.error()};
        auto found = held_rules(options_.variant);
        if (!found)
            return Error{found.error()};
        rules_ = std::move(*found);
        if (const auto ready = find_classifier(); !ready)
            return Error{ready.error()};
        held_.rules = rules_.rules;
        const auto beside = numbers_of_nftables();
        if (!beside)
            return Error{beside.error()};
        plan_ = bpf::plan(held_, tables_, node_, options_.pins, beside->empty());
        for (const bpf::Plan::Step& step : plan_.steps)
            if (next(step.what))
                if (const auto done = take(step); !done)
                    return Error{done.error()};
        if (const auto done = finish(); !done)
            return Error{done.error()};
        return std::move(out_);
    }

  private:
    bool next(const std::string& what) { return out_.next(what, options_); }

    /// The one that is pinned, unless tables do not fit into its maps.
    Result<bool> find_classifier() {
        std::string why = runtime::lacks_bpffs(options_.pins);
        if (!why.empty()) // also who only asks what would be done is told
            return Error{why};
        why = "nothing is pinned";
        if (std::filesystem::exists(options_.pins)) {
            auto opened = runtime::Classifier::open(options_.pins, options_.classifier);
            if (opened && opened->has_room_for(tables_)) {
                classifier_.emplace(std::move(*opened));
                held_.unfinished = classifier_->is_unfinished();
                if (auto held = classifier_->tables())
                    held_.tables = std::move(*held);
                return true;
            }
            why = opened ? "tables have grown" : opened.error();
        }
        if (!next("load the programs of the classifier (" + why + ")"))
            return true;
        auto loaded = runtime::Classifier::load(options_.classifier, tables_);
        if (!loaded)
            return Error{loaded.error()};
        classifier_.emplace(std::move(*loaded));
        new_ = true;
        return true;
    }

    Result<bool> take(const bpf::Plan::Step& step) {
        switch (step.kind) {
        case StepKind::Sets:
            return runtime::ipset_restore(step.text);
        case StepKind::Words:
            return classifier_->write(step.words);
        case StepKind::Tables: {
            const auto taken = classifier_->take(tables_);
            // Rules know programs by where they are pinned when they are loaded.
            return taken && new_ ? classifier_->pin(options_.pins) : taken;
        }
        case StepKind::Rules:
            if (step.next_number) {
                const auto found = next_number(rules_, options_.variant);
                if (!found)
                    return Error{found.error()};
                number_ = *found;
                rules_.numbers.insert(number_);
            }
            return runtime::iptables_restore(options_.variant, step.family,
                                             iptables::with_generation(step.text, number_));
        case StepKind::Deletes:
            return runtime::iptables_restore(options_.variant, step.family, step.text);
        }
        return Error{"a step of no kind"};
    }

    Result<bool> finish() {
        const iptables::Ruleset wanted = bpf::rules_around(node_, options_.pins);
        if (!hooks_come_first(rules_, wanted) && next("rules that send packets to the chains"))
            if (auto done = put_hooks_first(options_.variant, wanted); !done)
                return done;
        if (!plan_.forget.empty() && next("forget connections of addresses that came or went"))
            if (auto done = forget(plan_.forget); !done)
                return done;
        if (!out_.whole || options_.only_tell)
            return true;
        if (auto kept = keep_names(); !kept)
            return kept;
        return plan_.steps.empty() ? Result<bool>(true) : classifier_->finish();
    }

    /// Nothing that packets meet goes by it.
    Result<bool> keep_names() const {
        const std::string wanted = names_of(tables_);
        const auto held = runtime::pinned_text(options_.pins, kNames);
        return held && *held == wanted ? Result<bool>(true)
                                       : runtime::pin_text(options_.pins, kNames, wanted);
    }

    const bpf::Image& tables_;
    const bpf::Node& node_;
    const LoadOptions& options_;
    HeldRules rules_;
    bpf::Held held_;
    bpf::Plan plan_;
    std::optional<runtime::Classifier> classifier_;
    bool new_ = false;
    std::uint16_t number_ = 0;
    Loaded out_;
};

} // namespace

Result<Loaded> load_tables(const bpf::Image& tables, const bpf::Node& node,
                           const LoadOptions& options) {
    return TableLoader(tables, node, options).run();
}

Result<std::string> held_tables(const LoadOptions& options) {
    const auto lacks = [&](const std::string& why) { return Error{options.pins + ": " + why}; };
    if (!std::filesystem::exists(options.pins))
        return lacks("no classifier is pinned there");
    const auto classifier = runtime::Classifier::open(options.pins, options.classifier);
    if (!classifier)
        return Error{classifier.error()};
    if (classifier->is_unfinished())
        return lacks("a load was broken off: `polecat load` finishes it");
    auto tables = classifier->tables();
    if (!tables)
        return lacks(tables.error());
    const auto names = runtime::pinned_text(options.pins, kNames);
    if (!names)
        return Error{names.error()};
    if (!*names)
        return lacks("an earlier polecat loaded these tables, without what they are called by: "
                     "load them with this one");
    auto image = bpf::read(**names);
    if (!image)
        return lacks(image.error());
    image->tables = std::move(*tables);
    const auto read = bpf::read_back(*image);
    return read ? Result<std::string>(bpf::write(*image)) : lacks(read.error());
}

Result<bool> enter_own_bpffs() {
    return runtime::enter_own_bpffs();
}

} // namespace polecat::driver
