#include "artefact/bpf/image.h"

#include <array>
#include <stdexcept>

#include "artefact/bpf/layout.h"

namespace polecat::bpf {

namespace {

constexpr std::string_view kFileMagic = "polecatB";
constexpr std::size_t kHeadSize = 128; ///< a line: the tables behind it are aligned

class ByteWriter {
  public:
    template <class T> void number(T value) {
        std::array<char, sizeof(T)> bytes{};
        for (std::size_t i = 0; i < sizeof(T); ++i)
            bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
        out_.append(bytes.data(), bytes.size());
    }
    void count(std::size_t size) { number(static_cast<std::uint32_t>(size)); }
    void text(const std::string& value) {
        count(value.size());
        out_ += value;
    }
    void numbers(const std::vector<std::uint32_t>& list) {
        for (const std::uint32_t each : list)
            number(each);
    }
    void range(const net::Range& range) {
        number(static_cast<std::uint8_t>(range.first.family));
        for (const net::Address& each : {range.first, range.last}) {
            number(each.high);
            number(each.low);
        }
    }
    std::string& out() { return out_; }

  private:
    std::string out_;
};

struct BadBytes {
    std::string why;
};

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    template <class T> T number() {
        const std::string_view part = take(sizeof(T));
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            out |= std::uint64_t{static_cast<unsigned char>(part[i])} << (8 * i);
        return static_cast<T>(out);
    }
    /// Of things that take at least `least` bytes each: no more than there is room for.
    std::size_t count(std::size_t least) {
        const auto out = number<std::uint32_t>();
        if (out > bytes_.size() / least)
            throw BadBytes{"a list is longer than the file"};
        return out;
    }
    std::string text() { return std::string(take(count(1))); }
    std::vector<std::uint32_t> numbers(std::size_t size) {
        std::vector<std::uint32_t> out(size);
        for (std::uint32_t& each : out)
            each = number<std::uint32_t>();
        return out;
    }
    bool flag() { return choice(2) == 1; }
    std::uint8_t choice(unsigned most) {
        const auto out = number<std::uint8_t>();
        if (out >= most)
            throw BadBytes{"a choice that there is none of"};
        return out;
    }
    net::Range range() {
        const auto family = number<std::uint8_t>();
        if (family != 4 && family != 6)
            throw BadBytes{"an address of no family"};
        net::Range out;
        for (net::Address* each : {&out.first, &out.last}) {
            each->family = static_cast<net::Family>(family);
            each->high = number<std::uint64_t>();
            each->low = number<std::uint64_t>();
            if (family == 4 && (each->high != 0 || each->low > 0xffffffff))
                throw BadBytes{"an address of no family"};
        }
        if (out.last < out.first)
            throw BadBytes{"a range that ends before it begins"};
        return out;
    }
    bool at_end() const { return bytes_.empty(); }

  private:
    std::string_view take(std::size_t size) {
        if (size > bytes_.size())
            throw BadBytes{"the file is cut off"};
        const std::string_view out = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return out;
    }

    std::string_view bytes_;
};

void write_endpoints(ByteWriter& to, const std::vector<Image::Endpoint>& list) {
    to.count(list.size());
    for (const Image::Endpoint& each : list) {
        to.text(each.interface);
        to.range(each.range);
        to.number(each.group);
    }
}

std::vector<Image::Endpoint> read_endpoints(ByteReader& from) {
    std::vector<Image::Endpoint> out(from.count(41));
    for (Image::Endpoint& each : out) {
        each.interface = from.text();
        each.range = from.range();
        each.group = from.number<std::uint32_t>();
    }
    return out;
}

void write_settings(ByteWriter& to, const Image& image) {
    to.count(image.interface_prefixes.size());
    for (const std::string& each : image.interface_prefixes)
        to.text(each);
    to.number(static_cast<std::uint8_t>(image.to_host));
    to.number(static_cast<std::uint8_t>(image.dropped_vxlan_port.has_value()));
    to.number(image.dropped_vxlan_port.value_or(0));
    for (const bool each : {image.drops_ipip, image.drops_invalid, image.rejects})
        to.number(static_cast<std::uint8_t>(each));
    to.number(static_cast<std::uint8_t>(image.log_rate.has_value()));
    if (!image.log_rate)
        return;
    to.number(image.log_rate->packets);
    to.text(image.log_rate->unit);
    to.number(image.log_rate->burst);
}

void read_settings(ByteReader& from, Image& out) {
    out.interface_prefixes.resize(from.count(4));
    for (std::string& each : out.interface_prefixes)
        each = from.text();
    out.to_host = static_cast<policy::HostAction>(from.choice(3));
    const bool has_port = from.flag();
    const auto port = from.number<std::uint16_t>();
    if (has_port)
        out.dropped_vxlan_port = port;
    else if (port != 0)
        throw BadBytes{"a port that nothing asks for"};
    out.drops_ipip = from.flag();
    out.drops_invalid = from.flag();
    out.rejects = from.flag();
    if (!from.flag())
        return;
    Image::LogRate& rate = out.log_rate.emplace();
    rate.packets = from.number<std::uint32_t>();
    rate.unit = from.text();
    rate.burst = from.number<std::uint32_t>();
}

Image read_parts(ByteReader from, std::size_t words) {
    Image out;
    out.tables = from.numbers(words);
    for (auto* list : {&out.identities4, &out.identities6})
        *list = from.numbers(from.count(4));
    out.programs.resize(from.count(8));
    for (Image::Program& each : out.programs) {
        each.name = from.text();
        each.line = from.number<std::uint32_t>();
    }
    out.groups.resize(from.count(12));
    for (Image::Group& each : out.groups)
        for (std::uint32_t* field : {&each.number, &each.egress, &each.ingress})
            *field = from.number<std::uint32_t>();
    out.endpoints = read_endpoints(from);
    out.other_sources = read_endpoints(from);
    read_settings(from, out);
    if (!from.at_end())
        throw BadBytes{"something stands behind the end"};
    return out;
}

} // namespace

