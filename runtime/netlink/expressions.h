/// The expressions of nf_tables that rules are made of, each with the attributes that nft(8)
/// gives it. Values go through register 1. For runtime/netlink only. Source:
/// linux/netfilter/nf_tables.h.
#pragma once

#include <cstdint>
#include <string>

#include "artefact/nft/ruleset.h"
#include "runtime/netlink/messages.h"

namespace polecat::runtime::netlink {

/// The bytes of a number as the machine has them.
std::string host_bytes(std::uint32_t value);

class Expressions {
  public:
    explicit Expressions(Messages& out) : out_(out) {}

    enum class Header : std::uint8_t { Network, Transport };

    void load_meta(int key);
    void load_ct(int key);
    /// To register 1, or beside what an interface's name takes of it.
    void load_payload(Header header, unsigned offset, unsigned size, bool second = false);
    void compare(const std::string& value, bool negated = false);
    /// register = register & mask ^ bits.
    void bits(const std::string& mask, const std::string& bits);
    void look_up(const std::string& set); ///< goes on where it is there
    void look_up_by_id(const std::string& set, std::uint32_t id);
    void look_up_value(const std::string& map);
    void look_up_verdict(const std::string& map);
    void set_value(const std::string& value);
    void store_priority();
    void store_flow_mark();
    void verdict(int code, const std::string& chain = {});
    void counter(const nft::Counter& counter);
    void limit(const nft::Rate& rate);
    void log(const nft::Log& log);
    void reject();
    void notrack();

  private:
    template <class Fill> void expression(const char* name, const Fill& fill);
    void lookup(const std::string& set, const int* target, const std::uint32_t* id);

    Messages& out_;
};

} // namespace polecat::runtime::netlink
