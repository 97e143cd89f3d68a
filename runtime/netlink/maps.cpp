#include "runtime/netlink/maps.h"

#include <algorithm>
#include <cstring>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <net/if.h>

#include <fmt/format.h>

namespace polecat::runtime::netlink {

namespace {

using nft::KeyType;
using nft::Map;

/// nft(8)'s numbers for types of keys; a concatenation has six bits for each part.
constexpr std::uint32_t kIpv4Type = 7, kIpv6Type = 8, kProtocolType = 12, kPortType = 13,
                        kWordType = 23, kInterfaceType = 41, kIcmpType = 14, kIcmp6Type = 29,
                        kDscpType = 36;
constexpr std::size_t kBatchOfElements = 60'000; ///< bytes; an attribute holds 65,535

/// What nft(8) keeps with a set to show it: the order of bytes of keys (1: the machine's, 2: the
/// network's, 0: neither) and values; in libnftnl's form.
enum class ByteOrder : std::uint8_t { None, Host, Network };

struct KeyShape {
    std::uint32_t type, size;
    ByteOrder order;
};

KeyShape shape_of(KeyType type) {
    switch (type) {
    case KeyType::Word:
        return {kWordType, 4, ByteOrder::Host};
    case KeyType::Ipv4:
        return {kIpv4Type, 4, ByteOrder::Network};
    case KeyType::Ipv6:
        return {kIpv6Type, 16, ByteOrder::Network};
    case KeyType::Protocol:
        return {kProtocolType, 1, ByteOrder::None};
    case KeyType::Port:
        return {kPortType, 2, ByteOrder::Network};
    case KeyType::Interface:
        return {kInterfaceType, IFNAMSIZ, ByteOrder::Host};
    case KeyType::InterfaceIpv4:
        return {kInterfaceType << 6 | kIpv4Type, IFNAMSIZ + 4, ByteOrder::None};
    case KeyType::InterfaceIpv6:
        return {kInterfaceType << 6 | kIpv6Type, IFNAMSIZ + 16, ByteOrder::None};
    }
    throw Unknown{"a type of keys"};
}

bool is_pair(KeyType type) {
    return type == KeyType::InterfaceIpv4 || type == KeyType::InterfaceIpv6;
}

/// Type, length, and a number of four bytes in the machine's order.
void add_description(std::string& to, std::uint8_t type, std::uint32_t value) {
    to += {static_cast<char>(type), 4};
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string description(const Map& map, ByteOrder keys) {
    std::string out;
    add_description(out, 0, static_cast<std::uint32_t>(keys));
    if (map.kind == Map::Kind::Set)
        return out;
    add_description(out, 1, map.kind == Map::Kind::Words ? 1 : 0);
    if (is_pair(map.key)) { // "concatenation", of no fields of packets
        std::string key;
        add_description(key, 0, 13);
        key += {1, 0};
        out += {3, static_cast<char>(key.size())};
        out += key;
    }
    add_description(out, 6, 0);
    return out;
}

std::string host_number(std::uint32_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string number_key(const Map& map, std::uint32_t value) {
    switch (map.key) {
    case KeyType::Protocol:
        if (value > 0xff)
            break;
        return std::string(1, static_cast<char>(value));
    case KeyType::Port:
        if (value > 0xffff)
            break;
        return {static_cast<char>(value >> 8), static_cast<char>(value)};
    default:
        return host_number(value);
    }
    throw Unknown{fmt::format("{} as a key of {}", value, map.name)};
}

std::string address_key(const Map& map, const net::Address& address) {
    const bool v4 = map.key == KeyType::Ipv4 || map.key == KeyType::InterfaceIpv4;
    if ((address.family == net::Family::V4) != v4)
        throw Unknown{"an address of the other family in " + map.name};
    return address_bytes(address);
}

/// The first or the last key of what an element stands for.
std::string key_bytes(const Map& map, const nft::Key& key, bool last) {
    switch (map.key) {
    case KeyType::Word:
    case KeyType::Protocol:
    case KeyType::Port:
        return number_key(map, last ? key.high : key.low);
    case KeyType::Ipv4:
    case KeyType::Ipv6:
        return address_key(map, last ? key.last : key.first);
    case KeyType::Interface:
        return interface_bytes(key.interface);
    case KeyType::InterfaceIpv4:
    case KeyType::InterfaceIpv6:
        return interface_bytes(key.interface) + address_key(map, last ? key.last : key.first);
    }
    throw Unknown{"a type of keys"};
}

void write_value(Messages& out, const Map& map, const nft::Value& value) {
    const auto* number = std::get_if<std::uint32_t>(&value);
    const auto* to = std::get_if<nft::Goto>(&value);
    if (map.kind == Map::Kind::Words && number != nullptr)
        out.nested(NFTA_SET_ELEM_DATA, [&] { out.data(NFTA_DATA_VALUE, host_number(*number)); });
    else if (map.kind == Map::Kind::Verdicts && to != nullptr)
        write_verdict(out, NFTA_SET_ELEM_DATA, NFT_GOTO, to->chain);
    else if (map.kind != Map::Kind::Set || number != nullptr || to != nullptr)
        throw Unknown{"a value of another kind than that of " + map.name};
}

void write_key(Messages& out, int attribute, const std::string& bytes) {
    out.nested(attribute, [&] { out.data(NFTA_DATA_VALUE, bytes); });
}

/// Elements, in as many messages as they need.
class ElementWriter {
  public:
    ElementWriter(Messages& out, const std::string& table, const Map& map, int type, int flags)
        : out_(out), table_(table), map_(map), type_(type), flags_(flags) {}

    /// next(true) says whether there is one more element, next(false) writes it.
    template <class Next> void run(Next next) {
        while (next(true))
            out_.message(type_, flags_, {map_.kind == Map::Kind::Set ? "set" : "map", map_.name},
                         [&] {
                             out_.text(NFTA_SET_ELEM_LIST_TABLE, table_);
                             out_.text(NFTA_SET_ELEM_LIST_SET, map_.name);
                             out_.nested(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
                                 const std::size_t start = out_.size();
                                 while (out_.size() - start < kBatchOfElements && next(false)) {
                                 }
                             });
                         });
    }

  private:
    Messages& out_;
    const std::string& table_;
    const Map& map_;
    int type_, flags_;
};

/// One element of the map after the other, for ElementWriter.
template <class One> auto one_by_one(const Map& map, One one) {
    return [&map, one = std::move(one), at = std::size_t{0}](bool only_asked) mutable {
        if (at == map.elements.size())
            return false;
        if (!only_asked)
            one(map.elements[at++]);
        return true;
    };
}

std::uint32_t type_number(ByteSet type) {
    if (type == ByteSet::Dscp)
        return kDscpType;
    return type == ByteSet::IcmpType ? kIcmpType : kIcmp6Type;
}

/// The kernel keeps ranges as the places where they begin and end.
class RangeWriter {
  public:
    RangeWriter(Messages& out, const Map& map) : out_(out), map_(map) {}

    void operator()(const nft::Element& element) {
        const std::string first = key_bytes(map_, element.key, false);
        std::string end = key_bytes(map_, element.key, true);
        // An end is no key of its own: two ranges must not share what is between them.
        if (end < first || (any_ && first <= last_))
            throw Unknown{"ranges of " + map_.name + " that are not in order"};
        if (!any_ && first.find_first_not_of('\0') != std::string::npos)
            write_end(std::string(first.size(), '\0'));
        any_ = true;
        last_ = end;
        const bool open = !count_up(end);
        out_.nested(NFTA_LIST_ELEM, [&] {
            write_key(out_, NFTA_SET_ELEM_KEY, first);
            write_value(out_, map_, element.value);
            if (open) { // nothing ends it, which nft(8) wants to be told
                std::string flags;
                add_description(flags, 1, 1);
                out_.data(NFTA_SET_ELEM_USERDATA, flags);
            }
        });
        if (!open)
            write_end(end);
    }

  private:
    void write_end(const std::string& key) {
        out_.nested(NFTA_LIST_ELEM, [&] {
            out_.number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
            write_key(out_, NFTA_SET_ELEM_KEY, key);
        });
    }
    /// The next key; false where there is none.
    static bool count_up(std::string& key) {
        for (auto at = key.rbegin(); at != key.rend(); ++at) {
            *at = static_cast<char>(static_cast<unsigned char>(*at) + 1);
            if (*at != 0)
                return true;
        }
        return false;
    }

    Messages& out_;
    const Map& map_;
    bool any_ = false;
    std::string last_;
};

/// A single key, or a range of pairs, of which the kernel has both ends in one element.
void write_element(Messages& out, const Map& map, const nft::Element& element, bool with_value) {
    const std::string first = key_bytes(map, element.key, false);
    const std::string last = key_bytes(map, element.key, true);
    if (!map.interval && first != last)
        throw Unknown{"a range in " + map.name + ", which has none"};
    out.nested(NFTA_LIST_ELEM, [&] {
        write_key(out, NFTA_SET_ELEM_KEY, first);
        if (map.interval)
            write_key(out, NFTA_SET_ELEM_KEY_END, last);
        if (with_value)
            write_value(out, map, element.value);
    });
}

} // namespace

std::string interface_bytes(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ || name.find('\0') != std::string::npos)
        throw Unknown{"an interface `" + name + "`"};
    std::string out = name;
    out.resize(IFNAMSIZ);
    return out;
}

std::string address_bytes(const net::Address& address) {
    const std::uint64_t parts[] = {htobe64(address.high), htobe64(address.low)};
    const std::string all(reinterpret_cast<const char*>(parts), sizeof parts);
    return address.family == net::Family::V4 ? all.substr(12) : all;
}

void write_verdict(Messages& out, int attribute, int code, const std::string& chain) {
    out.nested(attribute, [&] {
        out.nested(NFTA_DATA_VERDICT, [&] {
            out.number(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
            if (!chain.empty())
                out.text(NFTA_VERDICT_CHAIN, chain);
        });
    });
}

void write_map(Messages& out, const std::string& table, const Map& map, std::uint32_t id) {
    const KeyShape key = shape_of(map.key);
    std::uint32_t flags = map.kind == Map::Kind::Set ? 0 : NFT_SET_MAP;
    if (map.interval)
        flags |= NFT_SET_INTERVAL | (is_pair(map.key) ? std::uint32_t{NFT_SET_CONCAT} : 0);
    if (map.interval && key.order != ByteOrder::Network && !is_pair(map.key))
        throw Unknown{"ranges of such keys as those of " + map.name};
    if (is_pair(map.key) && map.kind == Map::Kind::Set)
        throw Unknown{"a set of pairs: " + map.name};
    out.message(NFT_MSG_NEWSET, NLM_F_CREATE, {"map", map.name}, [&] {
        out.text(NFTA_SET_TABLE, table);
        out.text(NFTA_SET_NAME, map.name);
        out.number(NFTA_SET_FLAGS, flags);
        out.number(NFTA_SET_KEY_TYPE, key.type);
        out.number(NFTA_SET_KEY_LEN, key.size);
        if (map.kind != Map::Kind::Set) {
            const bool words = map.kind == Map::Kind::Words;
            out.number(NFTA_SET_DATA_TYPE, words ? kWordType : std::uint32_t{NFT_DATA_VERDICT});
            out.number(NFTA_SET_DATA_LEN, words ? 4 : 0);
        }
        out.number(NFTA_SET_ID, id);
        if (map.interval && is_pair(map.key))
            out.nested(NFTA_SET_DESC, [&] {
                out.nested(NFTA_SET_DESC_CONCAT, [&] {
                    for (const std::uint32_t size : {std::uint32_t{IFNAMSIZ}, key.size - IFNAMSIZ})
                        out.nested(NFTA_LIST_ELEM, [&] { out.number(NFTA_SET_FIELD_LEN, size); });
                });
            });
        out.data(NFTA_SET_USERDATA, description(map, key.order));
    });
}

void write_elements(Messages& out, const std::string& table, const Map& map, bool fresh) {
    ElementWriter writer(out, table, map, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
    if (map.interval && !is_pair(map.key)) {
        // What is there already decides whether anything may begin or end at a key.
        if (!fresh)
            throw Unknown{"single ranges for " + map.name + ", which is made whole"};
        writer.run(one_by_one(map, RangeWriter(out, map)));
    } else {
        writer.run(one_by_one(
            map, [&](const nft::Element& each) { write_element(out, map, each, true); }));
    }
}

void write_elements_out(Messages& out, const std::string& table, const Map& map) {
    if (map.interval && !is_pair(map.key))
        throw Unknown{"single ranges for " + map.name + ", which is made whole"};
    ElementWriter writer(out, table, map, NFT_MSG_DELSETELEM, 0);
    writer.run(
        one_by_one(map, [&](const nft::Element& each) { write_element(out, map, each, false); }));
}

void write_map_out(Messages& out, const std::string& table, const Map& map) {
    out.message(NFT_MSG_DELSET, 0, {"map", map.name}, [&] {
        out.text(NFTA_SET_TABLE, table);
        out.text(NFTA_SET_NAME, map.name);
    });
}

void write_byte_set(Messages& out, const std::string& table, ByteSet type,
                    const std::vector<std::uint8_t>& values, std::uint32_t id) {
    std::string about;
    add_description(about, 0, static_cast<std::uint32_t>(ByteOrder::Network));
    if (type != ByteSet::Dscp) { // a field of a packet: of which protocol, and which
        std::string field, key;
        add_description(field, 0, type == ByteSet::IcmpType ? 4 : 14);
        add_description(field, 1, 1);
        add_description(key, 0, 7);
        key += {1, static_cast<char>(field.size())};
        about += {3, static_cast<char>(key.size() + field.size())};
        about += key + field;
    }
    out.message(NFT_MSG_NEWSET, NLM_F_CREATE, {"a set of a rule", {}}, [&] {
        out.text(NFTA_SET_TABLE, table);
        out.text(NFTA_SET_NAME, kByteSetName);
        out.number(NFTA_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT);
        out.number(NFTA_SET_KEY_TYPE, type_number(type));
        out.number(NFTA_SET_KEY_LEN, 1);
        out.number(NFTA_SET_ID, id);
        out.nested(NFTA_SET_DESC, [&] {
            out.number(NFTA_SET_DESC_SIZE, static_cast<std::uint32_t>(values.size()));
        });
        out.data(NFTA_SET_USERDATA, about);
    });
    out.message(NFT_MSG_NEWSETELEM, NLM_F_CREATE, {"a set of a rule", {}}, [&] {
        out.text(NFTA_SET_ELEM_LIST_TABLE, table);
        out.text(NFTA_SET_ELEM_LIST_SET, kByteSetName);
        out.number(NFTA_SET_ELEM_LIST_SET_ID, id);
        out.nested(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
            for (const std::uint8_t value : values) {
                // The treatment that a packet asks for is the upper six bits of its byte.
                const unsigned held = unsigned{value} << (type == ByteSet::Dscp ? 2U : 0U);
                out.nested(NFTA_LIST_ELEM, [&] {
                    write_key(out, NFTA_SET_ELEM_KEY, std::string(1, static_cast<char>(held)));
                });
            }
        });
    });
}

} // namespace polecat::runtime::netlink
