// The HTML report as text: sections, escaping, what is left out. tools/check-report loads it in a
// browser.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::kThreeTiers;
using testing::times;

namespace {

namespace fs = std::filesystem;

struct Page {
    int exit_code = 0;
    std::string html, said;
};

Page report(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {std::string(testing::bin_dir()) + "/polecat", "report"});
    arguments.insert(arguments.end(), {"-o", "-"});
    const auto output = runtime::run_program(arguments, input);
    REQUIRE_MESSAGE(output.ok(), (output ? "" : output.error()));
    return {output->exit_code, output->out, output->error};
}

/// Every element that needs an end has one, and nothing is left open.
void check_balanced(const std::string& html) {
    for (const std::string tag :
         {"html",    "head", "body", "main", "header", "nav",    "section", "table", "thead",
          "tbody",   "tr",   "td",   "th",   "form",   "select", "details", "pre",   "figure",
          "article", "ul",   "li",   "p",    "svg",    "g",      "text"})
        CHECK_MESSAGE(times(html, "<" + tag + ">") + times(html, "<" + tag + " ") ==
                          times(html, "</" + tag + ">"),
                      tag);
}

} // namespace

TEST_CASE("a report of sound manifests has every section") {
    const Page page = report({kThreeTiers + "/mended"});
    CHECK(page.exit_code == 0);
    for (const char* part :
         {"id=\"findings\"", "id=\"map\"", "id=\"flows\"", "id=\"policies\"", "id=\"gaps\"",
          "id=\"explanations\"", "<svg", "api/orders", "TCP 9000", "1 endpoint: data/ledger"})
        CHECK_MESSAGE(has(page.html, part), part);
    check_balanced(page.html);
    CHECK(has(page.html, "default-src 'none'; script-src 'sha256-"));
    for (const char* outside : {"src=\"", "@import", "url(", "<link", "style=\""})
        CHECK_MESSAGE(!has(page.html, outside), outside);
    CHECK(times(page.html, "<script") == 1);
    CHECK(has(page.said, "errors: 0"));
}

TEST_CASE("a report of manifests with errors says first what was not read") {
    const Page page = report({kThreeTiers + "/broken"});
    CHECK(page.exit_code == 1);
    CHECK(has(page.html, "not read: "));
    CHECK(has(page.html, "id=\"map\""));
    CHECK(has(page.html, "<a href=\"#PC1002\">PC1002</a>"));
    CHECK(has(page.html, "<article id=\"PC1002\">"));
    CHECK(has(page.html, "Most YAML readers keep the last value"));
    check_balanced(page.html);
    CHECK(report({kThreeTiers + "/nowhere"}).exit_code == 2);
    CHECK(report({"--group-by", "size", kThreeTiers}).exit_code == 2);
    CHECK(report({"--fail-on", "never", kThreeTiers + "/broken"}).exit_code == 0);
}

TEST_CASE("a policy of Kubernetes and one of Calico with one name govern what each selects") {
    const Page page = report({"-"}, R"(
apiVersion: v1
kind: Pod
metadata: {name: front, namespace: shop, labels: {app: front}}
---
apiVersion: v1
kind: Pod
metadata: {name: back, namespace: shop, labels: {app: back}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default, namespace: shop}
spec: {podSelector: {matchLabels: {app: front}}, policyTypes: [Ingress]}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: default, namespace: shop}
spec: {selector: app == 'back', types: [Ingress]}
)");
    CHECK(has(page.html, "1 endpoint: shop/front<"));
    CHECK(has(page.html, "1 endpoint: shop/back<"));
}

TEST_CASE("text of manifests is never markup") {
    const std::string bad = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>";
    const std::string manifests =
        "# " + bad +
        "\n{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: "
        "{tier: front}}, spec: {nodeName: n1, containers: [{name: c, image: \"" +
        bad + "\"}]}, status: {podIP: 10.0.0.1}} # " + bad + "\n---\n";
    const Page sound =
        report({"-", "--title", bad, "--group-by", "label:" + bad},
               manifests +
                   "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
                   "namespace: shop}, spec: {selector: \"tier == '" +
                   bad + "'\", types: [Ingress]}} # " + bad + "\n");
    CHECK(has(sound.html, "id=\"map\""));
    CHECK(has(sound.html, "without label &lt;/pre&gt;&lt;script&gt;"));
    const Page names =
        report({"-"}, manifests + "{apiVersion: v1, kind: \"" + bad +
                          "\", metadata: {name: x}}\n---\n"
                          "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
                          "metadata: {name: \"" +
                          bad + "\", namespace: \"" + bad + "\"}, spec: {\"" + bad + "\": 1}}\n");
    CHECK(names.exit_code == 1);
    for (const Page* page : {&sound, &names}) {
        CHECK(times(page->html, "<script") == 1);
        CHECK_FALSE(has(page->html, "<img"));
        CHECK(has(page->html, "&lt;script&gt;alert(1)"));
        check_balanced(page->html);
    }
}

TEST_CASE("a large report says what it leaves out") {
    std::string manifests;
    for (int i = 0; i < 2100; ++i)
        manifests += "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p" +
                     std::to_string(i) +
                     ", namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress]}}\n---\n";
    const Page page = report({"-"}, manifests);
    CHECK(has(page.html, "The first 2000 of 2100 policies"));
    CHECK(has(page.html, "2000 of "));
    check_balanced(page.html);
}
