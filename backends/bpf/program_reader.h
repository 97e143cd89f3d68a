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
    /// Of the pages of a root. As the classifier has it, no page is 0.
    std::uint16_t in_root(std::uint32_t root, std::size_t entry) const {
        const std::uint32_t page = at(root, entry / kBpfPageEntries);
        return page == 0 ? std::uint16_t{0} : number(page, entry % kBpfPageEntries);
    }
    std::size_t size() const { return words_.size(); }

  private:
    const std::vector<std::uint32_t>& words_;
};

/// What programs share.
struct ReadBefore {
    std::map<std::uint32_t, decision::Pieces> pieces; ///< roots of ports
    std::size_t exceptions = 0; ///< of all rows: many rows may say that they have the same
};

class ProgramReader {
  public:
    ProgramReader(const TableView& tables, const Image& image, std::uint32_t line,
                  ReadBefore& before)
        : tables_(tables), line_(line), image_(image), before_(before) {}

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
    ReadBefore& before_;
    const std::vector<std::uint32_t>* identities_ = nullptr; ///< of the program's family
    unsigned shift_ = 0;
    std::uint16_t source_ports_ = 1; ///< classes
    backends::ProgramImage out_;
};

} // namespace polecat::bpf
