#include "tests/kernel/agreement.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/backends/changes.h"

namespace polecat::kernel_test {

using decision::Verdict;
using Step = PacketSpec::Step;

namespace {

/// Conversations last as long as the test takes.
void keep_connections() {
    for (const char* which :
         {"udp", "icmp", "icmpv6", "generic", "gre", "tcp_timeout_syn_sent", "tcp_timeout_syn_recv",
          "sctp_timeout_cookie_wait", "sctp_timeout_cookie_echoed"}) {
        const std::string name = which;
        const bool whole = name.find("timeout") != std::string::npos;
        std::ofstream("/proc/sys/net/netfilter/nf_conntrack_" + name + (whole ? "" : "_timeout"))
            << 600;
    }
}

class Player {
  public:
    explicit Player(const Scenario& scenario)
        : scenario_(scenario), node_(testing::text_of(scenario.policies.front()), scenario.outside,
                                     {}, {}, scenario.options),
          states_(scenario.flows.size()) {
        keep_connections();
        node_.serve();
    }

    Agreement run() {
        each(&Player::open);
        each(&Player::answer);
        each(&Player::follow);
        each(&Player::complain);
        out_.flows = live();
        for (std::size_t i = 1; i < scenario_.policies.size(); ++i) {
            const std::string text = testing::text_of(scenario_.policies[i]);
            if (scenario_.by_plans)
                node_.change_by_plan(text);
            else
                node_.change_policy(text, node_.generation.next());
            stage_ = fmt::format("policy {}", i + 1);
            each(&Player::judge_anew);
            each(&Player::judge_other_way);
            each(&Player::complain);
        }
        CHECK(node_.kernel_agrees());
        return std::move(out_);
    }

  private:
    struct State {
        bool opened = false; ///< something of it has passed: conntrack knows it
        bool answered = false;
        /// By the policy that was judged last; nullopt where it depends on the way in.
        std::optional<bool> allowed = false;
        std::string arrived; ///< the packet that opened it, at the server
        std::uint64_t number = 0;
    };
    struct Awaited {
        std::size_t flow, host;
        std::uint64_t nonce;
        std::optional<bool> wanted;
        bool is_error;
        const char* what;
    };

    const Flow& flow(std::size_t i) const { return scenario_.flows[i]; }
    std::size_t server(std::size_t i) const {
        return node_.host_of(node_.server_of(flow(i).opens));
    }

    /// A service without pods, or with a pod that asks itself, is nobody's flow.
    bool is_live(std::size_t i) const {
        const PacketSpec& spec = flow(i).opens;
        const net::Address to = node_.server_of(spec);
        return node_.knows(to) && node_.host_of(to) != node_.host_of(flow(i).sender);
    }
    std::size_t live() const {
        std::size_t out = 0;
        for (std::size_t i = 0; i < scenario_.flows.size(); ++i)
            out += is_live(i) ? 1 : 0;
        return out;
    }

    void each(void (Player::*act)(std::size_t)) {
        for (std::size_t i = 0; i < scenario_.flows.size(); ++i) {
            if (is_live(i))
                (this->*act)(i);
            if (i % 16 == 0)
                node_.lab.collect(0);
        }
        settle();
    }

    void send(std::size_t host, const std::string& packet, const net::Address& to) {
        REQUIRE(node_.lab.send(host, packet, to));
    }

    void await(std::size_t i, std::size_t host, std::uint64_t nonce, std::optional<bool> wanted,
               const char* what, bool is_error = false) {
        awaited_.push_back({i, host, nonce, wanted, is_error, what});
    }

    bool is_beyond(const net::Address& address) const {
        return node_.lab.hosts[node_.host_of(address)].interface == kUplink;
    }
    /// Host endpoints judge a flow by its own packets, whoever speaks first after a change.
    bool is_settled_by_answers(std::size_t i) const {
        const PacketSpec& spec = flow(i).opens;
        return !scenario_.through_host_endpoint ||
               !(is_beyond(spec.source) || is_beyond(node_.server_of(spec)));
    }

    /// A service's address may be reached from outside by way of another node as well, which the
    /// lab has none of.
    std::optional<bool> judged(std::size_t i) const {
        const PacketSpec& spec = flow(i).opens;
        const Verdict verdict = node_.expected(spec);
        if (verdict == Verdict::Depends && node_.server_of(spec) != spec.destination &&
            is_beyond(spec.source))
            return std::nullopt;
        return verdict == Verdict::Allow;
    }

    void open(std::size_t i) {
        PacketSpec spec = flow(i).opens;
        states_[i].number = spec.nonce = node_.next_nonce++;
        const std::size_t from = node_.host_of(flow(i).sender);
        if (flow(i).in_fragments)
            for (const std::string& piece : runtime::make_fragments(spec))
                send(from, piece, spec.destination);
        else
            send(from, runtime::make_packet(spec), spec.destination);
        states_[i].allowed = flow(i).is_forged() ? false : judged(i);
        await(i, server(i), spec.nonce, states_[i].allowed, "opens");
    }

    void follow(std::size_t i) {
        if (!states_[i].opened)
            return;
        PacketSpec spec = flow(i).opens;
        spec.nonce = node_.next_nonce++;
        spec.step = Step::Follows;
        send(node_.host_of(spec.source), runtime::make_packet(spec), spec.destination);
        await(i, server(i), spec.nonce, states_[i].allowed, "goes on");
    }

