// From the tables of the classifier to a node's image.
#include "backends/bpf/bpf.h"
#include "backends/bpf/program_reader.h"

namespace polecat::bpf {

using backends::NodeImage;

namespace {

class BpfReader {
  public:
    explicit BpfReader(const Image& image) : image_(image), tables_(image.tables) {}

    NodeImage run() {
        if (tables_.at(0, kBpfHeadMagic) != kBpfMagic ||
            tables_.at(0, kBpfHeadVersion) != kBpfVersion)
            throw NotTables{"no tables of this version"};
        for (const auto* numbers : {&image_.identities4, &image_.identities6})
            for (const std::uint32_t each : *numbers)
                if (each >= backends::kMostIdentities)
                    throw NotTables{"an identity that has no number"};
        read_addresses4();
        read_addresses6();
        read_programs();
        read_groups();
        read_settings();
        return std::move(out_);
    }

  private:
    std::uint32_t identity(const std::vector<std::uint32_t>& numbers, std::uint32_t leaf) const {
        const std::uint32_t place = (leaf & kBpfLeaf) - 1;
        if (place >= numbers.size())
            throw NotTables{"an address without an identity"};
        return numbers[place];
    }

    /// Of neighbours in order.
    void add(const net::Range& range, std::uint32_t leaf) {
        if (leaf == 0)
            return;
        const bool v4 = range.first.family == net::Family::V4;
        const std::uint32_t number = identity(v4 ? image_.identities4 : image_.identities6, leaf);
        if ((leaf & kBpfIsEnd) != 0) {
            if (range.first != range.last)
                throw NotTables{"an endpoint's address that is a range"};
            out_.addresses[range.first] = number;
            return;
        }
        if (!out_.outside.empty()) {
            const auto last = std::prev(out_.outside.end());
            if (last->second == number && net::next(last->first.last) == range.first) {
                const net::Range joined{last->first.first, range.last};
                out_.outside.erase(last);
                out_.outside.emplace_hint(out_.outside.end(), joined, number);
                return;
            }
        }
        out_.outside.emplace_hint(out_.outside.end(), range, number);
    }

    static net::Range range4(std::uint32_t first, unsigned bits) {
        return {{net::Family::V4, 0, first}, {net::Family::V4, 0, first | ((1ULL << bits) - 1)}};
    }

    /// No block stands in two places, so that this ends soon whatever the tables say.
    void walk4(std::uint32_t line, std::uint32_t first, unsigned bits) {
        const unsigned slots = bits == 16 ? 65536 : 256;
        for (unsigned i = 0; i < slots; ++i) {
            const std::uint32_t word = tables_.at(line, i), start = first | i << bits;
            if ((word & kBpfIsBlock) == 0) {
                add(range4(start, bits), word);
                continue;
            }
            if (bits == 0 || ++blocks_ > image_.tables.size() / 256)
                throw NotTables{"a block where none may be"};
            walk4(word & ~kBpfIsBlock, start, bits - 8);
        }
    }
    void read_addresses4() { walk4(kBpfAddresses4, 0, 16); }

    void read_addresses6() {
        const std::uint32_t line = tables_.at(0, kBpfHeadAddresses6),
                            count = tables_.at(0, kBpfHeadAddresses6Count);
        const auto start = [&](std::uint32_t i) {
            const auto word = [&](unsigned at) {
                return std::uint64_t{tables_.at(line, std::size_t{i} * kBpfStartWords + at)};
            };
            return net::Address{net::Family::V6, word(0) << 32 | word(1), word(2) << 32 | word(3)};
        };
        for (std::uint32_t i = 0; i < count; ++i) {
            net::Address last = net::last_address(net::Family::V6);
            if (i + 1 < count) {
                const net::Address behind = start(i + 1);
                if (!(start(i) < behind))
                    throw NotTables{"addresses out of order"};
                last = *net::previous(behind);
            }
            add({start(i), last},
                tables_.at(line, std::size_t{i} * kBpfStartWords + kBpfStartLeaf));
        }
    }

    void read_programs() {
        std::uint32_t before = 0;
        for (const Image::Program& each : image_.programs) {
            if (each.line <= before)
                throw NotTables{"programs out of order"};
            before = each.line;
            ProgramReader reader(tables_, image_, each.line, before_);
            if (!out_.programs.try_emplace(each.name, reader.read()).second)
                throw NotTables{"two programs of one name"};
        }
    }

    const Image::Program& program(std::uint32_t place) const {
        if (place >= image_.programs.size())
            throw NotTables{"a program that is not there"};
        return image_.programs[place];
    }

    void read_groups() {
        for (const Image::Group& group : image_.groups) {
            const Image::Program &egress = program(group.egress), &ingress = program(group.ingress);
            out_.groups[group.number] = {egress.name, ingress.name};
        }
        for (const Image::Endpoint& each : image_.endpoints) {
            if (each.range.first != each.range.last)
                throw NotTables{"an endpoint's address that is a range"};
            out_.dispatch.push_back({each.interface, each.range.first, group_of(each)});
        }
        for (const Image::Endpoint& each : image_.other_sources)
            out_.other_sources.push_back({each.interface, each.range, group_of(each)});
    }
    std::uint32_t group_of(const Image::Endpoint& endpoint) const {
        if (endpoint.group >= image_.groups.size())
            throw NotTables{"a group that is not there"};
        return image_.groups[endpoint.group].number;
    }

    void read_settings() {
        out_.interface_prefixes = image_.interface_prefixes;
        out_.to_host = image_.to_host;
        out_.dropped_vxlan_port = image_.dropped_vxlan_port;
        out_.drops_ipip = image_.drops_ipip;
        out_.drops_invalid = image_.drops_invalid;
        out_.rejects = image_.rejects;
        if (const auto& rate = image_.log_rate)
            out_.log_rate = {rate->packets, rate->unit, rate->burst};
    }

    const Image& image_;
    TableView tables_;
    ReadBefore before_;
    NodeImage out_;
    std::size_t blocks_ = 0;
};

} // namespace

Result<NodeImage> read_back(const Image& image) {
    try {
        NodeImage out = BpfReader(image).run();
        // Whatever else stands there: it is exactly what this means.
        diag::Diagnostics unused;
        const auto again = emit(out, "", unused);
        if (!again || !(*again == image))
            return Error{"the tables are not as polecat writes them"};
        return out;
    } catch (const NotTables& bad) {
        return Error{"the tables have " + bad.what};
    }
}

} // namespace polecat::bpf
