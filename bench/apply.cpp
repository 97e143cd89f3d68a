#include "bench/apply.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <malloc.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "backends/nftables/plan.h"
#include "backends/node/build.h"
#include "backends/node/numbers.h"
#include "bench/measure.h"
#include "frontend/load.h"
#include "passes/lower.h"
#include "runtime/lab/lab.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"
#include "runtime/temporary_folder.h"

namespace polecat::bench {

namespace {

[[noreturn]] void give_up(const std::string& why) {
    fmt::print(stderr, "polecat-bench: {}\n", why);
    std::exit(1);
}

template <class T> T value_of(Result<T> result) {
    if (!result)
        give_up(result.error());
    return std::move(*result);
}

// --- four versions of a cluster ------------------------------------------------------------------

constexpr const char* kNode = "node-0000";
constexpr const char* kVersions[] = {"base", "known", "new", "own", "policy"};

std::vector<std::string> yaml_documents(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = text.find("---\n"), next; at != std::string::npos; at = next) {
        next = text.find("\n---\n", at + 4);
        next = next == std::string::npos ? next : next + 1;
        out.push_back(text.substr(at, next == std::string::npos ? next : next - at));
    }
    return out;
}

std::string with_other(std::string text, const std::string& what, const std::string& other) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos)
        give_up("no `" + what + "` in the manifests");
    return text.replace(at, what.size(), other);
}

/// The same with one pod more, like the first of the node, like none, or with labels that have
/// policies of their own; or with another port in a policy for all pods of a namespace.
std::string version_of(const std::string& base, const std::string& version) {
    const auto documents = yaml_documents(base);
    if (version == "base")
        return base;
    if (version == "policy") {
        const std::string port = "port: 8000, endPort: 8100";
        for (const std::string& each : documents)
            if (each.find("podSelector: {}\n  policyTypes") != std::string::npos &&
                each.find(port) != std::string::npos)
                return with_other(base, each, with_other(each, port, "port: 7777"));
        give_up("no policy to change");
    }
    const auto pod = std::find_if(documents.begin(), documents.end(), [](const auto& each) {
        return each.find(std::string("nodeName: ") + kNode) != std::string::npos;
    });
    std::string more = with_other(*pod, "name: ", "name: one-more-");
    const std::size_t address = more.find("podIP: ");
    more = more.substr(0, address) + "podIP: 10.250.7.7\n";
    if (version == "new")
        more = with_other(more, "    app: ", "    app: new-");
    if (version == "own")
        more = with_other(more, "    tier:", "    canary: \"true\"\n    tier:");
    return base + more;
}

/// Writes the rules of each version, numbered as the first. In a process of its own, so that what
/// making them takes is not in what applying them takes.
void write_rules(const std::string& manifests, const std::string& folder) {
    backends::Numbers numbers;
    for (const std::string version : kVersions) {
        Sources sources;
        diag::Diagnostics diagnostics;
        policy::Cluster cluster;
        const FileId file = sources.add("bench.yaml", version_of(manifests, version));
        frontend::load_documents(yaml::read_documents(sources, file, diagnostics), cluster,
                                 diagnostics);
        const auto lowered = passes::lower(cluster).cluster;
        const decision::Identities identities(lowered);
        backends::NodeImages images(lowered, identities, numbers);
        const auto image = images.of(kNode, diagnostics);
        if (!image || diagnostics.has_errors())
            give_up("no rules of version " + version);
        if (version == "base")
            numbers = images.record();
        std::ofstream(folder + "/" + version) << nft::print(backends::emit(*image));
    }
}

nft::Ruleset read_rules(const std::string& path) {
    std::ifstream in(path);
    return value_of(nft::parse(std::string(std::istreambuf_iterator<char>(in), {})));
}

// --- what it takes -------------------------------------------------------------------------------

/// Seconds by the clock and by the processor; netlink does the kernel's work in our own time.
struct Taken {
    double seconds = 0, cpu = 0;
    auto operator<=>(const Taken&) const = default;
};

template <class Work> Taken time_of(const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return {taken.count(), cpu_seconds() - cpu};
}

std::string milliseconds(std::vector<Taken> all) {
    std::sort(all.begin(), all.end());
    const Taken& middle = all[all.size() / 2];
    return fmt::format("{:.3f} ms median, {:.3f} least, {:.3f} CPU", middle.seconds * 1e3,
                       all.front().seconds * 1e3, middle.cpu * 1e3);
}

/// Peak memory from here on, in MB.
class Peak {
  public:
    Peak() {
        malloc_trim(0);
        std::ofstream("/proc/self/clear_refs") << 5;
    }
    static double megabytes() {
        std::ifstream in("/proc/self/status");
        for (std::string word; in >> word;)
            if (word == "VmHWM:" && in >> word)
                return std::stod(word) / 1024.0;
        return 0;
    }
};

