// Warnings about a policy of Calico.
#include "ir/policy/scope.h"
#include "tests/conformance/runner/selected.h"

namespace polecat::conformance {

using policy::EntityRule;
using policy::SelectorField;
using Kind = SelectionWarning::Kind;

namespace {

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\n");
    return first == std::string::npos
               ? ""
               : text.substr(first, text.find_last_not_of(" \t\n") + 1 - first);
}

class Checker {
  public:
    Checker(const policy::Policy& policy, Picker& pick)
        : policy_(policy), pick_(pick),
          space_(policy::is_global(policy.kind) ? "" : policy.meta.space) {}

    void run() {
        for (const At<bool>& field :
             {policy_.do_not_track, policy_.pre_dnat, policy_.apply_on_forward})
            if (field.span.known())
                pick_.warn(Kind::Unclear, "a hook other than the normal one");
        Selected subject = policy::is_present(policy_.selector) ? select(*policy_.selector, space_)
                                                                : pick_.in_namespace(space_);
        if (policy::is_present(policy_.namespace_selector))
            subject = subject & select_namespaces(*policy_.namespace_selector);
        for (const policy::Rule& rule : policy_.ingress)
            check_rule(rule, true, subject);
        for (const policy::Rule& rule : policy_.egress)
            check_rule(rule, false, subject);
    }

  private:
    void check_pick(const SelectorField& field, const Selected& picked, const Selected& everything,
                    const std::string& what) {
        const std::string text = trimmed(field.text);
        if (picked.empty())
            pick_.warn(Kind::Nothing, what + " " + text + " selects nothing");
        else if (picked == everything && text != "all()" &&
                 text.find("global()") == std::string::npos)
            pick_.warn(Kind::Everything, what + " " + text + " selects everything");
    }

    Selected select(const SelectorField& field, const std::string& space) {
        const Selected out = pick_.matching(field.parsed) & pick_.in_namespace(space);
        check_pick(field, out, pick_.in_namespace(""), "selector");
        return out;
    }

    Selected select_namespaces(const SelectorField& field) {
        const Selected everything = pick_.in_namespaces();
        const selector::Selector has =
            selector::Selector::has(std::string(policy::kNamespaceLabel));
        Selected out = pick_.matching(field.parsed.with_prefix(policy::kNamespacePrefix)
                                          .replace(has, selector::Selector::negate(has)));
        if (!field.parsed.mentions(selector::Op::Global))
            out = out & everything;
        check_pick(field, out, everything, "namespaceSelector");
        return out;
    }

    Selected peers_of(const EntityRule& entity) {
        const bool names_spaces = policy::is_present(entity.namespace_selector);
        const bool names_pods = policy::is_present(entity.selector);
        const bool names_nets = !entity.nets.empty() || !entity.not_nets.empty();
        Selected out = names_spaces ? select_namespaces(*entity.namespace_selector)
                       : names_pods ? pick_.in_namespace(space_)
                       : names_nets ? Selected{{}, true}
                                    : pick_.all();
        const std::string space = names_spaces ? "" : space_;
        if (names_pods) {
            const Selected picked = select(*entity.selector, space);
            if (trimmed(entity.selector->text) != "all()" && picked == out)
                pick_.warn(Kind::Everything, "selector has no effect");
            out = out & picked;
        }
        if (policy::is_present(entity.not_selector))
            out = out - select(*entity.not_selector, space);
        if (names_nets && (names_spaces || names_pods)) {
            pick_.warn(Kind::Unclear, "nets and selectors of one peer");
            out = Selected{};
        }
        return out;
    }

    void check_protocols(const policy::Rule& rule) {
        if (rule.protocol && rule.not_protocol)
            pick_.warn(Kind::Unclear, "protocol and notProtocol");
        if (rule.icmp && rule.not_icmp &&
            (rule.icmp->code || rule.icmp->type != rule.not_icmp->type || !rule.not_icmp->code))
            pick_.warn(Kind::Unclear, "icmp and notICMP");
    }

    void check_rule(const policy::Rule& rule, bool ingress, const Selected& subject) {
        Selected from = peers_of(rule.source), to = peers_of(rule.destination);
        (ingress ? to : from) = (ingress ? to : from) & subject;
        check_protocols(rule);
        if (subject.empty())
            return;
        if (from.empty())
            pick_.warn(Kind::Nothing, "rule selects no source");
        if (to.empty())
            pick_.warn(Kind::Nothing, "rule selects no destination");
    }

    const policy::Policy& policy_;
    Picker& pick_;
    std::string space_;
};

} // namespace

void warn_about(const policy::Policy& policy, Picker& pick) {
    Checker(policy, pick).run();
}

} // namespace polecat::conformance
