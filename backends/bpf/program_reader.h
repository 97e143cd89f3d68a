/// One program out of tables that nobody vouches for: nothing is read beyond their end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "artefact/bpf/image.h"
#include "artefact/bpf/layout.h"
#include "backends/node/node_image.h"

namespace polecat::bpf {

/// "a cell that is not there"
struct NotTables {
    std::string what;
};

class TableView {
  public:
    explicit TableView(const std::vector<std::uint32_t>& words) : words_(words) {}

    std::uint32_t at(std::uint32_t line, std::size_t word) const {
        const std::size_t place = line * std::size_t{kBpfLineWords} + word;
        if (place >= words_.size())
            throw NotTables{"a place beyond their end"};
        return words_[place];
    }
    /// Of a page.
    std::uint16_t number(std::uint32_t line, std::size_t entry) const {
        return static_cast<std::uint16_t>(at(line, entry / 2) >> (entry % 2 * 16));
    }
    /// Of the pages of a root.
    std::uint16_t in_root(std::uint32_t root, std::size_t entry) const {
        return number(at(root, entry / kBpfPageEntries), entry % kBpfPageEntries);
    }
    std::size_t size() const { return words_.size(); }

  private:
    const std::vector<std::uint32_t>& words_;
};

/// Roots of ports that were read before, which programs share.
using KnownPieces = std::map<std::uint32_t, decision::Pieces>;

class ProgramReader {
  public:
    ProgramReader(const TableView& tables, const Image& image, std::uint32_t line,
                  KnownPieces& pieces)
        : tables_(tables), line_(line), image_(image), pieces_(pieces) {}

    backends::ProgramImage read();

  private:
    std::uint32_t field(unsigned word) const { return tables_.at(line_, word); }
    /// A count of things that take that many words.
    std::size_t count(unsigned word, std::size_t words) const;
    void read_kind();
    void read_cells();
    void read_packets();
    const decision::Pieces& pieces_at(std::uint32_t root);
    void read_rows();
    void read_own();
    void read_others();

    const TableView& tables_;
    std::uint32_t line_;
    const Image& image_;
    KnownPieces& pieces_;
    const std::vector<std::uint32_t>* identities_ = nullptr; ///< of the program's family
    unsigned shift_ = 0;
    std::uint16_t source_ports_ = 1; ///< classes
    backends::ProgramImage out_;
};

} // namespace polecat::bpf
