#include "runtime/lab/packets.h"

namespace polecat::runtime {

namespace {

constexpr std::string_view kMagic = "polecat!";
constexpr std::size_t kPayload = 16; ///< with the number behind it
constexpr net::Protocol kFragmentHeader = 44;

void put16(std::string& out, unsigned value) {
    out += static_cast<char>(value >> 8 & 0xff);
    out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint64_t value) {
    put16(out, static_cast<unsigned>(value >> 16 & 0xffff));
    put16(out, static_cast<unsigned>(value & 0xffff));
}

/// RFC 1071.
unsigned checksum(std::string_view data) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < data.size(); i += 2) {
        const unsigned high = static_cast<unsigned char>(data[i]);
        const unsigned low = i + 1 < data.size() ? static_cast<unsigned char>(data[i + 1]) : 0;
        sum += high << 8 | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

void set16(std::string& out, std::size_t at, unsigned value) {
    out[at] = static_cast<char>(value >> 8 & 0xff);
    out[at + 1] = static_cast<char>(value & 0xff);
}

std::string payload_of(std::uint64_t nonce) {
    std::string out(kMagic);
    put32(out, nonce >> 32);
    put32(out, nonce & 0xffffffff);
    return out;
}

/// Castagnoli CRC, as SCTP has it (RFC 4960).
std::uint32_t crc32c(std::string_view data) {
    std::uint32_t crc = ~0u;
    for (const char c : data) {
        crc ^= static_cast<unsigned char>(c);
        for (int i = 0; i < 8; ++i)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

std::string tcp(const PacketSpec& spec) {
    std::string out;
    put16(out, spec.source_port);
    put16(out, spec.destination_port);
    const bool opens = spec.step == PacketSpec::Step::Opens;
    const bool follows = spec.step == PacketSpec::Step::Follows;
    put32(out, follows ? 2 : 1);    // sequence
    put32(out, opens ? 0 : 2);      // acknowledgement
    put16(out, opens     ? 0x5002   // 5 words, SYN
               : follows ? 0x5018   // PSH, ACK
                         : 0x5012); // SYN, ACK
    put16(out, 64240);
    put32(out, 0); // checksum, urgent
    put32(out, 0); // so that what is cut before the number has the whole header, as IPv6 demands
    return out + payload_of(spec.nonce);
}

std::string udp(const PacketSpec& spec) {
    const std::string payload = payload_of(spec.nonce);
    std::string out;
    put16(out, spec.source_port);
    put16(out, spec.destination_port);
    put16(out, static_cast<unsigned>(8 + payload.size()));
    put16(out, 0);
    return out + payload;
}

constexpr std::uint32_t kSctpTag = 77; ///< of both ends

std::string sctp_init(const PacketSpec& spec) {
    std::string out;
    out += spec.step == PacketSpec::Step::Opens ? '\1' : '\2'; // INIT, INIT ACK
    out += '\0';
    put16(out, 20 + 20); // with an unknown parameter that carries the number
    put32(out, kSctpTag);
    put32(out, 65536); // window
    put16(out, 1);
    put16(out, 1);
    put32(out, 1);
    put16(out, 0xC001); // skip it, say nothing
    put16(out, 20);
    return out + payload_of(spec.nonce);
}

std::string sctp_data(const PacketSpec& spec) {
    std::string out;
    put16(out, 3); // DATA, a whole message
    put16(out, 16 + 16);
    put32(out, 1); // its number
    put32(out, 0); // stream
    put32(out, 0);
    return out + payload_of(spec.nonce);
}

std::string sctp(const PacketSpec& spec) {
    std::string out;
    put16(out, spec.source_port);
    put16(out, spec.destination_port);
    put32(out, spec.step == PacketSpec::Step::Opens ? 0 : kSctpTag);
    put32(out, 0); // checksum
    out += spec.step == PacketSpec::Step::Follows ? sctp_data(spec) : sctp_init(spec);
    const std::uint32_t crc = crc32c(out);
    for (unsigned i = 0; i < 4; ++i)
        out[8 + i] = static_cast<char>(crc >> (8 * i) & 0xff);
    return out;
}

std::string icmp(const PacketSpec& spec) {
    std::string out;
    out += static_cast<char>(spec.icmp_type);
    out += static_cast<char>(spec.icmp_code);
    put16(out, 0);
    put16(out, spec.icmp_id);
    put16(out, 1);
    return out + payload_of(spec.nonce);
}

std::string transport(const PacketSpec& spec) {
    switch (spec.protocol) {
    case net::kTcp:
        return tcp(spec);
    case net::kUdp:
        return udp(spec);
    case net::kSctp:
        return sctp(spec);
    case net::kIcmp:
    case net::kIcmpV6:
        return icmp(spec);
    default:
        return payload_of(spec.nonce);
    }
}

/// Fills in the checksum of TCP, UDP and ICMP, with the pseudo header where there is one.
void seal(const PacketSpec& spec, std::string& body) {
    std::string pseudo;
    const bool v6 = spec.source.family == net::Family::V6;
    if (spec.protocol != net::kIcmp) {
        pseudo = address_bytes(spec.source) + address_bytes(spec.destination);
        if (v6)
            put32(pseudo, body.size());
        put16(pseudo, spec.protocol);
        if (!v6)
            put16(pseudo, static_cast<unsigned>(body.size()));
        else
            pseudo.insert(pseudo.size() - 2, 2, '\0');
    }
    const std::size_t at = spec.protocol == net::kTcp ? 16 : spec.protocol == net::kUdp ? 6 : 2;
    if (spec.protocol == net::kTcp || spec.protocol == net::kUdp || spec.protocol == net::kIcmp ||
        spec.protocol == net::kIcmpV6)
        set16(body, at, checksum(pseudo + body));
}

std::string wrap(const PacketSpec& spec, const std::string& body, unsigned id = 0,
                 unsigned fragment = 0) {
    std::string out;
    if (spec.source.family == net::Family::V6) {
        put32(out, 0x60000000);
        put16(out, static_cast<unsigned>(body.size()));
        out += static_cast<char>(spec.protocol);
        out += static_cast<char>(64);
        return out + address_bytes(spec.source) + address_bytes(spec.destination) + body;
    }
    put16(out, 0x4500);
    put16(out, static_cast<unsigned>(20 + body.size()));
    put16(out, id);
    put16(out, fragment);
    out += static_cast<char>(64);
    out += static_cast<char>(spec.protocol);
    put16(out, 0);
    out += address_bytes(spec.source) + address_bytes(spec.destination);
    set16(out, 10, checksum(out));
    return out + body;
}

std::uint64_t number(std::string_view packet, std::size_t at, std::size_t size) {
    std::uint64_t out = 0;
    for (std::size_t i = at; i < at + size; ++i)
        out = out << 8 | static_cast<unsigned char>(packet[i]);
    return out;
}

/// Where what is behind the IP header begins, and whether that is the beginning of it.
struct Parts {
    bool v6 = false, first = true;
    net::Protocol protocol = 0;
    std::size_t body = 0;
};

Parts parts_of(std::string_view packet) {
    Parts out;
    out.v6 = (packet[0] >> 4 & 0xf) == 6;
    out.protocol = static_cast<net::Protocol>(packet[out.v6 ? 6 : 9]);
    out.body = out.v6 ? 40 : 20;
    if (!out.v6)
        out.first = (number(packet, 6, 2) & 0x1fff) == 0;
    if (out.v6 && out.protocol == kFragmentHeader && packet.size() > 48) {
        out.protocol = static_cast<net::Protocol>(packet[40]);
        out.first = (number(packet, 42, 2) & 0xfff8) == 0;
        out.body = 48;
    }
    return out;
}

std::optional<std::uint64_t> find_number(std::string_view packet, bool quoted) {
    if (packet.size() < 20)
        return std::nullopt;
    const Parts parts = parts_of(packet);
    if (packet.size() <= parts.body)
        return std::nullopt;
    const auto type = static_cast<unsigned char>(packet[parts.body]);
    const bool error =
        parts.first && ((parts.protocol == net::kIcmp && (type == 3 || type == 11 || type == 12)) ||
                        (parts.protocol == net::kIcmpV6 && type < 128));
    const std::size_t at = packet.rfind(kMagic);
    if (error != quoted || at == std::string_view::npos || at + kPayload > packet.size())
        return std::nullopt;
    return number(packet, at + kMagic.size(), 8);
}

} // namespace

std::string address_bytes(const net::Address& address) {
    std::string out;
    if (address.family == net::Family::V4) {
        put32(out, address.low);
        return out;
    }
    put32(out, address.high >> 32);
    put32(out, address.high & 0xffffffff);
    put32(out, address.low >> 32);
    put32(out, address.low & 0xffffffff);
    return out;
}

std::string make_packet(const PacketSpec& spec) {
    std::string body = transport(spec);
    seal(spec, body);
    return wrap(spec, body);
}

std::vector<std::string> make_fragments(const PacketSpec& spec) {
    std::string body = transport(spec);
    seal(spec, body);
    const std::size_t cut = (body.size() - kPayload) / 8 * 8;
    const auto offset = static_cast<unsigned>(cut / 8);
    const std::string pieces[] = {body.substr(0, cut), body.substr(cut)};
    const auto id = static_cast<unsigned>(spec.nonce & 0xffff);
    if (spec.source.family == net::Family::V4)
        return {wrap(spec, pieces[0], id, 0x2000), wrap(spec, pieces[1], id, offset)};
    PacketSpec outer = spec;
    outer.protocol = kFragmentHeader;
    const auto piece = [&](const std::string& part, unsigned where) {
        std::string header(1, static_cast<char>(spec.protocol));
        header += '\0';
        put16(header, where);
        put32(header, id);
        return wrap(outer, header + part);
    };
    return {piece(pieces[0], 1), piece(pieces[1], offset << 3)};
}

std::string make_error(std::string_view packet) {
    PacketSpec spec = answer_to(packet, 0);
    const bool v6 = spec.source.family == net::Family::V6;
    spec.protocol = v6 ? net::kIcmpV6 : net::kIcmp;
    std::string body;
    put16(body, v6 ? 0x0104 : 0x0303); // port unreachable
    put16(body, 0);
    put32(body, 0);
    body += packet;
    seal(spec, body);
    return wrap(spec, body);
}

PacketSpec answer_to(std::string_view packet, std::uint64_t nonce) {
    const Parts parts = parts_of(packet);
    PacketSpec out;
    out.step = PacketSpec::Step::Answers;
    out.protocol = parts.protocol;
    out.nonce = nonce;
    const auto end = [&](std::size_t at) {
        if (!parts.v6)
            return net::Address{net::Family::V4, 0, number(packet, at, 4)};
        return net::Address{net::Family::V6, number(packet, at, 8), number(packet, at + 8, 8)};
    };
    out.destination = end(parts.v6 ? 8 : 12);
    out.source = end(parts.v6 ? 24 : 16);
    if (parts.protocol == net::kIcmp || parts.protocol == net::kIcmpV6) {
        out.icmp_type = parts.protocol == net::kIcmp ? 0 : 129;
        out.icmp_code = static_cast<std::uint8_t>(number(packet, parts.body + 1, 1));
        out.icmp_id = static_cast<std::uint16_t>(number(packet, parts.body + 4, 2));
    } else if (net::has_ports(parts.protocol)) {
        out.destination_port = static_cast<std::uint16_t>(number(packet, parts.body, 2));
        out.source_port = static_cast<std::uint16_t>(number(packet, parts.body + 2, 2));
    }
    return out;
}

std::optional<std::uint64_t> find_nonce(std::string_view packet) {
    return find_number(packet, false);
}

std::optional<std::uint64_t> find_quoted_nonce(std::string_view packet) {
    return find_number(packet, true);
}

} // namespace polecat::runtime
