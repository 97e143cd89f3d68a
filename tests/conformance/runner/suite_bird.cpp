/// bird: what a node's BIRD must do, as Calico renders it: the routing form against expect.json,
/// eval against routes.json, and BIRD 2's opinion of what we write (package bird2).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "backends/bird/bird.h"
#include "frontend/endpoint_status.h"
#include "passes/routing/routing.h"
#include "runtime/process.h"
#include "tests/conformance/runner/bird_form.h"
#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

passes::RoutingOptions options_of(const json& about, const fs::path& dir, LoadedText& loaded) {
    passes::RoutingOptions out;
    const json& env = about["env"];
    out.router_id = env.value("CALICO_ROUTER_ID", "");
    if (env.contains("CALICO_ADVERTISE_CLUSTER_IPS")) {
        std::vector<net::Cidr> ranges;
        std::istringstream words(env["CALICO_ADVERTISE_CLUSTER_IPS"].get<std::string>());
        for (std::string word; std::getline(words, word, ',');)
            if (const auto cidr = net::parse_cidr(word, net::CidrForm::Masked))
                ranges.push_back(*cidr);
        out.cluster_ip_ranges = ranges;
    }
    out.agent_namespace = about["secretNamespace"];
    out.slices_are_all = true;
    out.secrets_are_all = true; // the manifests are the whole cluster
    out.endpoint_status.emplace();
    if (!about["endpointStatus"].is_null())
        out.endpoint_status = frontend::read_endpoint_status(
            (dir / about["endpointStatus"].get<std::string>()).string(), loaded.sources,
            loaded.diagnostics);
    return out;
}

/// The first difference, as "path: want, got".
std::string difference(const json& want, const json& got) {
    for (const json& step : json::diff(want, got)) {
        const json::json_pointer at(step["path"].get<std::string>());
        const auto text = [&](const json& of) {
            return of.contains(at) ? of[at].dump() : std::string("nothing");
        };
        return fmt::format("{}: want {}, got {}", at.to_string(), text(want), text(got));
    }
    return "";
}

/// Base64 as Kubernetes writes it; anything else ends the text.
std::string decoded(const std::string& text) {
    static const std::string kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0, held = 0;
    for (const char c : text) {
        const std::size_t digit = kDigits.find(c);
        if (digit == std::string::npos)
            break;
        bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        out += static_cast<char>(bits >> held & 0xff);
    }
    return out;
}

/// The values of the manifests' Secrets, by "name/key".
std::map<std::string, std::string> passwords_in(const fs::path& folder, const std::string& space) {
    std::map<std::string, std::string> out;
    const std::string file = (folder / "secrets.yaml").string();
    if (!fs::exists(file))
        return out;
    Sources sources;
    diag::Diagnostics diagnostics;
    const FileId id = sources.add(file, suite_file(file));
    for (const yaml::Document& document : yaml::read_documents(sources, id, diagnostics)) {
        const yaml::Node* meta = document.root.find("metadata");
        const yaml::Node* where = meta != nullptr ? meta->find("namespace") : nullptr;
        if (where == nullptr || where->text != space)
            continue;
        for (const char* field : {"data", "stringData"}) // the second wins
            if (const yaml::Node* data = document.root.find(field); data != nullptr)
                for (const yaml::Member& member : data->members)
                    out[meta->find("name")->text + "/" + member.key] =
                        field == std::string_view("data") ? decoded(member.value.text)
                                                          : member.value.text;
    }
    return out;
}

/// Filters count only where a session names them.
json comparable(json expect) {
    std::vector<std::string> named;
    for (json& session : expect["sessions"]) {
        for (const char* direction : {"import", "export"})
            for (const json& name : session[direction]["filters"])
                named.push_back(name);
    }
    json filters = json::object();
    for (const auto& [name, filter] : expect["filters"].items())
        if (std::find(named.begin(), named.end(), name) != named.end())
            filters[name] = filter;
    expect["filters"] = filters;
    auto& communities = expect["export"]["communities"];
    std::sort(communities.begin(), communities.end());
    return expect;
}

class Case {
  public:
    Case(const fs::path& dir, SuiteResult& out) : dir_(dir), out_(out) {}

