#include "runtime/lab/packets.h"

namespace polecat::runtime {

namespace {

constexpr std::string_view kMagic = "polecat!";

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
    put32(out, 1);      // sequence
    put32(out, 0);      // acknowledgement
    put16(out, 0x5002); // 5 words, SYN
    put16(out, 64240);
    put32(out, 0); // checksum, urgent
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

std::string sctp(const PacketSpec& spec) {
    std::string out;
    put16(out, spec.source_port);
    put16(out, spec.destination_port);
    put32(out, 0); // verification tag of an INIT
    put32(out, 0); // checksum
    out += '\1';   // INIT
    out += '\0';
    put16(out, 20 + 20); // with an unknown parameter that carries the number
    put32(out, 77);      // initiate tag
    put32(out, 65536);   // window
    put16(out, 1);
    put16(out, 1);
    put32(out, 1);
    put16(out, 0xC001); // skip it, say nothing
    put16(out, 20);
    out += payload_of(spec.nonce);
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
    put32(out, 0); // id, flags
    out += static_cast<char>(64);
    out += static_cast<char>(spec.protocol);
    put16(out, 0);
    out += address_bytes(spec.source) + address_bytes(spec.destination);
    set16(out, 10, checksum(out));
    return out + body;
}

PacketSpec answer_to(std::string_view packet, std::uint64_t nonce) {
    const auto number = [&](std::size_t at, std::size_t size) {
        std::uint64_t out = 0;
        for (std::size_t i = at; i < at + size; ++i)
            out = out << 8 | static_cast<unsigned char>(packet[i]);
        return out;
    };
    PacketSpec out;
    out.protocol = net::kUdp;
    out.destination = {net::Family::V4, 0, number(12, 4)};
    out.source = {net::Family::V4, 0, number(16, 4)};
    out.nonce = nonce;
    if (number(9, 1) == net::kIcmp) {
        out.protocol = net::kIcmp;
        out.icmp_type = 0;
        out.icmp_code = static_cast<std::uint8_t>(number(21, 1));
        out.icmp_id = static_cast<std::uint16_t>(number(24, 2));
        return out;
    }
    out.destination_port = static_cast<std::uint16_t>(number(20, 2));
    out.source_port = static_cast<std::uint16_t>(number(22, 2));
    return out;
}

std::optional<std::uint64_t> find_nonce(std::string_view packet) {
    if (packet.size() < 20)
        return std::nullopt;
    const bool v6 = (packet[0] >> 4 & 0xf) == 6;
    const auto protocol = static_cast<unsigned char>(packet[v6 ? 6 : 9]);
    const std::size_t header = v6 ? 40 : 20;
    if (packet.size() <= header)
        return std::nullopt;
    const auto type = static_cast<unsigned char>(packet[header]);
    const bool error = (protocol == net::kIcmp && (type == 3 || type == 11 || type == 12)) ||
                       (protocol == net::kIcmpV6 && type < 128);
    const std::size_t at = packet.rfind(kMagic);
    if (error || at == std::string_view::npos || at + 16 > packet.size())
        return std::nullopt;
    std::uint64_t nonce = 0;
    for (std::size_t i = 8; i < 16; ++i)
        nonce = nonce << 8 | static_cast<unsigned char>(packet[at + i]);
    return nonce;
}

} // namespace polecat::runtime
