// Rules of a BGPFilter that never apply. The first rule that matches a route decides.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"

namespace polecat::lint {

namespace {

/// The prefixes that `In` and `Equal` match: inside `net`, with a length from `shortest` to
/// `longest`.
struct Prefixes {
    net::Cidr net;
    std::int64_t shortest, longest;

    bool cover(const Prefixes& other) const {
        return net.prefix <= other.net.prefix && net.contains(other.net.base) &&
               shortest <= other.shortest && longest >= other.longest;
    }
    bool meet(const Prefixes& other) const {
        return (net.contains(other.net.base) || other.net.contains(net.base)) &&
               shortest <= other.longest && other.shortest <= longest;
    }
};

class FilterRule {
  public:
    FilterRule(const policy::Settings& spec, std::string at) : spec_(spec), at_(std::move(at)) {
        for (const auto& [path, value] : spec)
            if (path.starts_with(at_ + "."))
                collect(path.substr(at_.size() + 1), setting_text(value.value));
    }

    /// Every route that `other` matches, this one matches too. When in doubt, false.
    bool covers(const FilterRule& other) const {
        for (const auto& [field, value] : conditions_) {
            const auto there = other.conditions_.find(field);
            if (there == other.conditions_.end() || there->second != value)
                return false;
        }
        if (net_.empty() || net_ == other.net_)
            return true;
        const auto mine = prefixes(), theirs = other.prefixes();
        return mine && theirs && spec_.is(at_ + ".matchOperator", "In") && mine->cover(*theirs);
    }

    bool surely_matches(const Prefixes& all) const {
        const auto mine = prefixes();
        return conditions_.empty() && (net_.empty() || (mine && mine->cover(all)));
    }
    bool never_matches(const Prefixes& all) const {
        const auto mine = prefixes();
        return mine && !mine->meet(all);
    }
    bool accepts() const { return spec_.is(at_ + ".action", "Accept"); }
    bool rejects() const { return spec_.is(at_ + ".action", "Reject"); }

    const std::string& name() const { return at_; }
    Span span() const { return spec_.span(at_ + "."); }

  private:
    void collect(const std::string& field, const std::string& value) {
        if (field == "cidr" || field == "matchOperator" || field.starts_with("prefixLength"))
            net_[field] = value;
        else if (field != "action" && !field.starts_with("operations"))
            conditions_[field] = value;
    }

    std::optional<Prefixes> prefixes() const {
        const auto net = spec_.cidr(at_ + ".cidr");
        const bool in = spec_.is(at_ + ".matchOperator", "In");
        const bool equal = spec_.is(at_ + ".matchOperator", "Equal");
        const auto least = spec_.integer(at_ + ".prefixLength.min");
        const auto most = spec_.integer(at_ + ".prefixLength.max");
        if (!net || (!in && !equal) || (equal && (least || most)))
            return std::nullopt;
        const std::int64_t own = net->value.prefix;
        if (equal)
            return Prefixes{net->value, own, own};
        const std::int64_t width = net::width(net->value.family());
        return Prefixes{net->value, std::max(own, least ? least->value : own),
                        std::min(width, most ? most->value : width)};
    }

    const policy::Settings& spec_;
    std::string at_;
    std::map<std::string, std::string> conditions_, net_;
};

} // namespace

void check_bgp_filters(const Bgp& bgp, Diagnostics& out) {
    for (const policy::OtherObject* filter : bgp.filters)
        for (const char* list : {"exportV4", "importV4", "exportV6", "importV6"}) {
            std::vector<FilterRule> rules;
            for (std::size_t i = 0; i < filter->spec.size(list); ++i) {
                FilterRule rule(filter->spec, fmt::format("{}[{}]", list, i));
                const auto first =
                    std::find_if(rules.begin(), rules.end(),
                                 [&](const FilterRule& each) { return each.covers(rule); });
                if (first != rules.end())
                    out.report(Code::FilterShadowed, rule.span(), {rule.name(), first->name()})
                        .about(about(*filter))
                        .with_label(first->span(), "this rule comes first")
                        .with_hint("move it before the wider rule, or remove it");
                rules.push_back(std::move(rule));
            }
        }
}

std::optional<ExportRejection> export_rejection(const Bgp& bgp, const BgpPeer& peer,
                                                const net::Cidr& net, std::int64_t length) {
    const std::string list = net.family() == net::Family::V4 ? "exportV4" : "exportV6";
    const Prefixes asked{net, length, length}, whole{net, net.prefix, net.prefix};
    ExportRejection out;
    for (const At<std::string>& name : peer.spec().texts("filters")) {
        const auto filter =
            std::find_if(bgp.filters.begin(), bgp.filters.end(),
                         [&](const auto* each) { return each->meta.name == name.value; });
        if (filter == bgp.filters.end())
            return std::nullopt;
        const policy::Settings& spec = (*filter)->spec;
        for (std::size_t i = 0; i < spec.size(list); ++i) {
            const FilterRule rule(spec, fmt::format("{}[{}]", list, i));
            if (rule.never_matches(asked)) {
                if (rule.accepts() && !rule.never_matches(whole))
                    out.of_the_whole = rule.span();
                continue;
            }
            out.filter = *filter;
            out.rule = rule.span();
            return rule.rejects() && rule.surely_matches(asked) ? std::optional(out) : std::nullopt;
        }
    }
    return std::nullopt;
}

} // namespace polecat::lint
