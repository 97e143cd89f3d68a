/// What a program's table makes of packets, as formulas: read from the table as the kernel looks it
/// up, with nothing of how it was made.
#pragma once

#include <map>
#include <vector>

#include "analyzer/z3/packet.h"
#include "backends/node/node_image.h"

namespace polecat::driver {

class ImageFormula {
  public:
    /// All must outlive this.
    ImageFormula(const backends::ProgramImage& program, smt::Terms& terms, smt::Packet& packet);

    /// The packet gets past the row; `by_rule`: as a rule allows it, not since nothing matched.
    smt::Term passes(std::uint32_t row, bool by_rule);

  private:
    using Classes = std::map<std::uint16_t, smt::Term>; ///< packets of each class
    void find_source_ports();
    void find_l4();
    void add_protocol(net::Protocol protocol, const decision::Pieces& pieces);
    smt::Term of(Classes& classes, std::uint16_t id);
    bool cell_passes(std::uint32_t cell, bool by_rule) const;

    const backends::ProgramImage& program_;
    smt::Terms& terms_;
    smt::Packet& packet_;
    Classes source_ports_, l4_;
    smt::Term known_; ///< a packet that is in no class is dropped
};

} // namespace polecat::driver
