/// One program of a node as tables.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/bpf/table_writer.h"
#include "backends/node/node_image.h"

namespace polecat::bpf {

/// Numbers of identities, sorted: tables call each by its place here.
using Identities = std::vector<std::uint32_t>;
std::optional<std::uint32_t> place_of(const Identities& identities, std::uint32_t number);

class ProgramWriter {
  public:
    ProgramWriter(const backends::ProgramImage& image, const Identities& identities,
                  TableWriter& out)
        : image_(image), identities_(identities), out_(out) {}

    /// The line where it stands. `counter`: of its first cell.
    std::uint32_t write(std::uint32_t counter);
    /// How many its cells need.
    std::uint32_t counters() const;

  private:
    std::uint32_t& field(unsigned word) { return out_.at(line_, word); }
    void set(unsigned word, std::size_t value) {
        field(word) = static_cast<std::uint32_t>(value); // after whatever moves the words
    }
    void add_own();
    std::vector<std::uint16_t> rows_of(const backends::ProgramImage::Others& others) const;
    void add_others();
    void add_protocols();
    void add_source_ports();
    void add_rows();
    std::uint32_t root_of(const decision::Row& row);
    void add_cells();

    const backends::ProgramImage& image_;
    const Identities& identities_;
    TableWriter& out_;
    std::uint32_t line_ = 0;
    unsigned shift_ = 0;
    std::size_t packets_ = 0; ///< numbers of their classes are below
};

} // namespace polecat::bpf
