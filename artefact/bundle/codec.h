/// One description of each record, for writing and for reading. A record is an array of its fields
/// in order. For artefact/bundle only.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <variant>

#include "artefact/bundle/cbor.h"
#include "artefact/bundle/records.h"

namespace polecat::bundle {

/// T or const T.
template <class R, class T>
concept Is = std::same_as<std::remove_const_t<R>, T>;

class Encoder {
  public:
    template <class... T> void fields(const T&... each) {
        out_.array(sizeof...(T));
        (put(each), ...);
    }
    void put(std::unsigned_integral auto value) { out_.number(value); }
    void put(bool value) { out_.boolean(value); }
    void put(const std::string& value) { out_.text(value); }
    void put(const ContentId& id);
    void put(const net::Address& address);
    void put(const net::AddressSet& set) { put(set.ranges()); }
    void put(const net::PortSet& set) { put(set.ranges()); }
    void put(const NumberSet& set);
    void put(const selector::Selector& selector);
    void put(const selector::Labels& labels);
    void put(const decision::Predicate& predicate);
    void put(double value);
    template <class E>
    requires std::is_enum_v<E>
    void put(E value) { out_.number(static_cast<std::uint64_t>(value)); }
    template <class Tag> void put(Id<Tag> id) { out_.number(id.value); }
    template <class T> void put(const std::optional<T>& value) {
        value ? put(*value) : out_.null();
    }
    template <class T> void put(const Shared<T>& value) { put(*value); }
    template <class T> void put(const std::vector<T>& list) {
        out_.array(list.size());
        for (const auto& each : list)
            put(each);
    }
    template <class A, class B> void put(const std::pair<A, B>& pair) {
        fields(pair.first, pair.second);
    }
    template <class K, class V> void put(const std::map<K, V>& map) {
        out_.array(map.size());
        for (const auto& [key, value] : map)
            fields(key, value);
    }
    template <class T>
    requires std::is_class_v<T>
    void put(const T& record) { describe(*this, record); }
    /// A record that a reader may step over.
    template <class T> void put_apart(const T& record) {
        Encoder inner;
        inner.put(record);
        out_.bytes(inner.take());
    }
    cbor::Writer& out() { return out_; }
    std::string take() { return out_.take(); }

  private:
    cbor::Writer out_;
};

/// Throws cbor::Failure.
class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : in_(bytes) {}

    template <class... T> void fields(T&... each) {
        if (in_.array() != sizeof...(T))
            in_.fail("an array of " + std::to_string(sizeof...(T)));
        (get(each), ...);
    }
    template <std::unsigned_integral T> void get(T& value) {
        value = static_cast<T>(in_.number(std::numeric_limits<T>::max()));
    }
    void get(bool& value) { value = in_.boolean(); }
    void get(std::string& value) { value = in_.text(); }
    void get(ContentId& id);
    void get(net::Address& address);
    void get(net::AddressSet& set);
    void get(net::PortSet& set);
    void get(NumberSet& set);
    void get(selector::Selector& selector) { selector = read_selector(0); }
    void get(selector::Labels& labels);
    void get(decision::Predicate& predicate);
    void get(double& value);
    template <class E>
    requires std::is_enum_v<E>
    void get(E& value) {
        value = static_cast<E>(in_.number(static_cast<std::uint64_t>(last_of(value))));
    }
    void get(net::Family& family) {
        const std::uint64_t number = in_.number(6);
        if (number != 4 && number != 6)
            in_.fail("a family of addresses");
        family = static_cast<net::Family>(number);
    }
    void get(net::Cidr& cidr) {
        fields(cidr.base, cidr.prefix);
        const unsigned width = cidr.family() == net::Family::V4 ? 32 : 128;
        if (cidr.prefix > width || net::block_of(cidr.base, cidr.prefix) != cidr)
            in_.fail("a block of addresses");
    }
    template <class Tag> void get(Id<Tag>& id) { get(id.value); }
    template <class T> void get(std::optional<T>& value) {
        value.reset();
        if (!in_.null())
            get(value.emplace());
    }
    template <class T> void get(Shared<T>& value) {
        T made;
        get(made);
        value = std::move(made);
    }
    template <class T> void get(std::vector<T>& list) {
        list.clear();
        for (std::size_t left = in_.array(); left > 0; --left) {
            T each{};
            get(each);
            list.push_back(std::move(each));
        }
    }
    template <class A, class B> void get(std::pair<A, B>& pair) { fields(pair.first, pair.second); }
    template <class K, class V> void get(std::map<K, V>& map) {
        map.clear();
        for (std::size_t left = in_.array(); left > 0; --left) {
            std::pair<K, V> each;
            get(each);
            if (!map.empty() && !(map.rbegin()->first < each.first))
                in_.fail("keys in ascending order");
            map.emplace_hint(map.end(), std::move(each));
        }
    }
    template <class T>
    requires std::is_class_v<T>
    void get(T& record) { describe(*this, record); }
    template <class T> void get_apart(T& record) {
        Decoder inner(in_.bytes());
        inner.get(record);
        inner.finish();
    }
    void finish() {
        if (!in_.done())
            in_.fail("the end");
    }
    cbor::Reader& in() { return in_; }

