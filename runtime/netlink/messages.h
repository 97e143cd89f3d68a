/// Netlink messages for nf_tables, written one after the other. For runtime/netlink only. Source:
/// linux/netlink.h, linux/netfilter/nfnetlink.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::runtime::netlink {

/// What has no netlink form here. Thrown before anything is sent.
struct Unknown {
    std::string message;
};

class Messages {
  public:
    /// What a message is about, for errors. The name is not copied.
    struct Label {
        const char* kind;
        std::string_view name;
    };

    Messages();

    /// A message of nf_tables about a table inet; `fill` writes its attributes.
    template <class Fill> void message(int type, int flags, Label label, const Fill& fill) {
        const std::size_t start = begin(type, flags, label);
        fill();
        end(start);
    }
    /// An attribute that holds those that `fill` writes.
    template <class Fill> void nested(int type, const Fill& fill) {
        const std::size_t start = open(type);
        fill();
        close(start);
    }
    void data(int type, const void* value, std::size_t size);
    void data(int type, std::string_view value) { data(type, value.data(), value.size()); }
    /// With the zero at its end.
    void text(int type, std::string_view value);
    /// Numbers of attributes are big-endian, whatever the machine is.
    void number(int type, std::uint32_t value);
    void short_number(int type, std::uint16_t value);
    void long_number(int type, std::uint64_t value);
    void byte(int type, std::uint8_t value) { data(type, &value, 1); }

    std::size_t size() const { return bytes_.size(); }
    /// The end of the batch; nothing comes after it.
    void finish();
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    /// By the messages' sequence numbers; the first is the batch itself.
    const std::vector<Label>& labels() const { return labels_; }

  private:
    std::size_t begin(int type, int flags, Label label);
    void end(std::size_t start);
    std::size_t open(int type);
    void close(std::size_t start);
    void add_batch_message(int type);
    std::uint8_t* grow(std::size_t size);

    std::vector<std::uint8_t> bytes_;
    std::vector<Label> labels_;
    std::size_t last_ = 0; ///< where the last message starts
};

} // namespace polecat::runtime::netlink