std::uint32_t crc32(std::string_view bytes) {
    static const auto table = [] {
        std::array<std::uint32_t, 256> made{};
        for (std::uint32_t i = 0; i < made.size(); ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit)
                value = value >> 1 ^ ((value & 1) != 0 ? 0xedb88320U : 0);
            made[i] = value;
        }
        return made;
    }();
    std::uint32_t out = ~0U;
    for (const char each : bytes)
        out = out >> 8 ^ table[(out ^ static_cast<unsigned char>(each)) & 0xff];
    return ~out;
}

std::string write(const Image& image) {
    if (image.tables.size() % kBpfLineWords != 0)
        throw std::logic_error("tables that are no whole lines");
    ByteWriter body;
    body.numbers(image.tables);
    for (const auto* list : {&image.identities4, &image.identities6}) {
        body.count(list->size());
        body.numbers(*list);
    }
    body.count(image.programs.size());
    for (const Image::Program& each : image.programs) {
        body.text(each.name);
        body.number(each.line);
    }
    body.count(image.groups.size());
    for (const Image::Group& each : image.groups)
        body.numbers({each.number, each.egress, each.ingress});
    write_endpoints(body, image.endpoints);
    write_endpoints(body, image.other_sources);
    write_settings(body, image);
    ByteWriter head;
    head.out() = kFileMagic;
    head.number(std::uint32_t{kBpfVersion});
    head.number(crc32(body.out()));
    head.number(static_cast<std::uint32_t>(image.tables.size() / kBpfLineWords));
    head.count(body.out().size());
    head.out().resize(kHeadSize);
    return head.out() + body.out();
}

Result<Image> read(std::string_view bytes) {
    try {
        if (bytes.size() < kHeadSize || !bytes.starts_with(kFileMagic))
            return Error{"this is no file of tables for the BPF classifier"};
        ByteReader head(bytes.substr(kFileMagic.size(), kHeadSize - kFileMagic.size()));
        const auto version = head.number<std::uint32_t>();
        if (version != kBpfVersion)
            return Error{"its format has version " + std::to_string(version) +
                         "; this polecat reads version " + std::to_string(kBpfVersion)};
        const auto sum = head.number<std::uint32_t>();
        const auto lines = head.number<std::uint32_t>();
        const auto size = head.number<std::uint32_t>();
        while (!head.at_end())
            if (head.number<std::uint8_t>() != 0)
                return Error{"its first line says more than this version does"};
        const std::string_view body = bytes.substr(kHeadSize);
        if (body.size() != size)
            return Error{"it is cut off, or something stands behind its end"};
        if (crc32(body) != sum)
            return Error{"it was altered: its checksum is not that of what it holds"};
        if (lines > kBpfMostLines || lines * std::size_t{kBpfLineWords * 4} > body.size())
            return Error{"its tables are larger than the file"};
        return read_parts(ByteReader(body), lines * std::size_t{kBpfLineWords});
    } catch (const BadBytes& bad) {
        return Error{bad.why};
    }
}

} // namespace polecat::bpf
