#include <fmt/format.h>

#include "backends/bird/names.h"
#include "backends/bird/read.h"

namespace polecat::bird {

namespace {

using routing::Session;

class SessionReader {
  public:
    SessionReader(Cursor& in, const routing::NodeRouting& node,
                  const routing::FamilyRouting& family)
        : in_(in), node_(node), family_(family), v_(family_suffix(family.family)) {}

    Session run() {
        const routing::SessionKind kind = kind_of(in_.symbol());
        in_.expect(from_);
        const net::Address neighbor = in_.address();
        const std::uint16_t port =
            in_.take("port") ? static_cast<std::uint16_t>(in_.number(65535)) : std::uint16_t{179};
        in_.expect("as");
        const std::uint32_t as = in_.number32();
        in_.expect(";");
        const bool again = as == out_.neighbor_as && in_.take_again(rest_from_, rest_to_);
        if (!again)
            out_ = {};
        out_.kind = kind;
        out_.neighbor = neighbor;
        out_.port = port;
        out_.neighbor_as = as;
        if (!again) {
            rest_from_ = in_.place();
            rest();
            rest_to_ = in_.place();
        }
        return out_;
    }

  private:
    void rest() {
        out_.local_as = node_.local_as;
        if (in_.take("local as")) {
            out_.local_as_given = true;
            out_.local_as = in_.number32();
            in_.expect(";");
        }
        if (in_.take(own_address_)) {
            if (!family_.address)
                in_.fail("an address of the node");
            out_.source = family_.address;
        } else if (in_.take("source address")) {
            out_.source = in_.address();
            in_.expect(";");
        }
        options();
        channel_part();
        in_.expect("}");
    }

    routing::SessionKind kind_of(const std::string& name) const {
        for (const routing::SessionKind each :
             {routing::SessionKind::Global, routing::SessionKind::LocalWorkload,
              routing::SessionKind::Mesh, routing::SessionKind::Node})
            if (name.starts_with(name_prefix(each)))
                return each;
        in_.fail("the name of a session");
    }

    void options() {
        if (in_.take("ttl security on ; multihop")) {
            out_.ttl_security_hops = static_cast<std::uint8_t>(in_.number(255));
            in_.expect(";");
        }
        out_.passive = in_.take("passive on ;");
        out_.max_restart_seconds = seconds("graceful restart time");
        out_.keepalive_seconds = seconds("keepalive time");
        if (in_.take("rr client ; rr cluster id")) {
            out_.reflector_cluster = in_.address();
            in_.expect(";");
        }
        if (const auto times = seconds("allow local as"))
            out_.allowed_local_as = *times;
        if (in_.take("include")) {
            out_.password = password_of_file(in_.text());
            if (!out_.password)
                in_.fail("the file of a password");
            in_.expect(";");
        }
    }

    std::optional<std::uint32_t> seconds(std::string_view words) {
        if (!in_.take(words))
            return std::nullopt;
        const std::uint32_t value = in_.number32();
        in_.expect(";");
        return value;
    }

    void channel_part() {
        in_.expect(channel_);
        if (in_.take("next hop keep ;"))
            out_.next_hop = routing::NextHop::Keep;
        else if (in_.take("next hop self ;"))
            out_.next_hop = routing::NextHop::Self;
        in_.expect("import filter {");
        out_.import_filters = calls(kImport);
        in_.expect(between_);
        out_.export_filters = calls(kExport);
        in_.expect(announce_);
        same_as();
        in_.expect(") ; } ; } ;");
    }

    void same_as() { in_.expect(out_.is_internal() ? "true" : "false"); }

    std::vector<std::string> calls(std::string_view prefix) {
        std::vector<std::string> out;
        while (in_.is_symbol()) {
            std::string name = in_.symbol();
            if (!name.starts_with(prefix) || name.size() < prefix.size() + v_.size() + 1)
                in_.fail("the function of a BGPFilter");
            out.push_back(name.substr(prefix.size(), name.size() - prefix.size() - v_.size() - 1));
            in_.expect("(");
            same_as();
            in_.expect(") ;");
        }
        return out;
    }

    Cursor& in_;
    const routing::NodeRouting& node_;
    const routing::FamilyRouting& family_;
    const std::string_view v_;
    // Made once: a reflector has thousands of sessions.
    const std::string from_ = fmt::format("from session_{} {{ neighbor", v_),
                      own_address_ = fmt::format("source address address_{} ;", v_),
                      channel_ = fmt::format("{} {{", channel(family_.family)),
                      between_ = fmt::format("elevate_{0} ( ) ; accept ; }} ; export filter {{ "
                                             "set_priority_{0} ( ) ;",
                                             v_),
                      announce_ = fmt::format("announce_{} (", v_);
    Session out_; ///< of one session after the other
    /// What follows the neighbour, of the session that was read last in full: most are alike.
    std::size_t rest_from_ = 0, rest_to_ = 0;
};

} // namespace

void read_sessions(Cursor& in, routing::NodeRouting& node, routing::FamilyRouting& into) {
    in.expect(fmt::format("template bgp session_{} {{", family_suffix(into.family)));
    node.logging = read_debug(in, "{ states , routes , filters , events }");
    in.expect("local");
    if (!in.is("port")) {
        if (in.address() != into.address)
            in.fail("the node's address");
        into.listen_on_address = true;
    }
    in.expect("port");
    node.listen_port = static_cast<std::uint16_t>(in.number(65535));
    in.expect("as");
    node.local_as = in.number32();
    while (!in.take("}")) // the same for every node, and compared at the end
        if (in.is("{"))
            skip_block(in);
        else
            in.next();
    SessionReader reader(in, node, into);
    while (in.take("protocol bgp"))
        into.sessions.push_back(reader.run());
}

} // namespace polecat::bird