    void answer(std::size_t i) {
        if (!states_[i].opened)
            return;
        PacketSpec spec = runtime::answer_to(states_[i].arrived, node_.next_nonce++);
        if (states_[i].answered)
            spec.step = Step::Follows;
        states_[i].answered = true;
        send(server(i), runtime::make_packet(spec), spec.destination);
        await(i, node_.host_of(flow(i).opens.source), spec.nonce, states_[i].allowed, "answer");
    }

    /// The server says that nobody listens, to a client whose flow was judged since the change.
    void complain(std::size_t i) {
        const net::Protocol protocol = flow(i).opens.protocol;
        if (!states_[i].opened || flow(i).in_fragments ||
            (protocol != net::kUdp && protocol != net::kTcp))
            return;
        const std::size_t client = node_.host_of(flow(i).opens.source);
        node_.lab.hosts[client].errors.erase(states_[i].number);
        const PacketSpec to = runtime::answer_to(states_[i].arrived, 0);
        send(server(i), runtime::make_error(states_[i].arrived), to.destination);
        await(i, client, states_[i].number, states_[i].allowed, "ICMP error", true);
        ++out_.errors;
    }

    /// Whichever side speaks first after a change; flows that were never allowed begin again.
    void judge_anew(std::size_t i) {
        if (flow(i).is_forged() || !states_[i].opened)
            return open(i);
        const bool was = states_[i].allowed == true;
        states_[i].allowed = judged(i);
        out_.revoked += was && states_[i].allowed == false ? 1 : 0;
        out_.resumed += !was && states_[i].allowed == true ? 1 : 0;
        if (i % 2 == 0 || !is_settled_by_answers(i))
            follow(i);
        else
            answer(i);
    }
    void judge_other_way(std::size_t i) {
        if (i % 2 == 0 || !states_[i].answered || !is_settled_by_answers(i))
            answer(i);
        else
            follow(i);
    }

    void settle() {
        node_.lab.collect(100);
        for (const Awaited& each : awaited_) {
            const bool arrived = each.is_error ? node_.lab.has_error(each.host, each.nonce)
                                               : node_.lab.has_seen(each.host, each.nonce);
            ++out_.packets;
            out_.passed += arrived ? 1 : 0;
            if (each.wanted && arrived != each.wanted)
                out_.mismatches.push_back({each.flow, describe(each, arrived)});
            State& state = states_[each.flow];
            if (arrived && each.nonce == state.number && !each.is_error) {
                state.opened = true;
                state.arrived = flow(each.flow).in_fragments
                                    ? runtime::make_packet(flow(each.flow).opens)
                                    : node_.lab.hosts[each.host].seen.at(each.nonce);
            }
        }
        awaited_.clear();
        for (runtime::Host& host : node_.lab.hosts)
            host.seen.clear();
    }

    std::string describe(const Awaited& each, bool arrived) const {
        const PacketSpec& spec = flow(each.flow).opens;
        return fmt::format("{}: {} -> {} protocol {} port {} from {}{}{}: {} {}, eval {}", stage_,
                           net::to_string(spec.source), net::to_string(spec.destination),
                           int{spec.protocol}, spec.destination_port, spec.source_port,
                           flow(each.flow).in_fragments ? " in fragments" : "",
                           flow(each.flow).is_forged() ? " forged" : "", each.what,
                           arrived ? "arrives" : "is lost", *each.wanted ? "allows" : "denies");
    }

    const Scenario& scenario_;
    Node node_;
    std::vector<State> states_;
    std::vector<Awaited> awaited_;
    std::string stage_ = "policy 1";
    Agreement out_;
};

bool fails(const Scenario& scenario) {
    return !play(scenario).mismatches.empty();
}

/// Policies, and pods that the flow is not about, that it goes wrong without as well.
void drop_documents(Scenario& scenario) {
    for (std::size_t which = 0; which < scenario.policies.size(); ++which)
        for (std::size_t i = scenario.policies[which].size(); i-- > 0;) {
            if (scenario.policies[which][i].find("NetworkPolicy") == std::string::npos)
                continue;
            Scenario smaller = scenario;
            smaller.policies[which].erase(smaller.policies[which].begin() +
                                          static_cast<std::ptrdiff_t>(i));
            if (fails(smaller))
                scenario = std::move(smaller);
        }
}

} // namespace

void Agreement::add(const Agreement& other) {
    flows += other.flows;
    packets += other.packets;
    passed += other.passed;
    errors += other.errors;
    revoked += other.revoked;
    resumed += other.resumed;
}

Agreement play(const Scenario& scenario) {
    return Player(scenario).run();
}

std::string save_shrunk(const Scenario& scenario, const Agreement::Mismatch& mismatch) {
    Scenario small = scenario;
    small.flows = {scenario.flows[mismatch.flow]};
    std::string head = "# " + mismatch.what + "\n";
    if (!fails(small)) {
        small.flows = scenario.flows;
        head += "# Not by itself: with all the flows of its scenario only.\n";
    } else {
        while (small.policies.size() > 1) {
            Scenario shorter = small;
            shorter.policies.pop_back();
            if (!fails(shorter))
                break;
            small = std::move(shorter);
        }
        drop_documents(small);
    }
    std::filesystem::create_directories("kernel-failures");
    std::string name;
    for (int i = 1; name.empty() || std::filesystem::exists(name); ++i)
        name = fmt::format("kernel-failures/flow-{}.yaml", i);
    std::ofstream file(name);
    file << head;
    for (std::size_t i = 0; i < small.policies.size(); ++i)
        file << "# policy " << i + 1 << "\n" << testing::text_of(small.policies[i]);
    return std::filesystem::absolute(name).string();
}

} // namespace polecat::kernel_test
