/// Two versions of one cluster are nearly the same text: what the second one repeats of the first
/// is not read again.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/yaml/node.h"

namespace polecat::yaml {

/// Documents of texts that were read, by the text of each.
class EarlierDocuments {
  public:
    /// Documents of `text`, as read_documents() read them without anything to report; some may be
    /// left out. The text must outlive this.
    void keep(std::string_view text, std::vector<Document> documents);

    /// As read_documents(), which is asked for what no earlier text has. What is taken from earlier
    /// ones is there no more. Limits hold for what is read.
    std::vector<Document> read(const Sources& sources, FileId file, diag::Diagnostics& diagnostics);

  private:
    struct Known {
        Document document;
        std::uint32_t first_line = 0; ///< of its text, in its file
    };
    std::unordered_multimap<std::string_view, Known> known_; ///< by text, from separator on
};

} // namespace polecat::yaml
