/// conversion: what Kubernetes objects become in Calico's terms. Both sides are read into the typed
/// form and compared there.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/selector/parse.h"
#include "ir/policy/scope.h"
#include "ir/policy/text.h"
#include "passes/convert_kubernetes.h"
#include "passes/lower.h"
#include "support/letters.h"
#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

using nlohmann::json;

namespace {

/// Empty: as wanted. Otherwise what differs.
using Check = std::string (*)(const json& row);

/// A rule matches any of its ports: their order says nothing. Named ones last.
void sort_ports(policy::Policy& policy) {
    for (auto* rules : {&policy.ingress, &policy.egress})
        for (policy::Rule& rule : *rules)
            for (auto* ports : {&rule.source.ports, &rule.destination.ports})
                std::sort(
                    ports->begin(), ports->end(),
                    [](const policy::Port& a, const policy::Port& b) { return a.value < b.value; });
}

/// Names are the test author's own (podA), which the API server would not take.
json with_lower_name(json object) {
    if (object["metadata"].contains("name"))
        object["metadata"]["name"] = lower_case(object["metadata"]["name"].get<std::string>());
    return object;
}

/// Inputs are objects as stored, where Calico takes absent policyTypes for Ingress. Our reader
/// reads manifests, for which the API server would have filled the list in.
json as_stored(json object) {
    if (object["kind"] == "NetworkPolicy" && object.contains("spec") &&
        object["spec"].is_object() && !object["spec"].contains("policyTypes"))
        object["spec"]["policyTypes"] = {"Ingress"};
    return with_lower_name(std::move(object));
}

/// What is compared of a policy: all but its name and kind, which `identity` has.
std::string meaning(policy::Policy policy) {
    sort_ports(policy);
    policy.meta.name.clear();
    policy.meta.space.clear();
    policy.kind = policy::PolicyKind::NetworkPolicy;
    const auto drop_empty = [](Box<policy::SelectorField>& field) {
        if (field && field->text.empty() && field->parsed.is_all())
            field = std::nullopt;
    };
    drop_empty(policy.selector);
    drop_empty(policy.namespace_selector);
    return to_text(policy);
}

/// Calico goes on with what it could convert; an error that stops is as right.
std::string check_policy(const json& row) {
    const LoadedText input = load_text(as_stored(row["input"]).dump());
    const bool partial = row.value("partial", false) || row["output"].is_null();
    if (const std::string error = first_error(input); !error.empty())
        return partial ? "" : "refused: " + error;
    std::string found;
    for (const auto& policy : input.cluster.kubernetes_policies)
        found += meaning(passes::convert(policy));
    for (const auto& source : input.cluster.cluster_policies)
        found += meaning(passes::convert(source, passes::Enforcer::Calico));
    if (row["output"].is_null())
        return found.empty() ? "" : "nothing should come out: " + found;
    const LoadedText output = load_text(with_lower_name(row["output"]).dump());
    std::string wanted;
    for (policy::Policy policy : output.cluster.policies) {
        if (!row["output"]["spec"].contains("types")) // not defaulted: the output is internal
            policy.ingress_type = policy.egress_type = false;
        wanted += meaning(std::move(policy));
    }
    return found == wanted ? "" : "wanted\n" + wanted + "found\n" + found + first_error(output);
}

std::string text_of(const selector::Labels& labels) {
    std::string out;
    for (const auto& [key, value] : labels)
        out.append(key).append("=").append(value).append("\n");
    return out;
}

std::string text_of(const policy::Profile& profile) {
    std::string out = profile.meta.name + "\n" + text_of(profile.labels_to_apply);
    for (const policy::Rule& rule : profile.ingress)
        out += "ingress " + to_text(rule) + "\n";
    for (const policy::Rule& rule : profile.egress)
        out += "egress " + to_text(rule) + "\n";
    return out;
}

std::string check_profile(const json& row) {
    const LoadedText input = load_text(row["input"].dump());
    const LoadedText output = load_text(row["output"].dump());
    std::string found, wanted;
    for (const policy::Namespace& each : input.cluster.namespaces) {
        policy::Profile profile = passes::profile_of(each);
        // What the API server adds to every namespace.
        if (!row["input"]["metadata"].value("labels", json::object()).contains(policy::kNameLabel))
            profile.labels_to_apply.erase(std::string("pcns.").append(policy::kNameLabel));
        found += text_of(profile);
    }
    for (const policy::ServiceAccount& each : input.cluster.service_accounts)
        found += text_of(passes::profile_of(each));
    for (const policy::Profile& each : output.cluster.profiles)
        wanted += text_of(each);
    return found == wanted ? "" : "wanted " + wanted + "found " + found + first_error(input);
}

/// Labels that the endpoint itself has, without those that its profiles lend it.
selector::Labels own_labels(const selector::Labels& labels) {
    selector::Labels out;
    for (const auto& [key, value] : labels)
        if (!key.starts_with("pcns.") && !key.starts_with("pcsa."))
            out.set(key, value);
    return out;
}

std::string endpoint_text(const decision::Object& object) {
    std::string out = text_of(own_labels(object.labels));
    for (const net::Address& address : object.addresses)
        out += net::to_string(address) + "\n";
    for (const policy::EndpointPort& port : object.ports)
        if (!port.name.empty())
            out += port.name + "/" + net::to_string_protocol(port.protocol) + "/" +
                   std::to_string(port.port) + "\n";
    return out;
}

std::string check_pod(const json& row) {
    LoadedText input = load_text(as_stored(row["input"]).dump());
    if (row["output"].is_null()) // a bad annotation, or a pod that has no endpoint
        return "";
    if (const std::string error = first_error(input); !error.empty())
        return "refused: " + error;
    const LoadedText output = load_text(row["output"].dump());
    const auto found = passes::lower(input.cluster).cluster;
    const auto wanted = passes::lower(output.cluster).cluster;
    const bool endpoint = row["isCalicoEndpoint"].get<bool>();
    if (found.world.objects.empty()) // we keep no endpoint for a pod that lost its address
        return endpoint && row["output"]["spec"].contains("ipNetworks") ? "no endpoint came out"
                                                                        : "";
    if (!endpoint || wanted.world.objects.empty())
        return "";
    decision::Object object = found.world.objects.front();
    // The API server adds an account to pods that name none; without one a label of that name
    // stays as the pod has it.
    const std::string account = "projectcalico.org/serviceaccount";
    if (row["input"]["spec"].value("serviceAccountName", "").empty()) {
        const json labels = row["input"]["metadata"].value("labels", json::object());
        object.labels.erase(account);
        if (labels.contains(account))
            object.labels.set(account, labels[account].get<std::string>());
    }
    const std::string a = endpoint_text(object);
    const std::string b = endpoint_text(wanted.world.objects.front());
    return a == b ? "" : "wanted\n" + b + "found\n" + a + first_error(output);
}

policy::KubernetesNetworkPolicy read_policy(const json& spec, std::string& error) {
    const LoadedText loaded = load_text(json{
        {"apiVersion", "networking.k8s.io/v1"},
        {"kind", "NetworkPolicy"},
        {"metadata", {{"name", "p"}, {"namespace", "n"}}},
        {"spec", spec}}.dump());
    error = first_error(loaded);
    return loaded.cluster.kubernetes_policies.empty() ? policy::KubernetesNetworkPolicy{}
                                                      : loaded.cluster.kubernetes_policies.front();
}

std::string check_selector(const json& row) {
    std::string error;
    const auto policy = read_policy({{"podSelector", row["input"]}}, error);
    const std::string found =
        passes::convert_selector(policy.pod_selector, row["type"] == "pod").canonical();
    const auto wanted = frontend::parse_selector(row["output"].get<std::string>());
    return wanted && wanted->canonical() == found && error.empty() ? "" : "found " + found + error;
}

/// "80", "80:90" or a name, as a NetworkPolicy port.
json port_of(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos)
        return {{"port", std::stoi(text.substr(0, colon))},
                {"endPort", std::stoi(text.substr(colon + 1))}};
    const bool number =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
    return number ? json{{"port", std::stoi(text)}} : json{{"port", text}};
}

