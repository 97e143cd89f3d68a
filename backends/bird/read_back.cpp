// Reads what emit() wrote. Statements that say the same for every node are passed over here, and
// compared at the end: the form that was read must give just these tokens when it is written.
#include <algorithm>

#include <fmt/format.h>

#include "backends/bird/bird.h"
#include "backends/bird/names.h"
#include "backends/bird/read.h"

namespace polecat::bird {

namespace {

class Reader {
  public:
    Reader(std::string_view text, const std::vector<Token>& tokens) : in_(text, tokens) {}

    routing::NodeRouting run() {
        out_.v4.family = net::Family::V4;
        out_.v6.family = net::Family::V6;
        in_.expect("hostname");
        out_.node = in_.text();
        in_.expect("; router id");
        out_.router_id = in_.next();
        in_.expect(";");
        for (routing::FamilyRouting* family : {&out_.v4, &out_.v6})
            if (in_.take(fmt::format("define address_{} =", family_suffix(family->family)))) {
                family->address = in_.address();
                in_.expect(";");
            }
        interfaces();
        for (routing::FamilyRouting* family : {&out_.v4, &out_.v6}) {
            read_filters(in_, *family);
            read_rules(in_, *family);
            in_.expect("protocol kernel");
            in_.next();
            skip_block(in_);
            statics(*family);
            read_sessions(in_, out_, *family);
        }
        if (!in_.at_end())
            in_.fail("the end");
        return std::move(out_);
    }

  private:
    void interfaces() {
        in_.expect("protocol device");
        skip_block(in_);
        in_.expect("protocol direct {");
        read_debug(in_, "{ states }");
        in_.expect("ipv4 ; ipv6 ; interface");
        while (in_.take("-")) {
            out_.ignored_interfaces.push_back(in_.text());
            in_.expect(",");
        }
        in_.text();
        in_.expect("; }");
    }

    void open_static(std::string_view name, net::Family family) {
        in_.expect(fmt::format("protocol static {}_{} {{ {} ;", name, family_suffix(family),
                               channel(family)));
    }

    Blackholes blackholes() {
        Blackholes out;
        while (in_.take("route")) {
            out.push_back(in_.cidr());
            in_.expect("blackhole ;");
        }
        in_.expect("}");
        return out;
    }

    void statics(routing::FamilyRouting& into) {
        open_static("static_blocks", into.family);
        add_originated(blackholes(), into);
        open_static("static_services", into.family);
        blackholes(); // those that are announced
        open_static("static_neighbors", into.family);
        while (in_.take("route")) {
            const net::Address neighbor = in_.cidr().base;
            in_.expect("via");
            into.peer_routes.push_back({neighbor, in_.address(), {}});
            in_.expect(";");
        }
        in_.expect("}");
    }

    Cursor in_;
    routing::NodeRouting out_;
};

} // namespace

routing::Logging read_debug(Cursor& in, std::string_view states) {
    if (in.take("debug all ;"))
        return routing::Logging::All;
    if (!in.take("debug"))
        return routing::Logging::Silent;
    in.expect(states);
    in.expect(";");
    return routing::Logging::States;
}

void skip_block(Cursor& in) {
    in.expect("{");
    for (std::size_t depth = 1; depth != 0;) {
        const std::string_view token = in.next();
        depth += token == "{" ? 1 : 0;
        depth -= token == "}" ? 1 : 0;
    }
}

Result<routing::NodeRouting> read_back(std::string_view text) {
    const std::vector<Token> tokens = tokenize(text);
    try {
        routing::NodeRouting out = Reader(text, tokens).run();
        const std::string again = emit(out);
        if (text != again && tokens != tokenize(again))
            return Error{"it has statements that no form of ours is written as"};
        return out;
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

routing::NodeRouting comparable(routing::NodeRouting node) {
    for (routing::FamilyRouting* family : {&node.v4, &node.v6}) {
        for (routing::Filter& filter : family->filters)
            filter.name = filter_name(filter.name);
        for (routing::Session& session : family->sessions)
            for (auto* names : {&session.import_filters, &session.export_filters})
                for (std::string& name : *names)
                    name = filter_name(name);
    }
    return node;
}

} // namespace polecat::bird
