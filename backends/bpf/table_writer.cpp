#include "backends/bpf/table_writer.h"

#include <algorithm>

namespace polecat::bpf {

std::uint32_t TableWriter::add_lines(std::size_t count) {
    const std::size_t line = words_.size() / kBpfLineWords;
    if (line + count > kBpfMostLines)
        throw TooManyLines{};
    words_.resize(words_.size() + count * kBpfLineWords);
    return static_cast<std::uint32_t>(line);
}

std::uint32_t TableWriter::add_words(std::size_t count) {
    return add_lines((count + kBpfLineWords - 1) / kBpfLineWords);
}

std::uint32_t TableWriter::page(const Page& page) {
    const std::string key(reinterpret_cast<const char*>(page.data()), sizeof page);
    const auto [known, added] = pages_.try_emplace(key);
    if (added) {
        known->second = add_lines(1);
        for (std::size_t i = 0; i < page.size(); ++i)
            at(known->second, i / 2) |= std::uint32_t{page[i]} << (i % 2 * 16);
    }
    return known->second;
}

std::uint32_t TableWriter::page_of(std::uint16_t number) {
    const auto [known, added] = uniform_.try_emplace(number);
    if (added) {
        Page made;
        made.fill(number);
        known->second = page(made);
    }
    return known->second;
}

std::uint32_t TableWriter::root(const std::vector<std::uint32_t>& pages) {
    if (pages.empty())
        return 0;
    const std::string key(reinterpret_cast<const char*>(pages.data()),
                          pages.size() * sizeof pages.front());
    const auto [known, added] = roots_.try_emplace(key);
    if (added) {
        known->second = add_words(pages.size());
        std::copy(pages.begin(), pages.end(), &at(known->second, 0));
    }
    return known->second;
}

std::vector<std::uint32_t> TableWriter::pages(const std::vector<std::uint16_t>& numbers) {
    std::vector<std::uint32_t> out;
    for (std::size_t first = 0; first < numbers.size(); first += kBpfPageEntries) {
        Page made{};
        const std::size_t size = std::min<std::size_t>(kBpfPageEntries, numbers.size() - first);
        std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(first), size, made.begin());
        out.push_back(page(made));
    }
    return out;
}

std::uint32_t TableWriter::root_of(const decision::Pieces& pieces) {
    const auto [known, added] = pieces_.try_emplace(pieces);
    if (!added)
        return known->second;
    std::vector<std::uint32_t> out;
    std::size_t place = 0;
    for (unsigned first = 0; first < 65536; first += kBpfPageEntries) {
        while (pieces[place].range.last < first)
            ++place;
        if (pieces[place].range.last >= first + kBpfPageEntries - 1) {
            out.push_back(page_of(pieces[place].id));
            continue;
        }
        Page made;
        for (unsigned i = 0; i < kBpfPageEntries; ++i)
            made[i] = decision::find(pieces, static_cast<std::uint16_t>(first + i));
        out.push_back(page(made));
    }
    return known->second = root(out);
}

/// `node`: the word of a node's first slot, each of which stands for 2^shift addresses.
void TableWriter::paint(std::uint32_t node, unsigned shift, std::uint32_t first, std::uint32_t last,
                        std::uint32_t leaf) {
    const std::uint32_t slots = shift == 16 ? 0xffff : 0xff, size = 1U << shift;
    for (std::uint32_t i = first >> shift; i <= last >> shift; ++i) {
        const std::uint32_t start = i << shift, end = start + (size - 1);
        const std::size_t word = node + (i & slots);
        if (first <= start && end <= last) {
            words_[word] = leaf;
            continue;
        }
        if ((words_[word] & kBpfIsBlock) == 0)
            words_[word] = kBpfIsBlock | add_lines(kBpfBlockLines); // moves words_: not in one
        const std::uint32_t block = (words_[word] & ~kBpfIsBlock) * kBpfLineWords;
        paint(block, shift - 8, std::max(first, start), std::min(last, end), leaf);
    }
}

void TableWriter::paint4(std::uint32_t top, const Stretches& stretches) {
    for (const Stretch& each : stretches)
        paint(top * kBpfLineWords, 16, static_cast<std::uint32_t>(each.range.first.low),
              static_cast<std::uint32_t>(each.range.last.low), each.leaf);
}

std::uint32_t TableWriter::addresses6(const Stretches& stretches, std::uint32_t& count) {
    std::vector<std::pair<net::Address, std::uint32_t>> starts;
    const auto start = [&](const net::Address& at, std::uint32_t leaf) {
        if (!starts.empty() && starts.back().first == at)
            starts.back().second = leaf;
        else
            starts.emplace_back(at, leaf);
    };
    start(net::first_address(net::Family::V6), 0);
    for (const Stretch& each : stretches) {
        start(each.range.first, each.leaf);
        if (const auto behind = net::next(each.range.last))
            start(*behind, 0);
    }
    count = static_cast<std::uint32_t>(starts.size());
    if (starts.size() >= 1U << kBpfStartBits)
        throw TooManyLines{};
    const std::uint32_t line = add_words(starts.size() * kBpfStartWords);
    for (std::size_t i = 0; i < starts.size(); ++i) {
        std::uint32_t* to = &at(line, i * kBpfStartWords);
        const net::Address& address = starts[i].first;
        to[0] = static_cast<std::uint32_t>(address.high >> 32);
        to[1] = static_cast<std::uint32_t>(address.high);
        to[2] = static_cast<std::uint32_t>(address.low >> 32);
        to[3] = static_cast<std::uint32_t>(address.low);
        to[kBpfStartLeaf] = starts[i].second;
    }
    return line;
}

std::vector<std::uint32_t> TableWriter::take() {
    return std::move(words_);
}

} // namespace polecat::bpf
