#include "runtime/netlink/rules.h"

// The C library's before the kernel's, which then leaves out what both have.
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <fmt/format.h>

#include "runtime/netlink/expressions.h"
#include "runtime/netlink/maps.h"

namespace polecat::runtime::netlink {

namespace {

constexpr unsigned kDscpOffset = 1, kDscpMask = 0xfc;
constexpr std::size_t kLongestComment = 127;

std::string one_byte(unsigned value) {
    return std::string(1, static_cast<char>(value));
}

std::string port_bytes(std::uint16_t port) {
    return {static_cast<char>(port >> 8), static_cast<char>(port)};
}

/// The sets that stand in a rule, which are made before it.
class ByteSets {
  public:
    ByteSets(Messages& out, const std::string& table, std::uint32_t& next_id)
        : out_(out), table_(table), next_id_(next_id) {}

    void operator()(const nft::IcmpTypeIn& match) {
        add(match.v6 ? ByteSet::Icmp6Type : ByteSet::IcmpType, match.types);
    }
    void operator()(const nft::DscpIn& match) { add(ByteSet::Dscp, match.values); }
    template <class Other> void operator()(const Other&) {}

    std::vector<std::uint32_t> ids;

  private:
    void add(ByteSet type, const std::vector<std::uint8_t>& values) {
        if (values.empty())
            throw Unknown{"a set of nothing"};
        if (values.size() == 1)
            return; // compared with
        write_byte_set(out_, table_, type, values, next_id_);
        ids.push_back(next_id_++);
    }

    Messages& out_;
    const std::string& table_;
    std::uint32_t& next_id_;
};

/// Writes a rule's parts in order. What a part needs to know of a packet before it (its family, its
/// protocol) is asked where no part before did.
class RuleWriter {
  public:
    RuleWriter(Messages& out, std::optional<std::uint32_t> generation,
               std::vector<std::uint32_t> sets)
        : to_(out), generation_(generation), sets_(std::move(sets)) {}

    void run(const nft::Rule& rule) {
        for (const nft::Match& match : rule.matches) {
            std::visit(*this, match);
            last_ = &match;
        }
        finish_port();
        for (const nft::Statement& statement : rule.statements)
            std::visit(*this, statement);
    }

    // --- what a rule asks --------------------------------------------------------------------

