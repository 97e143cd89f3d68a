#include <algorithm>

#include <fmt/format.h>

#include "backends/bird/names.h"
#include "backends/bird/read.h"

namespace polecat::bird {

namespace {

class RulesReader {
  public:
    RulesReader(Cursor& in, routing::FamilyRouting& into)
        : in_(in), into_(into), v_(family_suffix(into.family)) {}

    void run() {
        priorities();
        routing::ExportRules& rules = into_.exports;
        rules.reject_pools = inside("reject_pools", "reject ;");
        interfaces();
        open("add_communities");
        while (!in_.take("}")) {
            in_.expect("if net ~");
            routing::CommunityLine line{in_.cidr(), {}, {}};
            in_.expect("then {");
            line.communities = read_communities(in_);
            in_.expect("}");
            rules.communities.push_back(std::move(line));
        }
        blocks();
        into_.services = inside("accept_services", "accept ;");
        rules.accept_as_reflector = inside("accept_reflected", "accept ;");
        rules.accept_pools = inside("accept_pools", "accept ;");
        skip_fixed("announce");
        into_.kernel.reject_services = inside("reject_services", "reject ;");
        kernel();
    }

  private:
    void open(std::string_view name, std::string_view parameters = "( ) {") {
        in_.expect(fmt::format("function {}_{} {}", name, v_, parameters));
    }

    /// A function that says the same for every node; read_back() compares its text at the end.
    void skip_fixed(std::string_view name) {
        in_.expect(fmt::format("function {}_{}", name, v_));
        while (!in_.is("{"))
            in_.next();
        skip_block(in_);
    }

    void priorities() {
        skip_fixed("set_priority");
        open("elevate");
        in_.expect("if defined ( bgp_local_pref ) & & bgp_local_pref >");
        into_.normal_priority = routing::priority_of(in_.number32());
        in_.expect("then preference =");
        in_.number32();
        in_.expect("; }");
        skip_fixed("set_metric");
    }

    std::vector<routing::PrefixLine> inside(std::string_view name, std::string_view decision) {
        std::vector<routing::PrefixLine> out;
        open(name);
        while (!in_.take("}")) {
            in_.expect("if net ~");
            out.push_back({in_.cidr(), {}});
            in_.expect("then");
            in_.expect(decision);
        }
        return out;
    }

    void interfaces() {
        open("reject_interfaces", "( bool same_as ) {");
        while (!in_.take("}")) {
            in_.expect("if");
            const bool inside_only = in_.take("same_as & &");
            in_.expect("ifname ~");
            (inside_only ? into_.exports.reject_interfaces_inside : into_.exports.reject_interfaces)
                .push_back(in_.text());
            in_.expect("then reject ;");
        }
    }

    /// Three lines each; the second and third are compared at the end.
    void blocks() {
        open("blocks");
        while (!in_.take("}")) {
            in_.expect("if net =");
            into_.blocks.push_back({in_.cidr(), false, true, {}});
            in_.expect("then accept ; if net ~");
            in_.cidr();
            in_.expect("& & krt_metric <");
            in_.number32();
            in_.expect("then accept ; if net ~");
            in_.cidr();
            in_.expect("then reject ;");
        }
    }

    void kernel() {
        in_.expect(fmt::format("filter to_kernel_{0} {{ reject_services_{0} ( ) ; set_metric_{0} "
                               "( ) ;",
                               v_));
        while (in_.take("if defined ( bgp_next_hop ) & & bgp_next_hop =")) {
            into_.kernel.reject_next_hops.push_back({in_.address(), {}});
            in_.expect("then reject ;");
        }
        while (in_.take("if net ~")) {
            routing::KernelPool pool{in_.cidr(), routing::KernelAction::Direct, {}, {}};
            in_.expect("then");
            action(pool);
            into_.kernel.pools.push_back(std::move(pool));
        }
        in_.expect("accept ; }");
    }

    void action(routing::KernelPool& pool) {
        if (in_.take("reject ;")) {
            pool.action = routing::KernelAction::Reject;
        } else if (!in_.take("accept ;")) {
            pool.action = routing::KernelAction::Tunnel;
            in_.expect("{");
            if (in_.take("if defined ( bgp_next_hop ) & & bgp_next_hop ~")) {
                pool.direct_inside = in_.cidr();
                in_.expect("then accept ;");
            }
            in_.expect("ifname =");
            in_.text();
            in_.expect("; accept ; }");
        }
    }

    Cursor& in_;
    routing::FamilyRouting& into_;
    const std::string_view v_;
};

} // namespace

void add_originated(const Blackholes& blackholes, routing::FamilyRouting& into) {
    for (const net::Cidr& cidr : blackholes) {
        const auto found = std::find_if(into.blocks.begin(), into.blocks.end(),
                                        [&](const auto& block) { return block.cidr == cidr; });
        if (found != into.blocks.end())
            found->originates = true;
        else
            into.blocks.push_back({cidr, true, false, {}});
    }
    std::sort(into.blocks.begin(), into.blocks.end(),
              [](const auto& a, const auto& b) { return a.cidr < b.cidr; });
}

void read_rules(Cursor& in, routing::FamilyRouting& into) {
    RulesReader(in, into).run();
}

} // namespace polecat::bird