    void run() {
        const json about = json::parse(suite_file((dir_ / "case.json").string()));
        LoadedText loaded;
        loaded.cluster =
            frontend::load({(dir_ / "manifests").string()}, loaded.sources, loaded.diagnostics);
        const auto options = options_of(about, dir_, loaded);
        const auto cluster = passes::lower_routing(loaded.cluster, options, loaded.diagnostics);
        const auto node = cluster.find(about["node"].get<std::string>());
        const auto form =
            node ? passes::node_routing(cluster, *node, loaded.diagnostics) : std::nullopt;
        ++out_.files;
        if (!form) {
            ++out_.cases;
            return fail("not lowered: " + first_error(loaded));
        }
        const json expect = json::parse(suite_file((dir_ / "expect.json").string()));
        auto passwords =
            passwords_in(dir_ / "manifests", about["secretNamespace"].get<std::string>());
        const json routes = json::parse(suite_file((dir_ / "routes.json").string()));
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const char* name = family == net::Family::V4 ? "ipv4" : "ipv6";
            json got = json::parse(family_json(*form, family));
            for (json& session : got["sessions"]) // the form has references
                if (session["password"].is_string())
                    session["password"] = passwords[session["password"].get<std::string>()];
            check(difference(comparable(expect[name]), comparable(got)), name);
            for (const auto& [list, rows] : routes[name].items())
                for (const json& row : rows)
                    check_route(form->of(family), list, row);
        }
        check(written(*form), "bird.conf: ");
        out_.files_passed += passed_ ? 1 : 0;
    }

  private:
    void fail(const std::string& why) {
        if (passed_) // the first of a case tells most
            out_.failed.push_back(dir_.filename().string() + ": " + why);
        passed_ = false;
    }

    void check(const std::string& problem, const std::string& where) {
        ++out_.cases;
        if (problem.empty())
            ++out_.cases_passed;
        else
            fail(where + problem);
    }

    /// What is wrong with the configuration that we write.
    std::string written(const routing::NodeRouting& form) {
        const std::string text = bird::emit(form);
        const auto again = bird::read_back(text);
        if (!again)
            return again.error();
        if (*again != bird::comparable(form))
            return "reads back as another form";
        const fs::path dir = fs::temp_directory_path() / fmt::format("polecat-bird-{}", getpid());
        fs::create_directories(dir / "passwords");
        for (const routing::FamilyRouting* family : {&form.v4, &form.v6})
            for (const routing::Session& session : family->sessions)
                if (session.password)
                    std::ofstream(dir / bird::password_file(*session.password))
                        << "password \"example\";\n";
        std::ofstream(dir / "bird.conf") << text;
        const std::string file = (dir / "bird.conf").string();
        const auto asked = runtime::run_program({"bird", "-p", "-c", file}, "");
        fs::remove_all(dir);
        if (!asked)
            return asked.error();
        return asked->exit_code == 0 ? "" : "BIRD refuses it: " + asked->error;
    }

    void check_route(const routing::FamilyRouting& family, const std::string& list,
                     const json& row) {
        const routing::Route route = route_from(row["route"].dump());
        const std::string shown = fmt::format("{} of {}", list, row["route"].dump());
        if (list == "kernel") {
            const auto result = routing::evaluate_kernel(family, route);
            check(difference(row["result"], json::parse(result_json(route, result, list))), shown);
            return;
        }
        const auto evaluate =
            list == "export" ? routing::evaluate_export : routing::evaluate_import;
        json got = json::object();
        // Where two sessions go to one address the suite has the last by BIRD's name of it.
        for (const routing::Session& session : family.sessions)
            got[routing::endpoint_text(session.neighbor, session.port)] = json::parse(result_json(
                route, evaluate(family, session, route, routing::Trail::Applied), list));
        const json& want = row["result"];
        if (want.contains("*"))
            for (auto& [key, each] : got.items())
                check(difference(want["*"], each), shown + " to " + key);
        else
            check(difference(want, got), shown);
    }

    const fs::path dir_;
    SuiteResult& out_;
    bool passed_ = true;
};

} // namespace

SuiteResult run_bird(const std::string& dir) {
    SuiteResult out;
    out.name = fs::path(dir).filename().string();
    std::vector<fs::path> cases;
    for (const auto& entry : fs::directory_iterator(dir))
        if (fs::exists(entry.path() / "case.json"))
            cases.push_back(entry.path());
    std::sort(cases.begin(), cases.end());
    for (const fs::path& each : cases)
        Case(each, out).run();
    return out;
}

} // namespace polecat::conformance