    void operator()(const nft::InterfaceIs& m) {
        begin();
        load_interface(m.incoming);
        const bool prefix = m.name.ends_with('*');
        const std::string whole = interface_bytes(m.name);
        if (m.name.find('*') < m.name.size() - 1 || m.name == "*" ||
            m.name.find('\\') != std::string::npos)
            throw Unknown{"an interface `" + m.name + "`"};
        to_.compare(prefix ? m.name.substr(0, m.name.size() - 1) : whole, m.negated);
    }
    void operator()(const nft::FamilyIs& m) {
        begin();
        if (family_)
            throw Unknown{"a family that is known already"};
        need_family(m.family);
    }
    void operator()(const nft::WordIs& m) {
        begin();
        load_word(m.mask);
        to_.compare(host_bytes(m.value));
    }
    void operator()(const nft::FlowMarkIs& m) {
        begin();
        if (m.mask == 0 || m.mask == ~0U)
            throw Unknown{"a whole mark of a flow"};
        to_.load_ct(NFT_CT_MARK);
        to_.bits(host_bytes(m.mask), host_bytes(0));
        to_.compare(host_bytes(m.value | (m.generation ? generation() : 0)), m.negated);
    }
    void operator()(const nft::StateIn& m) {
        begin();
        std::uint32_t bits = 0;
        for (const unsigned bit : m.bits)
            bits |= bit;
        if (bits == 0)
            throw Unknown{"no state of a flow"};
        to_.load_ct(NFT_CT_STATE);
        to_.bits(host_bytes(bits), host_bytes(0));
        to_.compare(host_bytes(0), true);
    }
    void operator()(const nft::DirectionIs& m) {
        begin();
        to_.load_ct(NFT_CT_DIRECTION);
        to_.compare(one_byte(m.reply ? 1 : 0));
    }
    void operator()(const nft::IcmpTypeIn& m) {
        begin();
        if (protocol_)
            throw Unknown{"a type of ICMP after a protocol"};
        need_family(m.v6 ? net::Family::V6 : net::Family::V4);
        need_protocol(m.v6 ? net::kIcmpV6 : net::kIcmp);
        to_.load_payload(Header::Transport, 0, 1);
        compare_bytes(m.types, 0);
    }
    void operator()(const nft::PairIn& m) {
        begin();
        load_pair(m.incoming, m.address);
        to_.look_up(m.set);
    }
    void operator()(const nft::AddressIs& m) {
        begin();
        if (last_ != nullptr && std::holds_alternative<nft::AddressIs>(*last_))
            throw Unknown{"two addresses, which nft(8) takes together"};
        need_family(m.address.family);
        const std::string base = address_bytes(m.cidr.base);
        const unsigned bits = m.cidr.prefix, width = net::width(m.cidr.family());
        if (m.cidr.family() != m.address.family || bits > width)
            throw Unknown{"an address of the other family"};
        if (bits != 0 && bits % 8 == 0) { // so many bytes of it
            to_.load_payload(Header::Network, offset_of(m.address), bits / 8);
            to_.compare(base.substr(0, bits / 8));
            return;
        }
        load_address(m.address, false);
        std::string mask(base.size(), '\0');
        for (unsigned bit = 0; bit < bits; ++bit)
            mask[bit / 8] = static_cast<char>(mask[bit / 8] | 0x80 >> bit % 8);
        to_.bits(mask, std::string(base.size(), '\0'));
        to_.compare(base);
    }
    void operator()(const nft::AddressIn& m) {
        begin();
        need_family(m.address.family);
        load_address(m.address, false);
        to_.look_up(m.set);
    }
    void operator()(const nft::ProtocolIs& m) {
        begin();
        if (protocol_)
            throw Unknown{"a protocol that is known already"};
        need_protocol(m.protocol);
    }
    /// A source port with a destination port right after it is one comparison of four bytes.
    void operator()(const nft::PortIs& m) {
        if (port_ && port_->source && !m.source && port_->protocol == m.protocol) {
            const std::string both = port_bytes(port_->port) + port_bytes(m.port);
            port_.reset();
            to_.load_payload(Header::Transport, 0, 4);
            to_.compare(both);
            return;
        }
        begin();
        need_protocol(m.protocol);
        port_ = m; // until it is known what comes next
    }
    void operator()(const nft::DscpIn& m) {
        begin();
        need_family(net::Family::V4);
        to_.load_payload(Header::Network, kDscpOffset, 1);
        to_.bits(one_byte(kDscpMask), one_byte(0));
        compare_bytes(m.values, 2);
    }

    // --- what a rule does --------------------------------------------------------------------

    void operator()(const nft::SetWord& s) {
        to_.set_value(host_bytes(s.value));
        to_.store_priority();
    }
    void operator()(const nft::OrWord& s) {
        if (s.bits == 0)
            throw Unknown{"no bits for a word"};
        to_.load_meta(NFT_META_PRIORITY);
        to_.bits(host_bytes(~s.bits), host_bytes(s.bits));
        to_.store_priority();
    }
    void operator()(const nft::WordByAddress& s) {
        need_family(s.address.family);
        load_address(s.address, false);
        to_.look_up_value(s.map);
        to_.store_priority();
    }
    void operator()(const nft::WordByWord& s) {
        load_word(s.mask);
        to_.look_up_value(s.map);
        to_.store_priority();
    }
    void operator()(const nft::SetFlowMark& s) {
        const std::uint32_t bits = s.bits | (s.generation ? generation() : 0);
        if (bits == 0 && s.keep == ~0U)
            throw Unknown{"a mark of a flow that stays as it is"};
        to_.load_ct(NFT_CT_MARK);
        to_.bits(host_bytes(s.keep & ~bits), host_bytes(bits));
        to_.store_flow_mark();
    }
    void operator()(const nft::JumpByWord& s) {
        load_word(s.mask);
        to_.look_up_verdict(s.map);
    }
    void operator()(const nft::JumpByProtocol& s) {
        to_.load_meta(NFT_META_L4PROTO);
        to_.look_up_verdict(s.map);
    }
    void operator()(const nft::JumpByPort& s) {
        to_.load_payload(Header::Transport, s.source ? 0 : 2, 2);
        to_.look_up_verdict(s.map);
    }
    void operator()(const nft::JumpByInterface& s) {
        load_interface(s.incoming);
        to_.look_up_verdict(s.map);
    }
    void operator()(const nft::WordByPair& s) {
        load_pair(s.incoming, s.address);
        to_.look_up_value(s.map);
        to_.store_priority();
    }
    void operator()(const nft::Counter& s) { to_.counter(s); }
    void operator()(const nft::Log& s) {
        if (s.at_most)
            to_.limit(*s.at_most);
        to_.log(s);
    }
    void operator()(const nft::NoTrack&) { to_.notrack(); }
    void operator()(const nft::Verdict& s) {
        using Kind = nft::Verdict::Kind;
        if ((s.kind == Kind::Jump || s.kind == Kind::Goto) == s.chain.empty())
            throw Unknown{"a verdict with no chain, or with one that it has no use for"};
        switch (s.kind) {
        case Kind::Accept:
            return to_.verdict(NF_ACCEPT);
        case Kind::Drop:
            return to_.verdict(NF_DROP);
        case Kind::Reject:
            if (family_ || protocol_) // then it says how
                throw Unknown{"a reject of a family or protocol"};
            return to_.reject();
        case Kind::Return:
            return to_.verdict(NFT_RETURN);
        case Kind::Jump:
            return to_.verdict(NFT_JUMP, s.chain);
        case Kind::Goto:
            return to_.verdict(NFT_GOTO, s.chain);
        }
    }

