#include "runtime/netlink/expressions.h"

// The C library's before the kernel's, which then leaves out what both have.
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "runtime/netlink/maps.h"

namespace polecat::runtime::netlink {

namespace {

/// So many bytes of a prefix the kernel keeps with a packet that is logged.
constexpr std::size_t kLongestPrefix = 127;

std::uint64_t seconds_of(const std::string& unit) {
    if (unit == "second")
        return 1;
    if (unit == "minute")
        return 60;
    if (unit == "hour")
        return 3600;
    if (unit == "day")
        return 86'400;
    if (unit == "week")
        return 604'800;
    throw Unknown{"a limit by `" + unit + "`"};
}

} // namespace

std::string host_bytes(std::uint32_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class Fill> void Expressions::expression(const char* name, const Fill& fill) {
    out_.nested(NFTA_LIST_ELEM, [&] {
        out_.text(NFTA_EXPR_NAME, name);
        out_.nested(NFTA_EXPR_DATA, fill);
    });
}

void Expressions::load_meta(int key) {
    expression("meta", [&] {
        out_.number(NFTA_META_KEY, static_cast<std::uint32_t>(key));
        out_.number(NFTA_META_DREG, NFT_REG_1);
    });
}

void Expressions::load_ct(int key) {
    expression("ct", [&] {
        out_.number(NFTA_CT_KEY, static_cast<std::uint32_t>(key));
        out_.number(NFTA_CT_DREG, NFT_REG_1);
    });
}

void Expressions::load_payload(Header header, unsigned offset, unsigned size, bool second) {
    expression("payload", [&] {
        out_.number(NFTA_PAYLOAD_DREG, second ? NFT_REG_2 : NFT_REG_1);
        out_.number(NFTA_PAYLOAD_BASE, header == Header::Network ? NFT_PAYLOAD_NETWORK_HEADER
                                                                 : NFT_PAYLOAD_TRANSPORT_HEADER);
        out_.number(NFTA_PAYLOAD_OFFSET, offset);
        out_.number(NFTA_PAYLOAD_LEN, size);
    });
}

void Expressions::compare(const std::string& value, bool negated) {
    expression("cmp", [&] {
        out_.number(NFTA_CMP_SREG, NFT_REG_1);
        out_.number(NFTA_CMP_OP, negated ? NFT_CMP_NEQ : NFT_CMP_EQ);
        out_.nested(NFTA_CMP_DATA, [&] { out_.data(NFTA_DATA_VALUE, value); });
    });
}

void Expressions::bits(const std::string& mask, const std::string& bits) {
    expression("bitwise", [&] {
        out_.number(NFTA_BITWISE_SREG, NFT_REG_1);
        out_.number(NFTA_BITWISE_DREG, NFT_REG_1);
        out_.number(NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
        out_.number(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
        out_.nested(NFTA_BITWISE_MASK, [&] { out_.data(NFTA_DATA_VALUE, mask); });
        out_.nested(NFTA_BITWISE_XOR, [&] { out_.data(NFTA_DATA_VALUE, bits); });
    });
}

void Expressions::lookup(const std::string& set, const int* target, const std::uint32_t* id) {
    expression("lookup", [&] {
        out_.number(NFTA_LOOKUP_SREG, NFT_REG_1);
        if (target != nullptr)
            out_.number(NFTA_LOOKUP_DREG, static_cast<std::uint32_t>(*target));
        out_.text(NFTA_LOOKUP_SET, set);
        if (id != nullptr)
            out_.number(NFTA_LOOKUP_SET_ID, *id);
    });
}

void Expressions::look_up(const std::string& set) {
    lookup(set, nullptr, nullptr);
}

void Expressions::look_up_by_id(const std::string& set, std::uint32_t id) {
    lookup(set, nullptr, &id);
}

void Expressions::look_up_value(const std::string& map) {
    const int target = NFT_REG_1;
    lookup(map, &target, nullptr);
}

void Expressions::look_up_verdict(const std::string& map) {
    const int target = NFT_REG_VERDICT;
    lookup(map, &target, nullptr);
}

void Expressions::set_value(const std::string& value) {
    expression("immediate", [&] {
        out_.number(NFTA_IMMEDIATE_DREG, NFT_REG_1);
        out_.nested(NFTA_IMMEDIATE_DATA, [&] { out_.data(NFTA_DATA_VALUE, value); });
    });
}

void Expressions::store_priority() {
    expression("meta", [&] {
        out_.number(NFTA_META_KEY, NFT_META_PRIORITY);
        out_.number(NFTA_META_SREG, NFT_REG_1);
    });
}

void Expressions::store_flow_mark() {
    expression("ct", [&] {
        out_.number(NFTA_CT_KEY, NFT_CT_MARK);
        out_.number(NFTA_CT_SREG, NFT_REG_1);
    });
}

void Expressions::verdict(int code, const std::string& chain) {
    expression("immediate", [&] {
        out_.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        write_verdict(out_, NFTA_IMMEDIATE_DATA, code, chain);
    });
}

void Expressions::counter(const nft::Counter& counter) {
    expression("counter", [&] {
        if (counter.bytes != 0)
            out_.long_number(NFTA_COUNTER_BYTES, counter.bytes);
        if (counter.packets != 0)
            out_.long_number(NFTA_COUNTER_PACKETS, counter.packets);
    });
}

void Expressions::limit(const nft::Rate& rate) {
    expression("limit", [&] {
        out_.long_number(NFTA_LIMIT_RATE, rate.packets);
        out_.long_number(NFTA_LIMIT_UNIT, seconds_of(rate.unit));
        out_.number(NFTA_LIMIT_BURST, rate.burst);
        out_.number(NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
        out_.number(NFTA_LIMIT_FLAGS, 0);
    });
}

void Expressions::log(const nft::Log& log) {
    if (log.prefix.empty() || log.prefix.size() > kLongestPrefix)
        throw Unknown{"a prefix `" + log.prefix + "` of what is logged"};
    expression("log", [&] {
        out_.text(NFTA_LOG_PREFIX, log.prefix);
        if (log.group)
            out_.short_number(NFTA_LOG_GROUP, *log.group);
    });
}

void Expressions::reject() {
    expression("reject", [&] {
        out_.number(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
        out_.byte(NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMPX_PORT_UNREACH);
    });
}

void Expressions::notrack() {
    out_.nested(NFTA_LIST_ELEM, [&] { out_.text(NFTA_EXPR_NAME, "notrack"); });
}

} // namespace polecat::runtime::netlink
