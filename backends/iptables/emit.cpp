// Chains and sets of a node: programs, and which of them a packet meets.
#include "backends/iptables/iptables.h"

#include <set>

#include <fmt/format.h>

#include "backends/iptables/cut.h"
#include "backends/iptables/layout.h"
#include "backends/iptables/levels.h"
#include "backends/iptables/mirror.h"

namespace polecat::iptables {

using namespace filter_layout;
using Kind = Target::Kind;

namespace {

/// A program in a table, and where its Allow goes to; empty: it returns.
struct WrittenProgram {
    std::string name;
    In table = In::Filter;
    Form form = Form::Plain;
    std::string allows{};
    auto operator<=>(const WrittenProgram&) const = default;
};

WrittenProgram written(const HostProgram& of) {
    return {of.point.program, of.table, of.through ? Form::Through : Form::Plain,
            allowing_chain(of)};
}

/// Chains of one family.
class FilterEmitter {
  public:
    /// `levels`: of chains that a program may have one after the other.
    FilterEmitter(const FilterImage& image, net::Family family, std::size_t levels,
                  const WorkloadChains& workloads)
        : image_(image), family_(family), levels_(levels), workloads_(workloads) {}

    iptables::Table run() {
        out_.chains = frame(image_.frame, family_, first_chain);
        if (workloads_)
            for (Chain& each : workloads_(family_))
                out_.chains.push_back(std::move(each));
        else
            add_dispatch();
        std::set<WrittenProgram> programs;
        for (const FilteredPod& pod : image_.pods)
            for (const std::string& name : {pod.egress, pod.ingress})
                if (pod.nets.family() == family_)
                    for (const Form form : {Form::Plain, Form::Reply})
                        programs.insert({name, In::Filter, form, {}});
        for (const HostProgram& each : host_programs(image_.frame, family_))
            programs.insert(written(each));
        for (const WrittenProgram& each : programs)
            add_program(each, image_.programs.at(each.name));
        return std::move(out_);
    }

    /// Sets that chains ask and that are of several predicates, with these.
    const std::map<std::string, std::vector<std::string>>& unions() const { return unions_; }

  private:
    void chain(std::string name, std::vector<Rule> rules, In table = In::Filter) {
        out_.chains.push_back({std::move(name), std::move(rules), table});
    }

    /// One set for each program, so that pods come and go without a change of rules.
    void add_dispatch() {
        for (const bool reply : {false, true})
            for (const bool egress : {true, false}) {
                std::set<std::string> programs;
                for (const FilteredPod& pod : image_.pods)
                    if (pod.nets.family() == family_)
                        programs.insert(egress ? pod.egress : pod.ingress);
                std::vector<Rule> rules;
                for (const std::string& program : programs)
                    rules.push_back(
                        go_to({iptables::InSet{false, runs_set(program, egress, family_),
                                               egress != reply, true}},
                              stage_chain(program, 0, reply ? Form::Reply : Form::Plain)));
                rules.push_back(drop({}, "unknown workload interface or address"));
                chain(std::string(egress ? "polecat-from" : "polecat-to") + (reply ? "-r" : ""),
                      std::move(rules));
            }
    }

    void add_program(const WrittenProgram& as, const FilterProgram& program) {
        const std::vector<std::size_t> levels = share_levels(program, levels_);
        for (std::size_t i = 0; i < program.stages.size(); ++i) {
            const FilterStage& stage = program.stages[i];
            const std::string next = stage_chain(as.name, i + 1, as.form);
            std::vector<CutPart> parts = cut(stage.rules, levels[i]);
            if (parts.empty()) {
                CutPart& all = parts.emplace_back();
                for (std::uint32_t each = 0; each < stage.rules.size(); ++each)
                    all.rules.push_back(each);
            }
            for (std::size_t part = 0; part < parts.size(); ++part) {
                std::vector<Rule> rules;
                add_rules(as, stage, parts[part].rules, next, rules);
                for (const CutPart::Branch& each : parts[part].branches)
                    rules.push_back(go_to(seen_by(as, asked_by(each)),
                                          stage_chain(as.name, i, as.form, each.to)));
                if (parts[part].branches.empty())
                    add_end(stage, next, rules);
                chain(stage_chain(as.name, i, as.form, part), std::move(rules), as.table);
            }
        }
    }

