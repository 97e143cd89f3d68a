#include "artefact/bundle/cbor.h"

namespace polecat::bundle::cbor {

namespace {

constexpr unsigned kInHead = 24; ///< smaller values stand in the first byte

const char* const kMajors[] = {"a number", "", "bytes", "text", "an array"};

} // namespace

void Writer::head(unsigned major, std::uint64_t value) {
    const auto first = [&](unsigned low) { out_ += static_cast<char>(major << 5 | low); };
    if (value < kInHead)
        return first(static_cast<unsigned>(value));
    unsigned power = 0; // of the number of bytes
    while (power < 3 && value >> (8U << power) != 0)
        ++power;
    first(kInHead + power);
    for (int shift = (8 << power) - 8; shift >= 0; shift -= 8)
        out_ += static_cast<char>(value >> shift & 0xff);
}

void Writer::bytes(std::string_view value) {
    head(2, value.size());
    out_ += value;
}

void Writer::text(std::string_view value) {
    head(3, value.size());
    out_ += value;
}

void Reader::fail(const std::string& expected) const {
    throw Failure{"byte " + std::to_string(size_ - rest_.size()) + ": expected " + expected};
}

unsigned char Reader::peek() const {
    if (rest_.empty())
        fail("more bytes");
    return static_cast<unsigned char>(rest_.front());
}

std::uint64_t Reader::head(unsigned major) {
    const unsigned first = peek(), low = first & 31U;
    if (first >> 5 != major || low > kInHead + 3)
        fail(kMajors[major]);
    if (low < kInHead) {
        rest_.remove_prefix(1);
        return low;
    }
    const std::size_t size = std::size_t{1} << (low - kInHead);
    if (rest_.size() <= size)
        fail("more bytes");
    std::uint64_t value = 0;
    for (std::size_t i = 1; i <= size; ++i)
        value = value << 8 | static_cast<unsigned char>(rest_[i]);
    const std::uint64_t least = size == 1 ? kInHead : std::uint64_t{1} << (4 * size);
    if (value < least)
        fail("the shortest form of a number");
    rest_.remove_prefix(size + 1);
    return value;
}

std::uint64_t Reader::number(std::uint64_t most) {
    const std::uint64_t value = head(0);
    if (value > most)
        fail("a number up to " + std::to_string(most));
    return value;
}

std::string_view Reader::string(unsigned major) {
    const std::uint64_t size = head(major);
    if (size > rest_.size())
        fail("more bytes");
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
}

std::size_t Reader::array() {
    const std::uint64_t count = head(4);
    if (count > rest_.size())
        fail("more bytes");
    return count;
}

bool Reader::boolean() {
    const unsigned char first = peek();
    if (first != 0xf4 && first != 0xf5)
        fail("true or false");
    rest_.remove_prefix(1);
    return first == 0xf5;
}

bool Reader::null() {
    if (peek() != 0xf6)
        return false;
    rest_.remove_prefix(1);
    return true;
}

bool Reader::is_number() {
    return peek() >> 5 == 0;
}

} // namespace polecat::bundle::cbor
