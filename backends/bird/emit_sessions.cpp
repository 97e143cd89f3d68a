// BGP sessions. What all of a family have in common is in a template.
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

std::string calls(std::string_view direction, const std::vector<std::string>& filters,
                  std::string_view family, bool internal) {
    std::string out;
    for (const std::string& name : filters)
        out += fmt::format("'{}{}_{}'({}); ", direction, filter_name(name), family, internal);
    return out;
}

class SessionWriter {
  public:
    SessionWriter(const Session& session, const routing::FamilyRouting& family, Lines& out)
        : session_(session), family_(family), v_(family_suffix(family.family)), out_(out) {}

    void run() {
        const Session& of = session_;
        out_.add(fmt::format("protocol bgp '{}' from session_{} {{", session_name(of), v_),
                 of.origin);
        const std::string port = of.port == 179 ? "" : fmt::format(" port {}", of.port);
        out_.add(fmt::format("  neighbor {}{} as {};", net::to_string(of.neighbor), port,
                             of.neighbor_as));
        if (of.local_as_given)
            out_.add(fmt::format("  local as {};", of.local_as));
        if (of.source)
            out_.add(fmt::format("  source address {};", of.source == family_.address
                                                             ? fmt::format("address_{}", v_)
                                                             : net::to_string(*of.source)));
        options();
        if (of.password) // BIRD reads an include at the start of a line only
            out_.add(fmt::format("include \"{}\";", password_file(*of.password)));
        channel_part();
        out_.add("}");
    }

  private:
    void options() {
        const Session& of = session_;
        if (of.ttl_security_hops) {
            out_.add("  ttl security on;");
            out_.add(fmt::format("  multihop {};", *of.ttl_security_hops));
        }
        if (of.passive)
            out_.add("  passive on;");
        if (of.max_restart_seconds)
            out_.add(fmt::format("  graceful restart time {};", *of.max_restart_seconds));
        if (of.keepalive_seconds)
            out_.add(fmt::format("  keepalive time {};", *of.keepalive_seconds));
        if (of.reflector_cluster) {
            out_.add("  rr client;");
            out_.add(fmt::format("  rr cluster id {};", net::to_string(*of.reflector_cluster)));
        }
        if (of.allowed_local_as != 0)
            out_.add(fmt::format("  allow local as {};", of.allowed_local_as));
    }

    void channel_part() {
        const bool internal = session_.is_internal();
        out_.add(fmt::format("  {} {{", channel(family_.family)));
        if (session_.next_hop != routing::NextHop::Auto)
            out_.add(fmt::format("    next hop {};",
                                 session_.next_hop == routing::NextHop::Keep ? "keep" : "self"));
        out_.add(fmt::format("    import filter {{ {}elevate_{}(); accept; }};",
                             calls(kImport, session_.import_filters, v_, internal), v_));
        out_.add(fmt::format("    export filter {{ set_priority_{0}(); {1}announce_{0}({2}); }};",
                             v_, calls(kExport, session_.export_filters, v_, internal), internal));
        out_.add("  };");
    }

    const Session& session_;
    const routing::FamilyRouting& family_;
    const std::string_view v_;
    Lines& out_;
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
    for (const Session& session : family.sessions)
        SessionWriter(session, family, out).run();
}

} // namespace polecat::bird