    std::vector<Match> asked_by(const CutPart::Branch& branch) {
        std::vector<Match> out = branch.matches;
        const std::vector<std::string>& sets = branch.of.sets;
        if (sets.empty())
            return out;
        const std::string set = sets.size() == 1 ? sets.front() : any_set(sets, family_);
        if (sets.size() > 1)
            unions_.try_emplace(set, sets);
        out.emplace_back(InSet{false, set, branch.of.source, false});
        return out;
    }

    static std::vector<Match> seen_by(const WrittenProgram& as, const std::vector<Match>& matches) {
        return as.form == Form::Reply ? mirrored(matches) : matches;
    }

    static void add_rules(const WrittenProgram& as, const FilterStage& stage,
                          const std::vector<std::uint32_t>& places, const std::string& next,
                          std::vector<Rule>& to) {
        for (const std::uint32_t place : places) {
            const FilterRule& each = stage.rules[place];
            to.push_back({seen_by(as, each.matches),
                          fmt::format("slot {}: {}", each.slot, each.what),
                          target_of(each, as, next)});
        }
    }

    static void add_end(const FilterStage& stage, const std::string& next, std::vector<Rule>& to) {
        Target end{Kind::Goto, "polecat-deny", {}, {}};
        if (stage.end == FilterStage::End::Next)
            end.name = next;
        else if (stage.end == FilterStage::End::Allow)
            end = {Kind::Return, {}, {}, {}};
        to.push_back({{}, fmt::format("slot {}: {}", stage.slot, stage.what), end});
    }

    /// All chains of a program are gone to, so that what returns does so to who asked it.
    static Target target_of(const FilterRule& rule, const WrittenProgram& as,
                            const std::string& next) {
        switch (rule.action) {
        case decision::Action::Allow:
            return as.allows.empty() ? Target{Kind::Return, {}, {}, {}}
                                     : Target{Kind::Goto, as.allows, {}, {}};
        case decision::Action::Pass:
            return {Kind::Goto, next, {}, {}};
        case decision::Action::Log:
            return {Kind::Log, log_prefix(as.name, rule.slot), {}, {}};
        case decision::Action::Deny:
            break;
        }
        return {Kind::Goto, "polecat-deny", {}, {}};
    }

    const FilterImage& image_;
    net::Family family_;
    std::size_t levels_;
    const WorkloadChains& workloads_;
    std::map<std::string, std::vector<std::string>> unions_;
    iptables::Table out_;
};

/// Programs of host endpoints may go on to those of workloads: then each has fewer levels.
void add_table(const FilterImage& image, net::Family family, const WorkloadChains& workloads,
               iptables::Ruleset& to) {
    for (std::size_t levels = kProgramLevels;; --levels) {
        FilterEmitter emitter(image, family, levels, workloads);
        iptables::Table made = emitter.run();
        if (levels > 1 && !image.frame.attached.empty() && levels_of(made) > kMostLevels)
            continue;
        to.table(family) = std::move(made);
        for (const auto& [name, sets] : emitter.unions())
            to.sets.push_back(union_of(sets, family, image.sets));
        return;
    }
}

void add_pod_sets(const FilterImage& image, net::Family family, iptables::Ruleset& out) {
    std::map<std::string, iptables::Set> sets;
    const auto set = [&](const std::string& name, const std::string& what) -> iptables::Set& {
        return sets.try_emplace(name, set_of_endpoints(name, what, family)).first->second;
    };
    set(pods_set(family), kPodsText);
    for (const FilteredPod& pod : image.pods) {
        if (pod.nets.family() != family)
            continue;
        const iptables::Member member{pod.nets, 0, 0, pod.interface};
        set(pods_set(family), kPodsText).members.push_back(member);
        for (const bool egress : {true, false}) {
            const std::string& program = egress ? pod.egress : pod.ingress;
            set(runs_set(program, egress, family),
                (egress ? "whose egress is " : "whose ingress is ") + program)
                .members.push_back(member);
        }
    }
    for (auto& [name, made] : sets)
        out.sets.push_back(std::move(made));
}

} // namespace

std::string first_chain(const HostProgram& program) {
    return stage_chain(program.point.program, 0, written(program).form);
}

iptables::Ruleset emit(const FilterImage& image) {
    return emit(image, {});
}

iptables::Ruleset emit(const FilterImage& image, const WorkloadChains& workloads) {
    iptables::Ruleset out;
    for (const auto& [name, set] : image.sets)
        out.sets.push_back(set);
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        add_pod_sets(image, family, out);
        for (Set& each : frame_sets(image.frame, family))
            out.sets.push_back(std::move(each));
        add_table(image, family, workloads, out);
    }
    out.sort();
    return out;
}

} // namespace polecat::iptables
