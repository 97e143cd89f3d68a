// BGP sessions. What all of a family have in common is in a template.
#include <tuple>

#include <fmt/format.h>

#include "backends/bird/bird.h"
#include "backends/bird/lines.h"
#include "backends/bird/names.h"

namespace polecat::bird {

namespace {

using routing::Session;

void emit_template(const routing::NodeRouting& node, const routing::FamilyRouting& family,
                   Lines& out) {
    out.add(fmt::format("template bgp session_{} {{", family_suffix(family.family)));
    if (const auto debug = debug_of_sessions(node.logging); !debug.empty())
        out.add(fmt::format("  debug {};", debug));
    // BIRD 2 listens where a session's own end says.
    const bool bound = family.listen_on_address && family.address;
    out.add(fmt::format("  local {}port {} as {};",
                        bound ? net::to_string(*family.address) + " " : "", node.listen_port,
                        node.local_as));
    if (bound)
        out.add("  strict bind yes;");
    for (const char* line : {"  multihop;", "  graceful restart;", "  connect delay time 2;",
                             "  connect retry time 5;", "  error wait time 5, 30;"})
        out.add(line);
    out.add(fmt::format("  {} {{ gateway recursive; add paths on; }};", channel(family.family)));
    out.add("}");
}

/// Writes the sessions of a family. A reflector has thousands, so what follows the neighbour is
/// made once for those that are alike.
class SessionWriter {
  public:
    SessionWriter(const routing::FamilyRouting& family, Lines& out)
        : family_(family), v_(family_suffix(family.family)), out_(out) {}

    void run(const Session& of) {
        out_.add(fmt::format("protocol bgp '{}' from session_{} {{", session_name(of), v_),
                 of.origin);
        const std::string port = of.port == 179 ? "" : fmt::format(" port {}", of.port);
        out_.add(fmt::format("  neighbor {}{} as {};", net::to_string(of.neighbor), port,
                             of.neighbor_as));
        if (last_ == nullptr || !are_alike(*last_, of)) {
            rest_ = Lines(nullptr);
            rest(of);
            last_ = &of;
        }
        out_.add(rest_);
    }

  private:
    /// In all but whom they are with.
    static bool are_alike(const Session& a, const Session& b) {
        const auto facts = [](const Session& of) {
            return std::tie(of.local_as_given, of.local_as, of.source, of.ttl_security_hops,
                            of.passive, of.max_restart_seconds, of.keepalive_seconds,
                            of.reflector_cluster, of.password, of.next_hop, of.allowed_local_as,
                            of.import_filters, of.export_filters);
        };
        return a.is_internal() == b.is_internal() && facts(a) == facts(b);
    }

    void rest(const Session& of) {
        if (of.local_as_given)
            rest_.add(fmt::format("  local as {};", of.local_as));
        if (of.source && of.source == family_.address)
            rest_.add(fmt::format("  source address address_{};", v_));
        else if (of.source)
            rest_.add(fmt::format("  source address {};", net::to_string(*of.source)));
        options(of);
        if (of.password) // BIRD reads an include at the start of a line only
            rest_.add(fmt::format("include \"{}\";", password_file(*of.password)));
        channel_part(of);
        rest_.add("}");
    }

    void options(const Session& of) {
        if (of.ttl_security_hops) {
            rest_.add("  ttl security on;");
            rest_.add(fmt::format("  multihop {};", *of.ttl_security_hops));
        }
        if (of.passive)
            rest_.add("  passive on;");
        if (of.max_restart_seconds)
            rest_.add(fmt::format("  graceful restart time {};", *of.max_restart_seconds));
        if (of.keepalive_seconds)
            rest_.add(fmt::format("  keepalive time {};", *of.keepalive_seconds));
        if (of.reflector_cluster) {
            rest_.add("  rr client;");
            rest_.add(fmt::format("  rr cluster id {};", net::to_string(*of.reflector_cluster)));
        }
        if (of.allowed_local_as != 0)
            rest_.add(fmt::format("  allow local as {};", of.allowed_local_as));
    }

    void channel_part(const Session& of) {
        rest_.add(fmt::format("  {} {{", channel(family_.family)));
        if (of.next_hop != routing::NextHop::Auto)
            rest_.add(fmt::format("    next hop {};",
                                  of.next_hop == routing::NextHop::Keep ? "keep" : "self"));
        rest_.add(filters(of.import_filters, of.export_filters, of.is_internal()));
        rest_.add("  };");
    }

    std::string filters(const std::vector<std::string>& imports,
                        const std::vector<std::string>& exports, bool internal) const {
        return fmt::format("    import filter {{ {1}elevate_{0}(); accept; }};\n"
                           "    export filter {{ set_priority_{0}(); {2}announce_{0}({3}); }};",
                           v_, calls(kImport, imports, internal), calls(kExport, exports, internal),
                           internal);
    }

    std::string calls(std::string_view direction, const std::vector<std::string>& names,
                      bool internal) const {
        std::string out;
        for (const std::string& name : names)
            out += fmt::format("'{}{}_{}'({}); ", direction, filter_name(name), v_, internal);
        return out;
    }

    const routing::FamilyRouting& family_;
    const std::string_view v_;
    Lines& out_;
    const Session* last_ = nullptr; ///< of which the rest is
    Lines rest_{nullptr};           ///< what follows the neighbour
};

} // namespace

std::string_view debug_of_sessions(routing::Logging logging) {
    switch (logging) {
    case routing::Logging::Silent:
        return "";
    case routing::Logging::States:
        return "{ states, routes, filters, events }";
    case routing::Logging::All:
        return "all";
    }
    return "";
}

void emit_sessions(const routing::NodeRouting& node, const routing::FamilyRouting& family,
                   Lines& out) {
    emit_template(node, family, out);
    SessionWriter writer(family, out);
    for (const Session& session : family.sessions)
        writer.run(session);
}

} // namespace polecat::bird
