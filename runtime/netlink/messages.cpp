#include "runtime/netlink/messages.h"

// The C library's before the kernel's, which then leaves out what both have.
#include <netinet/in.h>

#include <cstring>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace polecat::runtime::netlink {

namespace {

constexpr std::size_t kHeaders = NLMSG_HDRLEN + sizeof(nfgenmsg);

std::size_t padded(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

} // namespace

Messages::Messages() {
    labels_.push_back({"the transaction", {}});
    add_batch_message(NFNL_MSG_BATCH_BEGIN);
}

std::uint8_t* Messages::grow(std::size_t size) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + padded(size)); // what pads is zero
    return bytes_.data() + at;
}

void Messages::add_batch_message(int type) {
    nlmsghdr header{};
    header.nlmsg_len = kHeaders;
    header.nlmsg_type = static_cast<std::uint16_t>(type);
    header.nlmsg_flags = NLM_F_REQUEST;
    header.nlmsg_seq = type == NFNL_MSG_BATCH_BEGIN ? 0 : static_cast<unsigned>(labels_.size());
    nfgenmsg about{};
    about.res_id = htons(NFNL_SUBSYS_NFTABLES);
    std::uint8_t* to = grow(kHeaders);
    std::memcpy(to, &header, sizeof header);
    std::memcpy(to + NLMSG_HDRLEN, &about, sizeof about);
}

std::size_t Messages::begin(int type, int flags, Label label) {
    last_ = bytes_.size();
    nlmsghdr header{};
    header.nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = static_cast<unsigned>(labels_.size());
    nfgenmsg about{};
    about.nfgen_family = NFPROTO_INET;
    std::uint8_t* to = grow(kHeaders);
    std::memcpy(to, &header, sizeof header);
    std::memcpy(to + NLMSG_HDRLEN, &about, sizeof about);
    labels_.push_back(label);
    return last_;
}

void Messages::end(std::size_t start) {
    const auto size = static_cast<std::uint32_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
}

std::size_t Messages::open(int type) {
    const std::size_t start = bytes_.size();
    const nlattr header{0, static_cast<std::uint16_t>(type | NLA_F_NESTED)};
    std::memcpy(grow(NLA_HDRLEN), &header, sizeof header);
    return start;
}

void Messages::close(std::size_t start) {
    const std::size_t size = bytes_.size() - start;
    if (size > 0xffff)
        throw Unknown{"more than fits into one attribute of netlink"};
    const auto length = static_cast<std::uint16_t>(size);
    std::memcpy(bytes_.data() + start, &length, sizeof length);
}

void Messages::data(int type, const void* value, std::size_t size) {
    if (size + NLA_HDRLEN > 0xffff)
        throw Unknown{"more than fits into one attribute of netlink"};
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + size),
                        static_cast<std::uint16_t>(type)};
    std::uint8_t* to = grow(NLA_HDRLEN + size);
    std::memcpy(to, &header, sizeof header);
    if (size != 0)
        std::memcpy(to + NLA_HDRLEN, value, size);
}

void Messages::text(int type, std::string_view value) {
    if (value.find('\0') != std::string_view::npos)
        throw Unknown{"a name with a zero in it"};
    const std::string ended(value);
    data(type, ended.c_str(), ended.size() + 1);
}

void Messages::number(int type, std::uint32_t value) {
    const std::uint32_t sent = htonl(value);
    data(type, &sent, sizeof sent);
}

void Messages::short_number(int type, std::uint16_t value) {
    const std::uint16_t sent = htons(value);
    data(type, &sent, sizeof sent);
}

void Messages::long_number(int type, std::uint64_t value) {
    const std::uint64_t sent = htobe64(value);
    data(type, &sent, sizeof sent);
}

void Messages::finish() {
    // An answer to the last message says that the transaction was done.
    if (last_ != 0) {
        const std::size_t at = last_ + offsetof(nlmsghdr, nlmsg_flags);
        std::uint16_t flags = 0;
        std::memcpy(&flags, bytes_.data() + at, sizeof flags);
        flags |= NLM_F_ACK;
        std::memcpy(bytes_.data() + at, &flags, sizeof flags);
    }
    add_batch_message(NFNL_MSG_BATCH_END);
}

} // namespace polecat::runtime::netlink