std::string check_ports(const json& row) {
    json ports = json::array();
    for (const json& each : row["input"])
        ports.push_back(port_of(each.is_string() ? each.get<std::string>() : each.dump()));
    std::string error;
    const auto policy =
        read_policy({{"podSelector", json::object()}, {"ingress", {{{"ports", ports}}}}}, error);
    const auto converted = passes::convert(policy);
    std::string found, wanted;
    for (const policy::Rule& rule : converted.ingress)
        found += to_text(rule);
    for (const json& each : row["output"]) {
        wanted += wanted.empty() ? "" : ",";
        const std::string text = each.is_string() ? each.get<std::string>() : each.dump();
        wanted +=
            text.find_first_not_of("0123456789:") == std::string::npos ? text : "\"" + text + "\"";
    }
    return found.find("ports=[" + wanted + "]") != std::string::npos ||
                   (row["input"].empty() && wanted.empty())
               ? ""
               : "wanted " + wanted + " found " + found + error;
}

} // namespace

SuiteResult run_conversion(const std::string& dir) {
    static constexpr std::pair<const char*, Check> kFiles[] = {
        {"networkpolicy", check_policy},
        {"clusternetworkpolicy", check_policy},
        {"pod", check_pod},
        {"namespace", check_profile},
        {"serviceaccount", check_profile},
        {"selector", check_selector},
        {"ports", check_ports}};
    SuiteResult out;
    out.name = "conversion";
    for (const auto& [file, check] : kFiles)
        for (const json& row : json::parse(suite_file(dir + "/" + file + ".json"))) {
            ++out.cases;
            const std::string problem = check(row);
            if (problem.empty())
                ++out.cases_passed;
            else
                out.failed.push_back(std::string(file) + ": " + row["name"].get<std::string>() +
                                     ": " + problem);
        }
    out.files = out.cases;
    out.files_passed = out.cases_passed;
    return out;
}

} // namespace polecat::conformance
