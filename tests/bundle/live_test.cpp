// A change of a cluster that stays loaded gives the bytes of a compile of all with the bundle of
// before as its base.
#include <doctest/doctest.h>

#include "driver/watch/live_bundle.h"
#include "tests/bundle/packed.h"

using namespace polecat;

namespace {

/// An object read by itself, from a file of its own.
struct OneObject {
    policy::Cluster cluster;
    std::string name; ///< of a workload or policy: which it takes the place of; else empty
};

std::string name_of(const policy::Cluster& cluster) {
    for (const policy::Workload& each : cluster.workloads)
        return driver::LiveCluster::key_of(each);
    for (const policy::Policy& each : cluster.policies)
        return to_string(policy_name(each)) + " of Calico";
    for (const policy::KubernetesNetworkPolicy& each : cluster.kubernetes_policies)
        return to_string(policy_name(each));
    return "";
}

void append(auto& list, const auto& more) {
    list.insert(list.end(), more.begin(), more.end());
}

void append(policy::Cluster& to, const policy::Cluster& more) {
    append(to.namespaces, more.namespaces);
    append(to.workloads, more.workloads);
    append(to.host_endpoints, more.host_endpoints);
    append(to.services, more.services);
    append(to.tiers, more.tiers);
    append(to.policies, more.policies);
    append(to.kubernetes_policies, more.kubernetes_policies);
    append(to.network_sets, more.network_sets);
}

class RandomChanges {
  public:
    RandomChanges(std::uint64_t seed, bool hosts) : random_(seed) {
        for (const std::uint64_t version : {seed, seed + 1000, seed + 2000})
            read(testing::random_text(version, hosts), version == seed);
    }

    policy::Cluster start() {
        for (const auto& [name, versions] : versions_)
            if (random_.chance(70))
                current_[name] = &random_.pick(versions);
        return whole();
    }

    policy::Cluster whole() const {
        policy::Cluster out;
        append(out, fixed_);
        for (const auto& [name, object] : current_)
            append(out, object->cluster);
        return out;
    }

    driver::ClusterChange change() {
        driver::ClusterChange out;
        for (std::size_t count = 1 + random_.below(3) / 2; count > 0; --count)
            change_one(out);
        return out;
    }

    const Sources& sources() const { return sources_; }

  private:
    void read(const std::string& text, bool first) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find("---\n", at), text.size());
            std::string document = text.substr(at, end - at);
            at = end + 4;
            move_address(document);
            OneObject object;
            const FileId file =
                sources_.add("file" + std::to_string(random_.below(1000)) + ".yaml", document);
            diag::Diagnostics diagnostics;
            frontend::load_documents(yaml::read_documents(sources_, file, diagnostics),
                                     object.cluster, diagnostics);
            object.name = name_of(object.cluster);
            if (!object.name.empty())
                versions_[object.name].push_back(std::move(object));
            else if (first)
                append(fixed_, object.cluster);
        }
    }

    /// Pods of one number in two namespaces have two addresses, mostly.
    void move_address(std::string& document) {
        for (const char space : {'1', '2'})
            if (document.find(std::string("namespace: n") + space) != std::string::npos &&
                random_.below(500) != 0)
                for (const std::string prefix : {"ip: 10.9.", "ip: 'fd00:9:"})
                    if (auto place = document.find(prefix); place != std::string::npos) {
                        place += prefix.size();
                        if (document[place] == '0')
                            document[place] = space;
                        else
                            document.insert(place, std::string(1, space) + ":");
                    }
    }

    void change_one(driver::ClusterChange& out) {
        auto place = versions_.begin();
        std::advance(place, random_.below(versions_.size()));
        const auto& [name, versions] = *place;
        if (!touched_.insert(name).second)
            return;
        const OneObject& object = random_.pick(versions);
        if (current_.contains(name) && random_.chance(40)) {
            remove(*current_.at(name), out);
            current_.erase(name);
        } else {
            append(out.workloads, object.cluster.workloads);
            append(out.policies, object.cluster.policies);
            append(out.kubernetes_policies, object.cluster.kubernetes_policies);
            current_[name] = &object;
        }
    }

    static void remove(const OneObject& object, driver::ClusterChange& out) {
        for (const policy::Workload& each : object.cluster.workloads)
            out.gone_workloads.insert(driver::LiveCluster::key_of(each));
        for (const policy::Policy& each : object.cluster.policies)
            out.gone_policies.insert(policy_name(each));
        for (const policy::KubernetesNetworkPolicy& each : object.cluster.kubernetes_policies)
            out.gone_policies.insert(policy_name(each));
    }

  public:
    void begin_change() { touched_.clear(); }

  private:
    testing::Random random_;
    Sources sources_;
    policy::Cluster fixed_;
    std::map<std::string, std::vector<OneObject>> versions_;
    std::map<std::string, const OneObject*> current_;
    std::set<std::string> touched_; ///< by this change
};

bundle::Contents compiled(const policy::Cluster& cluster, const Sources& sources,
                          const bundle::Base& base) {
    const auto lowered = passes::lower(cluster).cluster;
    return bundle::pack(lowered, decision::Identities(lowered), sources, base);
}

using Held = std::map<std::string, std::string>;

void apply(Held& held, const bundle::Parts::Change& change) {
    for (const std::string& name : change.gone)
        CHECK(held.erase(name) == 1);
    for (const auto& [name, bytes] : change.come)
        CHECK(held.emplace(name, bytes).second);
}

struct Counts {
    std::size_t steps = 0, whole = 0;
    std::map<std::string, std::size_t> why;
};

Counts run(std::uint64_t seed, bool hosts, std::size_t steps) {
    Counts out;
    RandomChanges changes(seed, hosts);
    const policy::Cluster start = changes.start();
    driver::LiveBundle live(start, changes.sources(), "test");
    Held held;
    apply(held, live.first());
    bundle::Contents before = compiled(start, changes.sources(), {});
    for (; out.steps < steps; ++out.steps) {
        changes.begin_change();
        const driver::LiveBundle::Step step = live.apply(changes.change());
        out.whole += step.whole.empty() ? 0 : 1;
        if (!step.whole.empty())
            ++out.why[step.whole];
        apply(held, step.parts);
        before = compiled(changes.whole(), changes.sources(), bundle::base_of(before));
        const bundle::Written wanted = bundle::write(before, "test");
        const bool same = live.manifest() == wanted.manifest && held == wanted.parts;
        CHECK_MESSAGE(same, "seed " << seed << ", step " << out.steps << ", whole: " << step.whole);
        if (!same)
            return out;
    }
    return out;
}

} // namespace

TEST_CASE("a change gives the bytes of a compile of all") {
    Counts all;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const Counts counts = run(seed, false, 20);
        all.steps += counts.steps;
        all.whole += counts.whole;
        for (const auto& [why, times] : counts.why)
            all.why[why] += times;
    }
    MESSAGE(all.steps << " changes, of which all was compiled for " << all.whole);
    for (const auto& [why, times] : all.why)
        MESSAGE(times << " " << why);
    CHECK(all.whole < all.steps / 4);
}

TEST_CASE("a change of a cluster with host endpoints gives the bytes of a compile of all") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        run(seed, true, 20);
}
