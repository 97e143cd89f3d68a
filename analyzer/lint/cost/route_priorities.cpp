// Metrics of routes: Felix and BGP tell each other's routes apart by them.
// Sources: felix/config/config_params.go, api/pkg/apis/projectcalico/v3/bgpconfig.go.
#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/felix.h"

namespace polecat::lint {

using policy::OtherObject;

namespace {

constexpr std::int64_t kNormal = 1024, kElevated = 512;

class RoutePrioritiesChecker {
  public:
    RoutePrioritiesChecker(Context& context, Diagnostics& out)
        : out_(out), felix_(policy::default_felix(context.cluster)),
          bgp_(policy::default_object(context.cluster, "BGPConfiguration")) {
        for (const OtherObject& each : context.cluster.others) {
            if (each.kind == "FelixConfiguration" && each.meta.name.starts_with("node."))
                of_nodes_.push_back(&each);
            bgp_off_ = bgp_off_ || (each.kind == "Installation" && each.spec.is("bgp", "Disabled"));
        }
    }

    void run() {
        for (const char* family : {"ipv4", "ipv6"}) {
            if (felix_ != nullptr)
                check(*felix_, family);
            for (const OtherObject* each : of_nodes_)
                check(*each, family);
        }
    }

  private:
    /// A field of Felix on one node: its own, the cluster's, Calico's. nullopt: the cluster's is
    /// not in the input.
    std::optional<std::int64_t> value(const OtherObject& of, const std::string& field,
                                      std::int64_t otherwise) const {
        if (const auto own = of.spec.integer(field))
            return own->value;
        if (felix_ == nullptr)
            return std::nullopt;
        const auto of_cluster = felix_->spec.integer(field);
        return of_cluster ? of_cluster->value : otherwise;
    }

    void check(const OtherObject& felix, const std::string& family) {
        const std::string normal = family + "NormalRoutePriority";
        const std::string elevated = family + "ElevatedRoutePriority";
        const auto mine = value(felix, normal, kNormal);
        const bool is_default = &felix == felix_;
        if (!mine || (!is_default && !felix.spec.has(normal) && !felix.spec.has(elevated)))
            return;
        if (bgp_ != nullptr && !bgp_off_ && (is_default || felix.spec.has(normal)))
            compare(felix, normal, *mine);
        const auto moving = value(felix, elevated, kElevated);
        if (moving && *moving >= *mine)
            out_.report(Code::RoutePriorityElevated,
                        felix.spec.span(felix.spec.has(elevated) ? elevated : normal),
                        {elevated, std::to_string(*moving), std::to_string(*mine)})
                .about("FelixConfiguration " + felix.meta.name)
                .with_hint("the lower number wins: 512 and 1024 are Calico's own");
    }

    void compare(const OtherObject& felix, const std::string& field, std::int64_t mine) {
        const auto given = bgp_->spec.integer(field);
        const std::int64_t theirs = given ? given->value : kNormal;
        if (mine == theirs)
            return;
        const bool here = felix.spec.has(field);
        out_.report(Code::RoutePriorityDiffers, here ? felix.spec.span(field) : given->span,
                    {field, std::to_string(here ? mine : theirs),
                     std::to_string(here ? theirs : mine),
                     here ? "BGPConfiguration default" : "FelixConfiguration " + felix.meta.name})
            .about(here ? "FelixConfiguration " + felix.meta.name : "BGPConfiguration default")
            .with_hint(fmt::format("set {} in both", field));
    }

    Diagnostics& out_;
    const OtherObject* felix_ = nullptr;
    const OtherObject* bgp_;
    std::vector<const OtherObject*> of_nodes_;
    bool bgp_off_ = false;
};

} // namespace

void check_route_priorities(Context& context, Diagnostics& out) {
    RoutePrioritiesChecker(context, out).run();
}

} // namespace polecat::lint
