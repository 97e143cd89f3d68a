/// Two images of a program, asked of the same packets.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "driver/verify/both_ends.h"
#include "driver/verify/differences.h"

namespace polecat::driver {

class BothPrograms {
  public:
    BothPrograms(std::string rules, const backends::ProgramImage& rules_image, std::string policy,
                 const backends::ProgramImage& policy_image);

    /// Classes of the own side, as both see it: equal ones, equal answers.
    using OwnClasses = std::pair<std::optional<std::size_t>, std::optional<std::size_t>>;
    OwnClasses own_classes(const BothIdentities& own) const;

    struct Found {
        PacketShape packet;
        Decided rules, policy;
    };
    /// A packet between these ends that they treat otherwise; one that the rules let through, if
    /// any.
    std::optional<Found> differ(const OwnClasses& own, const BothIdentities& other);

    /// What one program by itself makes of a packet between these.
    static Decided decided(const std::string& name, const backends::ProgramImage& image,
                           KnownIdentity own, KnownIdentity other, const PacketShape& packet);

  private:
    struct Classes {
        std::optional<std::uint16_t> l4, source_port; ///< nullopt: the packet is dropped
        auto operator<=>(const Classes&) const = default;
    };
    /// A program with what it is called.
    struct One {
        std::string name;
        const backends::ProgramImage& image;

        Classes classes_of(const PacketShape& packet) const;
        std::optional<std::size_t> own_class(KnownIdentity identity) const;
        const decision::Row* row_of(std::optional<std::size_t> own, KnownIdentity other) const;
        Decided decide(const decision::Row* row, const Classes& classes) const;
    };
    struct Packet {
        PacketShape shape;
        Classes rules, policy;
    };
    using Rows = std::pair<const decision::Row*, const decision::Row*>;

    void find_packets();
    std::optional<Found> differ(const Rows& rows) const;

    One rules_, policy_;
    std::vector<Packet> packets_; ///< one of each kind that either tells apart
    std::map<Rows, std::optional<Found>> known_;
};

} // namespace polecat::driver
