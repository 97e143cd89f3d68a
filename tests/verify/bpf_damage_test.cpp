// Files of BPF tables that were damaged at random: every damage that changes what becomes of a
// packet is found, and none that does not is called a difference.
#include <cstdlib>
#include <functional>

#include <doctest/doctest.h>

#include "artefact/bpf/layout.h"
#include "backends/bpf/bpf.h"
#include "driver/verify/differences.h"
#include "tests/backends/built.h"
#include "tests/scale.h"
#include "tests/verify/packet_by_packet.h"

using namespace polecat;
using backends::NodeImage;
using backends::ProgramImage;
using testing::Random;

namespace {

struct TabledSample {
    testing::Built built;
    bpf::Image tables;
};

std::vector<TabledSample> tabled_samples() {
    std::vector<TabledSample> out;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        TabledSample each{testing::build(testing::ClusterWriter(seed, {3, 6, 7}).write()), {}};
        REQUIRE(each.built.image.has_value());
        diag::Diagnostics told;
        each.tables = *bpf::emit(*each.built.image, "node0", told);
        out.push_back(std::move(each));
    }
    return out;
}

template <class T> T& any_of(std::vector<T>& list, Random& random) {
    return list[random.below(list.size())];
}

// --- of the file: tables as nobody wrote them ---------------------------------------------------

/// Mostly behind the first parts of IPv4, of which nearly all say the same.
std::size_t any_word(const bpf::Image& tables, Random& random) {
    const std::size_t from =
        random.chance(80) ? std::size_t{kBpfLocal4 + kBpfTopLines} * kBpfLineWords : 0;
    return from + random.below(tables.tables.size() - from);
}

bool flip_bit(bpf::Image& tables, Random& random) {
    tables.tables[any_word(tables, random)] ^= 1U << random.below(32);
    return true;
}
bool copy_word(bpf::Image& tables, Random& random) {
    tables.tables[any_word(tables, random)] = tables.tables[any_word(tables, random)];
    return true;
}
bool move_leaf(bpf::Image& tables, Random& random) {
    const std::size_t block = any_word(tables, random), other = block ^ random.below(256);
    if (other >= tables.tables.size())
        return false;
    std::swap(tables.tables[block], tables.tables[other]);
    return true;
}
bool lose_line(bpf::Image& tables, Random& random) {
    const std::size_t line = any_word(tables, random) / kBpfLineWords * kBpfLineWords;
    std::fill_n(tables.tables.begin() + static_cast<std::ptrdiff_t>(line), kBpfLineWords, 0);
    return true;
}
bool cut_lines(bpf::Image& tables, Random& random) {
    tables.tables.resize(tables.tables.size() - kBpfLineWords * (1 + random.below(40)));
    return true;
}
bool move_endpoint(bpf::Image& tables, Random& random) {
    bpf::Image::Endpoint& each = any_of(tables.endpoints, random);
    each.group = any_of(tables.endpoints, random).group;
    return true;
}
bool rename_interface(bpf::Image& tables, Random& random) {
    any_of(tables.endpoints, random).interface.back() = "0123456789abcdef"[random.below(16)];
    return true;
}
bool lose_endpoint(bpf::Image& tables, Random& random) {
    tables.endpoints.erase(tables.endpoints.begin() +
                           static_cast<std::ptrdiff_t>(random.below(tables.endpoints.size())));
    return true;
}
bool swap_programs(bpf::Image& tables, Random& random) {
    std::swap(any_of(tables.programs, random).name, any_of(tables.programs, random).name);
    return true;
}
bool change_group(bpf::Image& tables, Random& random) {
    bpf::Image::Group& group = any_of(tables.groups, random);
    std::swap(group.egress, group.ingress);
    return true;
}
bool number_identity(bpf::Image& tables, Random& random) {
    if (tables.identities4.empty())
        return false;
    any_of(tables.identities4, random) ^= 1U << random.below(16);
    return true;
}
bool change_setting(bpf::Image& tables, Random& random) {
    switch (random.below(4)) {
    case 0:
        tables.to_host = random.pick<policy::HostAction>(
            {policy::HostAction::Accept, policy::HostAction::Drop, policy::HostAction::Return});
        return true;
    case 1:
        tables.drops_ipip = !tables.drops_ipip;
        return true;
    case 2:
        tables.dropped_vxlan_port = static_cast<std::uint16_t>(random.below(3));
        return true;
    default:
        tables.interface_prefixes.push_back("tap");
        return true;
    }
}

// --- of what they say: tables as polecat writes them, of another policy
// ---------------------------

using Change = std::function<void(ProgramImage&, Random&)>;

void other_outcome(ProgramImage& program, Random& random) {
    auto& cell = std::next(program.cells.begin(),
                           static_cast<std::ptrdiff_t>(random.below(program.cells.size())))
                     ->second;
    cell.outcome = cell.passes() ? backends::Outcome::Deny : backends::Outcome::Allow;
}
void other_cell(ProgramImage& program, Random& random) {
    auto& row = std::next(program.rows.begin(),
                          static_cast<std::ptrdiff_t>(random.below(program.rows.size())))
                    ->second;
    const std::uint32_t cell =
        std::next(program.cells.begin(),
                  static_cast<std::ptrdiff_t>(random.below(program.cells.size())))
            ->first;
    if (row.exceptions.empty() || random.chance(50))
        row.cell = cell;
    else
        row.exceptions[random.below(row.exceptions.size())].cell = cell;
}
void other_row(ProgramImage& program, Random& random) {
    auto& others = program.others[random.below(program.others.size())];
    const auto row = std::next(program.rows.begin(),
                               static_cast<std::ptrdiff_t>(random.below(program.rows.size())))
                         ->first;
    if (others.rows.empty() || random.chance(30))
        others.usual = row;
    else
        std::next(others.rows.begin(),
                  static_cast<std::ptrdiff_t>(random.below(others.rows.size())))
            ->second = row;
}
void other_ports(ProgramImage& program, Random& random) {
    if (program.l4.by_protocol.empty())
        return;
    auto& pieces =
        std::next(program.l4.by_protocol.begin(),
                  static_cast<std::ptrdiff_t>(random.below(program.l4.by_protocol.size())))
            ->second;
    const std::size_t i = random.below(pieces.size());
    if (i + 1 < pieces.size() && pieces[i].range.first < pieces[i].range.last) {
        --pieces[i].range.last; // a border that is one port off
        --pieces[i + 1].range.first;
    } else {
        pieces[i].id = pieces[random.below(pieces.size())].id;
    }
}
void lose_log(ProgramImage& program, Random& random) {
    for (auto& [number, cell] : program.cells)
        if (!cell.logs.empty() && random.chance(50))
            cell.logs.pop_back();
}

