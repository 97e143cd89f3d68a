// Any bytes as an image for the BPF classifier: refused, or the same again. The first byte says
// whether they are the file, or words to put into a good one, with its checksum made right.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "artefact/bpf/layout.h"
#include "backends/bpf/bpf.h"

namespace {

using namespace polecat;

/// One endpoint with a program of two rows.
bpf::Image good_image() {
    backends::ProgramImage program;
    program.l4.count = 2;
    program.l4.other = 0;
    program.l4.by_protocol[net::kTcp] = {{{0, 79}, 0}, {{80, 80}, 1}, {{81, 65535}, 0}};
    program.source_ports = {{{0, 65535}, 0}};
    program.cells[0] = {};
    program.cells[1] = {backends::Outcome::Allow, 3, {1}, true};
    program.rows[0] = {0, {}};
    program.rows[1] = {0, {{0, 1, 1}}};
    program.others.emplace_back().rows[1] = 1;
    backends::NodeImage image;
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        image.outside[{net::first_address(family), net::last_address(family)}] = 0;
    image.addresses[{net::Family::V4, 0, 0x0a000001}] = 1;
    image.programs["p"] = std::move(program);
    image.groups[1] = {"p", "p"};
    image.dispatch.push_back({"cali1", {net::Family::V4, 0, 0x0a000001}, 1});
    diag::Diagnostics told;
    auto made = bpf::emit(image, "node", told);
    if (!made)
        std::abort();
    return std::move(*made);
}

void read_and_compare(std::string_view bytes) {
    const auto image = bpf::read(bytes);
    if (!image)
        return;
    if (bpf::write(*image) != bytes)
        std::abort();
    const auto node = bpf::read_back(*image);
    if (!node)
        return;
    diag::Diagnostics told;
    if (bpf::emit(*node, "node", told) != *image)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bpf::Image kGood = good_image();
    if (size == 0)
        return 0;
    if (data[0] % 4 == 0) {
        read_and_compare({reinterpret_cast<const char*>(data + 1), size - 1});
        return 0;
    }
    bpf::Image image = kGood;
    // Behind the first parts of IPv4 stands what a program is.
    const std::size_t programs = (kBpfLocal4 + kBpfTopLines) * kBpfLineWords;
    for (std::size_t i = 1; i + 6 <= size; i += 6) {
        std::uint16_t place = 0;
        std::uint32_t word = 0;
        std::memcpy(&place, data + i, sizeof place);
        std::memcpy(&word, data + i + 2, sizeof word);
        const std::size_t from = place % 4 == 0 ? 0 : programs;
        image.tables[(from + place / 4) % image.tables.size()] = word;
    }
    read_and_compare(bpf::write(image));
    return 0;
}
