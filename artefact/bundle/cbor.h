/// CBOR (RFC 8949) in its deterministic form, as far as bundles need it: unsigned numbers, byte and
/// text strings, arrays, booleans, null; shortest heads, definite lengths, no maps. What a value
/// means follows from its place, so that equal values are equal bytes. For artefact/bundle only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polecat::bundle::cbor {

/// Thrown within a reader, caught at its face.
struct Failure {
    std::string message;
};

class Writer {
  public:
    void number(std::uint64_t value) { head(0, value); }
    void bytes(std::string_view value);
    void text(std::string_view value);
    void array(std::size_t count) { head(4, count); }
    void boolean(bool value) { out_ += value ? '\xf5' : '\xf4'; }
    void null() { out_ += '\xf6'; }
    std::string take() { return std::move(out_); }

  private:
    void head(unsigned major, std::uint64_t value);
    std::string out_;
};

/// Throws Failure for what is not there, or not in deterministic form.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

    std::uint64_t number(std::uint64_t most = UINT64_MAX);
    std::string_view bytes() { return string(2); }
    std::string_view text() { return string(3); }
    std::size_t array(); ///< at most as many as there are bytes left
    bool boolean();
    bool null();      ///< takes it if it comes next
    bool is_number(); ///< comes next
    bool done() const { return rest_.empty(); }
    [[noreturn]] void fail(const std::string& expected) const;

  private:
    unsigned char peek() const;
    std::uint64_t head(unsigned major);
    std::string_view string(unsigned major);
    std::string_view rest_;
    std::size_t size_;
};

} // namespace polecat::bundle::cbor