bool change_program(NodeImage& image, Random& random) {
    static const Change kChanges[] = {other_outcome, other_cell, other_row, other_ports, lose_log};
    auto& shared = std::next(image.programs.begin(),
                             static_cast<std::ptrdiff_t>(random.below(image.programs.size())))
                       ->second;
    ProgramImage program = *shared;
    if (program.closed || program.cells.empty() || program.rows.empty() || program.others.empty())
        return false;
    kChanges[random.below(std::size(kChanges))](program, random);
    shared = program;
    return true;
}
bool change_identity(NodeImage& image, Random& random) {
    const auto any = [&](auto& list) {
        return std::next(list.begin(), static_cast<std::ptrdiff_t>(random.below(list.size())));
    };
    if (image.addresses.empty() || image.outside.empty())
        return false;
    if (random.chance(50))
        any(image.addresses)->second = any(image.addresses)->second;
    else
        any(image.outside)->second = any(image.outside)->second;
    return true;
}
bool change_dispatch(NodeImage& image, Random& random) {
    if (image.dispatch.empty())
        return false;
    any_of(image.dispatch, random).group = any_of(image.dispatch, random).group;
    return true;
}

template <class T> struct Harm {
    const char* what;
    bool (*run)(T&, Random&); ///< false: there was nothing to damage
};
const Harm<bpf::Image> kOfFile[] = {{"a bit", flip_bit},
                                    {"a word of another place", copy_word},
                                    {"two words in each other's places", move_leaf},
                                    {"a line less", lose_line},
                                    {"an end that is cut off", cut_lines},
                                    {"an endpoint of another group", move_endpoint},
                                    {"another interface", rename_interface},
                                    {"an endpoint less", lose_endpoint},
                                    {"programs with each other's names", swap_programs},
                                    {"a group the wrong way round", change_group},
                                    {"another number of an identity", number_identity},
                                    {"another setting", change_setting}};
const Harm<NodeImage> kOfPolicy[] = {{"another program", change_program},
                                     {"another identity", change_identity},
                                     {"another group", change_dispatch}};

/// What the file says, as verify reads it.
Result<NodeImage> read_file_of(const bpf::Image& tables) {
    const auto read = bpf::read(bpf::write(tables));
    if (!read)
        return Error{read.error()};
    return bpf::read_back(*read);
}

struct HarmTally {
    std::size_t tried = 0, changed = 0, refused = 0, unchanged = 0;
    void count(const Result<NodeImage>& image, const NodeImage& policy) {
        ++tried;
        if (!image) { // nobody takes it for the policy
            ++refused;
            return;
        }
        const bool same = testing::PacketByPacket(*image, policy).same();
        const auto found = driver::differences(*image, policy);
        CHECK(found.empty() == same);
        ++(same ? unchanged : changed);
    }
    void tell(const std::string& what) const {
        MESSAGE(tried << " damages of " << what << ": " << refused << " refused, " << changed
                      << " change what becomes of packets and are named, " << unchanged
                      << " change nothing and are no difference");
    }
};

} // namespace

TEST_CASE("BPF tables: every damage of a file that changes a packet's fate is found") {
    Random random(5);
    HarmTally tally;
    const auto all = tabled_samples();
    while (tally.tried < testing::count_of("POLECAT_DAMAGES", 300)) {
        const TabledSample& sample = random.pick(all);
        const Harm<bpf::Image>& harm = kOfFile[random.below(std::size(kOfFile))];
        bpf::Image tables = sample.tables;
        if (!harm.run(tables, random) || tables == sample.tables)
            continue;
        INFO(harm.what, ", number ", tally.tried);
        tally.count(read_file_of(tables), *sample.built.image);
    }
    tally.tell("files");
    CHECK(tally.refused > tally.tried / 4);
}

TEST_CASE("BPF tables: every other policy is found, and none that says the same") {
    Random random(6);
    HarmTally tally;
    const auto all = tabled_samples();
    while (tally.tried < testing::count_of("POLECAT_DAMAGES", 300)) {
        const TabledSample& sample = random.pick(all);
        const Harm<NodeImage>& harm = kOfPolicy[random.below(std::size(kOfPolicy))];
        NodeImage image = *sample.built.image;
        if (!harm.run(image, random) || image == *sample.built.image)
            continue;
        diag::Diagnostics told;
        const auto tables = bpf::emit(bpf::normal(image), "node0", told);
        if (!tables)
            continue;
        INFO(harm.what, ", number ", tally.tried);
        tally.count(read_file_of(*tables), *sample.built.image);
    }
    tally.tell("what they say");
    CHECK(tally.changed > tally.tried / 20);
    CHECK(tally.refused < tally.tried / 20);
}