  private:
    static policy::HostAction last_of(policy::HostAction) { return policy::HostAction::Return; }
    static policy::PolicyKind last_of(policy::PolicyKind) {
        return policy::PolicyKind::StagedKubernetesNetworkPolicy;
    }
    static policy::Action last_of(policy::Action) { return policy::Action::Log; }
    static policy::Direction last_of(policy::Direction) { return policy::Direction::Egress; }
    static decision::Hook last_of(decision::Hook) { return decision::Hook::Untracked; }
    static decision::StageEnd last_of(decision::StageEnd) { return decision::StageEnd::Next; }
    static decision::Stage::Kind last_of(decision::Stage::Kind) {
        return decision::Stage::Kind::Profile;
    }
    static decision::Slot::Kind last_of(decision::Slot::Kind) {
        return decision::Slot::Kind::Failsafe;
    }
    static decision::Object::Kind last_of(decision::Object::Kind) {
        return decision::Object::Kind::NetworkSet;
    }
    static decision::Tunnel last_of(decision::Tunnel) { return decision::Tunnel::Wireguard; }
    selector::Selector read_selector(unsigned depth);

    cbor::Reader in_;
};

// --- descriptions -------------------------------------------------------------------------------

template <class C, Is<net::Cidr> R> void describe(C& c, R& r) {
    c.fields(r.base, r.prefix);
}
template <class C, Is<net::Range> R> void describe(C& c, R& r) {
    c.fields(r.first, r.last);
}
template <class C, Is<net::PortRange> R> void describe(C& c, R& r) {
    c.fields(r.first, r.last);
}
template <class C, Is<Span> R> void describe(C& c, R& r) {
    c.fields(r.file, r.line, r.column, r.length);
}
template <class C, Is<decision::ServiceSet> R> void describe(C& c, R& r) {
    c.fields(r.key, r.with_ports);
}
template <class C, Is<decision::NamedPortSet> R> void describe(C& c, R& r) {
    c.fields(r.selector, r.protocol, r.name);
}
template <class C, Is<PredicateRecord::Port> R> void describe(C& c, R& r) {
    c.fields(r.protocol, r.port);
}
template <class C, Is<PredicateRecord> R> void describe(C& c, R& r) {
    c.fields(r.predicate, r.yes, r.unknown, r.members);
}
template <class C, Is<decision::PortMatch> R> void describe(C& c, R& r) {
    c.fields(r.numbers, r.named);
}
template <class C, Is<decision::EndMatch> R> void describe(C& c, R& r) {
    auto& [all, none, ports, not_ports] = r;
    c.fields(all, none, ports, not_ports);
}
template <class C, Is<decision::IcmpTypeCode> R> void describe(C& c, R& r) {
    c.fields(r.type, r.code);
}
template <class C, Is<decision::Match::Http> R> void describe(C& c, R& r) {
    c.fields(r.methods, r.paths);
}
template <class C, Is<decision::Match> R> void describe(C& c, R& r) {
    auto& [protocol, not_protocol, icmp, not_icmp, source, destination, http] = r;
    c.fields(protocol, not_protocol, icmp, not_icmp, source, destination, http);
}
template <class C, Is<decision::Entry> R> void describe(C& c, R& r) {
    auto& [match, action, staged, slot] = r;
    c.fields(match, action, staged, slot);
}
template <class C, Is<decision::Stage> R> void describe(C& c, R& r) {
    auto& [kind, entries, end, staged_end, end_slot] = r;
    c.fields(kind, entries, end, staged_end, end_slot);
}
template <class C, Is<decision::Program> R> void describe(C& c, R& r) {
    auto& [hook, direction, family, stages, otherwise, otherwise_slot] = r;
    c.fields(hook, direction, family, stages, otherwise, otherwise_slot);
}
template <class C, Is<ProgramRecord> R> void describe(C& c, R& r) {
    c.fields(r.program, r.own, r.any_own);
}
template <class C, Is<policy::PolicyName> R> void describe(C& c, R& r) {
    auto& [manifest_kind, space, name, kind] = r;
    c.fields(manifest_kind, space, name, kind);
}
/// But for where it stands.
template <class C, Is<decision::Slot> R> void describe(C& c, R& r) {
    auto& [kind, tier, policy, rule_index, action, span] = r;
    c.fields(kind, tier, policy, rule_index, action);
}
template <class C, Is<decision::PolicyBlock> R> void describe(C& c, R& r) {
    auto& [stage, first, count, tier, policy, order, staged, unread, span] = r;
    c.fields(stage, first, count, tier, policy, order, staged, unread);
}
template <class C, Is<SlotsRecord> R> void describe(C& c, R& r) {
    c.fields(r.slots, r.policies);
}
template <class C, Is<decision::Group::Key> R> void describe(C& c, R& r) {
    c.fields(r.direction, r.hook, r.family);
}
template <class C, Is<GroupPart> R> void describe(C& c, R& r) {
    c.fields(r.program, r.slots);
}
template <class C, Is<GroupRecord> R> void describe(C& c, R& r) {
    c.fields(r.programs);
}
template <class C, Is<EndpointRecord> R> void describe(C& c, R& r) {
    auto& [name, kind, interface, addresses, sources, host_network, unread, group] = r;
    c.fields(name, kind, interface, addresses, sources, host_network, unread, group);
}
template <class C, Is<NodeRecord> R> void describe(C& c, R& r) {
    c.fields(r.groups, r.endpoints);
}
template <class C, Is<policy::EndpointPort> R> void describe(C& c, R& r) {
    c.fields(r.name, r.protocol, r.port, r.host_port);
}
template <class C, Is<policy::FelixSettings::FailsafePort> R> void describe(C& c, R& r) {
    c.fields(r.protocol, r.port, r.net);
}
template <class C, Is<policy::FelixSettings> R> void describe(C& c, R& r) {
    auto& [in, out, to_host, prefixes, allow_vxlan, allow_ipip, vxlan_port, vxlan, ipip, wireguard,
           wireguard6, wireguard_port, wireguard6_port, skips_invalid, rejects, other_sources,
           log_rate, log_burst, unread] = r;
    c.fields(in, out, to_host, prefixes, allow_vxlan, allow_ipip, vxlan_port, vxlan, ipip,
             wireguard, wireguard6, wireguard_port, wireguard6_port, skips_invalid, rejects,
             other_sources, log_rate, log_burst);
}
template <class C, Is<decision::NodeInfo> R> void describe(C& c, R& r) {
    auto& [name, addresses, tunnel_addresses, networks] = r;
    c.fields(name, addresses, tunnel_addresses, networks);
}
template <class C, Is<decision::PodPool> R> void describe(C& c, R& r) {
    auto& [cidr, tunnel, cross_subnet, nat_outgoing] = r;
    c.fields(cidr, tunnel, cross_subnet, nat_outgoing);
}
template <class C, Is<SettingsRecord> R> void describe(C& c, R& r) {
    c.fields(r.felix, r.felix_of_nodes, r.nodes, r.pools);
}
template <class C, Is<RangesRecord> R> void describe(C& c, R& r) {
    c.fields(r.ranges, r.blocks);
}
template <class C, Is<Origins> R> void describe(C& c, R& r) {
    c.fields(r.files, r.slots, r.endpoints);
}

} // namespace polecat::bundle