constexpr std::uint32_t kFirst = 0x00010000, kSecond = 0x00020000; ///< generations

void apply(const nft::Transaction& does, std::uint32_t generation) {
    value_of(runtime::nft_apply(does, generation));
}

void first_load(const nft::Ruleset& rules) {
    std::size_t elements = 0;
    for (const nft::Map& map : rules.maps)
        elements += map.elements.size();
    fmt::print("  {} elements in {} maps, {} chains\n", elements, rules.maps.size(),
               rules.chains.size());
    const Peak peak;
    const nft::Transaction does = nft::replacing(rules);
    std::vector<Taken> all;
    for (int i = 0; i < 5; ++i) {
        value_of(runtime::nft_load("table inet polecat {}\ndelete table inet polecat\n"));
        std::this_thread::sleep_for(std::chrono::milliseconds(500)); // until all of it is gone
        all.push_back(time_of([&] { apply(does, kFirst); }));
    }
    fmt::print("  first load: {}; the process {:.0f} MB, this far {:.0f} MB\n", milliseconds(all),
               Peak::megabytes(), peak_megabytes());
    const std::string text = nft::print_replacing(nft::with_generation(rules, kFirst));
    const Taken by_text = time_of([&] { value_of(runtime::nft_load(text)); });
    fmt::print("  the same by nft -f: {:.3f} s\n", by_text.seconds);
}

void read_back(const backends::NodeImage& image) {
    std::vector<Taken> lists, all;
    for (int i = 0; i < 3; ++i)
        all.push_back(time_of([&] {
            std::string listed;
            lists.push_back(time_of([&] { listed = value_of(runtime::nft_list("polecat")); }));
            if (value_of(backends::read_back(value_of(nft::parse(listed)))) != image)
                give_up("what the kernel has does not read back");
        }));
    fmt::print("  list and read back: {}; of it nft list {}\n", milliseconds(all),
               milliseconds(lists));
}

/// There and back, so often; what there takes.
void change(const char* what, const nft::Ruleset& rules, const backends::NodeImage& before,
            const backends::NodeImage& to, int times) {
    const nft::Ruleset from = nft::with_generation(rules, kFirst);
    backends::Plan there;
    const Taken planning = time_of([&] { there = value_of(backends::plan(from, before, to)); });
    const auto back = value_of(backends::plan(nft::with_generation(there.result, kSecond), before));
    if (back.result != rules)
        give_up("a plan and the one back do not end where they began");
    std::vector<Taken> all;
    for (int i = 0; i < times; ++i) {
        Taken sum;
        for (const backends::Plan::Step& step : there.steps) {
            const Taken one = time_of([&] { apply(step.does, kSecond); });
            sum = {sum.seconds + one.seconds, sum.cpu + one.cpu};
        }
        all.push_back(sum);
        for (const backends::Plan::Step& step : back.steps)
            apply(step.does, kFirst);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    backends::Work work;
    for (const backends::Plan::Step& step : there.steps)
        work += step.work;
    fmt::print("  {}: {}; {} steps, {} elements, {} chains; planned in {:.0f} ms\n", what,
               milliseconds(all), there.steps.size(),
               work.elements_in + work.elements_out + work.ranges_in, work.chains_in,
               planning.seconds * 1e3);
}

} // namespace

void apply_of(const std::string& name, const std::string& manifests) {
    if (const auto entered = runtime::Lab::enter(); !entered) {
        fmt::print("{}: {}\n", name, entered.error());
        return;
    }
    const auto folder = value_of(runtime::TemporaryFolder::make());
    const std::string& path = folder.path();
    if (const pid_t child = fork(); child == 0) {
        write_rules(manifests, path);
        std::_Exit(0);
    } else {
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0)
            give_up("no rules");
    }
    fmt::print("{}\n", name);
    const nft::Ruleset rules = read_rules(path + "/base");
    first_load(rules);
    const backends::NodeImage image = value_of(backends::read_back(rules));
    read_back(image);
    const auto image_of = [&](const char* version) {
        return value_of(backends::read_back(read_rules(path + "/" + version)));
    };
    apply(nft::replacing(rules), kFirst);
    change("a pod of known identity", rules, image, image_of("known"), 101);
    change("a pod of a new identity", rules, image, image_of("new"), 101);
    change("a pod that needs programs of its own", rules, image, image_of("own"), 41);
    change("a policy changed", rules, image, image_of("policy"), 21);
    std::fflush(stdout);
}

} // namespace polecat::bench
