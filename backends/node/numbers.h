/// Numbers: what a compile called by which number, kept beside what it wrote (`numbers.txt` of a
/// bundle), so that the next compile gives what survives the same numbers. Without it numbers come
/// from content alone; never from the order in which manifests are read.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "support/result.h"

namespace polecat::backends {

struct Numbers {
    /// What an identity is: predicates by their place in `predicates`.
    struct Identity {
        net::Family family = net::Family::V4;
        std::vector<std::uint32_t> yes, unknown; ///< sorted
        struct Member {
            std::uint32_t predicate = 0;
            net::Protocol protocol = 0;
            std::uint16_t port = 0;
            auto operator<=>(const Member&) const = default;
        };
        std::vector<Member> members; ///< sorted
        auto operator<=>(const Identity&) const = default;
    };
    /// Rows, cells and own classes of a program.
    struct Program {
        std::map<std::string, std::uint32_t> rows, cells; ///< by what they say
        std::vector<std::string> usual;                   ///< rows, by own class
        /// Rows of blocks of identities, by own class and block.
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> blocks;
        std::map<std::uint32_t, std::uint16_t> own; ///< own class, by identity
        bool operator==(const Program&) const = default;
    };
    std::vector<std::string> predicates; ///< digests of their texts; sorted
    std::map<std::uint32_t, Identity> identities;
    std::map<std::string, std::uint32_t> blocks; ///< of identities, by namespace: the first of each
    std::map<net::Address, std::uint32_t> addresses; ///< of endpoints and members of services
    std::map<net::Address, std::uint32_t> ranges;    ///< of all others, by the first of a range
    std::map<std::string, Program> programs;         ///< by digest of what is cut and asked
    bool operator==(const Numbers&) const = default;
};

std::string print(const Numbers& numbers);
Result<Numbers> parse_numbers(std::string_view text);

/// The first digits of a digest of a text, as a name for it.
std::string digest_of(std::string_view text, std::size_t digits);

/// Hands out the lowest numbers that are free: neither in use now nor in the base, where what had
/// one that is gone may still be about.
class FreeNumbers {
  public:
    void take(std::uint32_t number) { taken_.insert(number); }
    std::uint32_t next();

  private:
    std::set<std::uint32_t> taken_;
    std::uint32_t next_ = 0;
};

/// Each of `wanted` (what rows or cells say) gets its number of the base, or a free one in order.
std::map<std::string, std::uint32_t> number_by(const std::map<std::string, std::uint32_t>& base,
                                               const std::set<std::string>& wanted);

} // namespace polecat::backends
