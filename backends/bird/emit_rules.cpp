// What leaves the node and what enters the kernel: one function for each part of the form, so that
// the reader can tell them apart.
#include <fmt/format.h>

#include "backends/bird/lines.h"
#include "backends/bird/names.h"

namespace polecat::bird {

namespace {

class Rules {
  public:
    Rules(const routing::FamilyRouting& family, Lines& out)
        : of_(family), v_(family_suffix(family.family)), out_(out) {}

    void run() {
        priorities();
        const routing::ExportRules& rules = of_.exports;
        inside("reject_pools", rules.reject_pools, "reject");
        interfaces();
        communities();
        blocks();
        inside("accept_services", of_.services, "accept");
        inside("accept_reflected", rules.accept_as_reflector, "accept");
        inside("accept_pools", rules.accept_pools, "accept");
        announce();
        kernel();
    }

  private:
    void line(std::string_view text) { out_.add(text); }
    void open(std::string_view name, std::string_view parameters = "") {
        line(fmt::format("function {}_{}({}) {{", name, v_, parameters));
    }

    void inside(std::string_view name, const std::vector<routing::PrefixLine>& lines,
                std::string_view decision) {
        open(name);
        for (const routing::PrefixLine& each : lines)
            out_.add(fmt::format("  if net ~ {} then {};", net::to_string(each.prefix), decision),
                     each.origin);
        line("}");
    }

    /// Metric and local preference say the same before any export filter looks at them.
    void priorities() {
        const std::uint32_t normal = of_.normal_priority;
        open("set_priority");
        line("  if source = RTS_BGP && defined(bgp_local_pref) then");
        line("    krt_metric = 2147483647 - bgp_local_pref;");
        line("  else {");
        line(fmt::format("    if !defined(krt_metric) then krt_metric = {};", normal));
        line("    bgp_local_pref = 2147483647 - krt_metric;");
        line("  }");
        line("}");
        open("elevate"); // routes with a better priority than normal beat those to workloads here
        line(fmt::format("  if defined(bgp_local_pref) && bgp_local_pref > {} then",
                         routing::local_preference_of(normal)));
        line(fmt::format("    preference = {};", routing::kElevatedPreference));
        line("}");
        open("set_metric");
        line("  if source = RTS_BGP && !defined(krt_metric) then {");
        line(fmt::format("    krt_metric = {};", normal));
        line("    if defined(bgp_local_pref) then krt_metric = 2147483647 - bgp_local_pref;");
        line(fmt::format("    if krt_metric < {} then preference = {};", normal,
                         routing::kElevatedPreference));
        line("  }");
        line("}");
    }

    void interfaces() {
        open("reject_interfaces", "bool same_as");
        for (const std::string& pattern : of_.exports.reject_interfaces_inside)
            line(fmt::format("  if same_as && ifname ~ \"{}\" then reject;", pattern));
        for (const std::string& pattern : of_.exports.reject_interfaces)
            line(fmt::format("  if ifname ~ \"{}\" then reject;", pattern));
        line("}");
    }

    void communities() {
        open("add_communities");
        for (const routing::CommunityLine& each : of_.exports.communities) {
            std::string body;
            for (const routing::Community& community : each.communities)
                body += fmt::format("{}.add(({})); ",
                                    community.is_large() ? "bgp_large_community" : "bgp_community",
                                    fmt::join(community.parts, ", "));
            out_.add(fmt::format("  if net ~ {} then {{ {}}}", net::to_string(each.prefix), body),
                     each.origin);
        }
        line("}");
    }

    void blocks() {
        open("blocks");
        for (const routing::Block& block : of_.blocks) {
            if (!block.hides)
                continue;
            const std::string cidr = net::to_string(block.cidr);
            out_.add(fmt::format("  if net = {} then accept;", cidr), block.origin);
            line(fmt::format("  if net ~ {} && krt_metric < {} then accept;", cidr,
                             of_.normal_priority));
            line(fmt::format("  if net ~ {} then reject;", cidr));
        }
        line("}");
    }

    void announce() {
        open("announce", "bool same_as");
        line(fmt::format("  reject_pools_{}();", v_));
        line(fmt::format("  reject_interfaces_{}(same_as);", v_));
        for (const char* part :
             {"add_communities", "blocks", "accept_services", "accept_reflected", "accept_pools"})
            line(fmt::format("  {}_{}();", part, v_));
        line("  reject;");
        line("}");
    }

    void kernel() {
        inside("reject_services", of_.kernel.reject_services, "reject");
        line(fmt::format("filter to_kernel_{} {{", v_));
        line(fmt::format("  reject_services_{}();", v_));
        line(fmt::format("  set_metric_{}();", v_));
        for (const routing::NextHopLine& each : of_.kernel.reject_next_hops)
            out_.add(fmt::format("  if defined(bgp_next_hop) && bgp_next_hop = {} then reject;",
                                 net::to_string(each.next_hop)),
                     each.origin);
        for (const routing::KernelPool& pool : of_.kernel.pools)
            out_.add(fmt::format("  if net ~ {} then {}", net::to_string(pool.cidr), action(pool)),
                     pool.origin);
        line("  accept;");
        line("}");
    }

    static std::string action(const routing::KernelPool& pool) {
        const std::string tunnel = fmt::format("ifname = \"{}\"; accept;", routing::kTunnelDevice);
        if (pool.action == routing::KernelAction::Reject)
            return "reject;";
        if (pool.action == routing::KernelAction::Direct)
            return "accept;";
        if (!pool.direct_inside)
            return "{ " + tunnel + " }";
        return fmt::format("{{ if defined(bgp_next_hop) && bgp_next_hop ~ {} then accept; {} }}",
                           net::to_string(*pool.direct_inside), tunnel);
    }

    const routing::FamilyRouting& of_;
    const std::string_view v_;
    Lines& out_;
};

} // namespace

void emit_rules(const routing::FamilyRouting& family, Lines& out) {
    Rules(family, out).run();
}

} // namespace polecat::bird
