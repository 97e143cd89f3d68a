#include "frontend/yaml/earlier.h"

#include <algorithm>

#include "frontend/yaml/events.h"
#include "frontend/yaml/lines.h"

namespace polecat::yaml {

namespace {

/// Whether each stretch between `---` lines means the same wherever it stands: lines end as
/// chunks_of() counts them, and nothing else begins, ends or governs a document. JSON has rules of
/// its own.
bool is_cut_by_separators(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\n");
    if (first == std::string_view::npos || text[first] == '{' || text[first] == '[' ||
        first_byte(text) != 0)
        return false;
    for (const std::string_view other : {"\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"})
        if (text.find(other) != std::string_view::npos)
            return false;
    for (std::size_t at = 0; at < text.size();
         at = std::min(text.find('\n', at), text.size()) + 1) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with('%') || rest.starts_with("...") || rest.starts_with("---\t"))
            return false;
    }
    return true;
}

/// As if it stood in that file, `down` lines further down (modulo 2^32: up as well).
void move_places(Node& node, FileId file, std::uint32_t down) {
    const auto move = [&](Span& span) {
        span.file = file;
        span.line += down;
    };
    move(node.span);
    for (Node& each : node.items)
        move_places(each, file, down);
    for (Member& each : node.members) {
        move(each.key_span);
        move_places(each.value, file, down);
    }
}

/// Documents in the order of their file, given out by the chunk that they stand in.
class InOrder {
  public:
    InOrder(std::vector<Document>& documents, const std::vector<Chunk>& chunks)
        : next_(documents.begin()), end_(documents.end()), chunks_(chunks) {}

    /// The one in that chunk; asked for each chunk in turn. nullptr: none.
    Document* of(std::size_t chunk) {
        const bool here = next_ != end_ && (chunk + 1 == chunks_.size() ||
                                            next_->root.span.line < chunks_[chunk + 1].first_line);
        return here ? &*next_++ : nullptr;
    }

  private:
    std::vector<Document>::iterator next_, end_;
    const std::vector<Chunk>& chunks_;
};

} // namespace

void EarlierDocuments::keep(std::string_view text, std::vector<Document> documents) {
    if (!is_cut_by_separators(text))
        return;
    const std::vector<Chunk> chunks = chunks_of(text);
    InOrder read(documents, chunks);
    for (std::size_t i = 0; i < chunks.size(); ++i)
        if (Document* found = read.of(i))
            known_.emplace(chunks[i].text, Known{std::move(*found), chunks[i].first_line});
}

std::vector<Document> EarlierDocuments::read(const Sources& sources, FileId file,
                                             diag::Diagnostics& diagnostics) {
    const std::string_view text = sources.text(file);
    const Limits limits;
    if (known_.empty() || text.size() > limits.max_bytes || !is_cut_by_separators(text))
        return read_documents(sources, file, diagnostics);
    const std::vector<Chunk> chunks = chunks_of(text);
    // What is new is read first: where something is to be said, the whole text must be read.
    Budget budget{limits};
    std::vector<Document> fresh;
    std::unordered_map<std::string_view, std::size_t> wanted;
    std::vector<bool> is_known;
    for (const Chunk& chunk : chunks) {
        is_known.push_back(++wanted[chunk.text] <= known_.count(chunk.text));
        diag::Diagnostics found;
        if (!is_known.back() &&
            (!read_stream(chunk.text, file, chunk.first_line, budget, found, fresh) ||
             !found.list().empty()))
            return read_documents(sources, file, diagnostics);
    }
    std::vector<Document> out;
    InOrder read(fresh, chunks);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        if (is_known[i]) {
            auto known = known_.extract(known_.find(chunks[i].text));
            out.push_back(std::move(known.mapped().document));
            out.back().file = file;
            move_places(out.back().root, file, chunks[i].first_line - known.mapped().first_line);
        } else if (Document* found = read.of(i)) {
            out.push_back(std::move(*found));
        }
    }
    return out;
}

} // namespace polecat::yaml