  private:
    using Header = Expressions::Header;

    void begin() { finish_port(); }
    void finish_port() {
        if (!port_)
            return;
        to_.load_payload(Header::Transport, port_->source ? 0 : 2, 2);
        to_.compare(port_bytes(port_->port));
        port_.reset();
    }

    std::uint32_t generation() const {
        if (!generation_)
            throw Unknown{"a generation without a number"};
        return *generation_;
    }

    void need_family(net::Family family) {
        if (family_ && *family_ != family)
            throw Unknown{"two families in one rule"};
        if (family_)
            return;
        family_ = family;
        to_.load_meta(NFT_META_NFPROTO);
        to_.compare(one_byte(family == net::Family::V4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
    }
    void need_protocol(net::Protocol protocol) {
        if (protocol_ && *protocol_ != protocol)
            throw Unknown{"two protocols in one rule"};
        if (protocol_)
            return;
        protocol_ = protocol;
        to_.load_meta(NFT_META_L4PROTO);
        to_.compare(one_byte(protocol));
    }

    void load_word(std::uint32_t mask) {
        to_.load_meta(NFT_META_PRIORITY);
        if (mask != ~0U)
            to_.bits(host_bytes(mask), host_bytes(0));
    }
    void load_interface(bool incoming) {
        to_.load_meta(incoming ? NFT_META_IIFNAME : NFT_META_OIFNAME);
    }
    static unsigned offset_of(const nft::AddressField& address) {
        if (address.family == net::Family::V4)
            return address.source ? 12 : 16;
        return address.source ? 8 : 24;
    }
    void load_address(const nft::AddressField& address, bool second) {
        to_.load_payload(Header::Network, offset_of(address), net::width(address.family) / 8,
                         second);
    }
    void load_pair(bool incoming, const nft::AddressField& address) {
        need_family(address.family);
        load_interface(incoming);
        load_address(address, true);
    }
    /// With one value, or with the next of the rule's sets.
    void compare_bytes(const std::vector<std::uint8_t>& values, unsigned shift) {
        if (values.size() == 1)
            to_.compare(one_byte(static_cast<unsigned>(values.front()) << shift));
        else
            to_.look_up_by_id(kByteSetName, sets_.at(next_set_++));
    }

    Expressions to_;
    std::optional<std::uint32_t> generation_;
    std::vector<std::uint32_t> sets_;
    std::size_t next_set_ = 0;
    const nft::Match* last_ = nullptr;
    std::optional<net::Family> family_;
    std::optional<net::Protocol> protocol_;
    std::optional<nft::PortIs> port_;
};

} // namespace

void write_rule(Messages& out, const std::string& table, const std::string& chain,
                const nft::Rule& rule, std::optional<std::uint32_t> generation,
                std::uint32_t& next_id) {
    ByteSets sets(out, table, next_id);
    for (const nft::Match& match : rule.matches)
        std::visit(sets, match);
    if (rule.comment.size() > kLongestComment)
        throw Unknown{"a comment that is too long"};
    RuleWriter writer(out, generation, std::move(sets.ids));
    out.message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, {"a rule of chain", chain}, [&] {
        out.text(NFTA_RULE_TABLE, table);
        out.text(NFTA_RULE_CHAIN, chain);
        out.nested(NFTA_RULE_EXPRESSIONS, [&] { writer.run(rule); });
        if (!rule.comment.empty()) {
            std::string comment{0, static_cast<char>(rule.comment.size() + 1)};
            comment += rule.comment;
            comment += '\0';
            out.data(NFTA_RULE_USERDATA, comment);
        }
    });
}

} // namespace polecat::runtime::netlink
