/// Rules that look packets up in tables (nftables, BPF), for driver/verify/proof.
#pragma once

#include <array>
#include <map>
#include <utility>

#include "backends/node/node_image.h"
#include "driver/verify/both_ends.h"
#include "driver/verify/proved_rules.h"

namespace polecat::driver {

/// An image's identities, as the ends of one family have them.
struct EndIdentities {
    EndIdentities(const backends::NodeImage& image, const smt::ExistingEnds& ends);
    std::vector<KnownIdentity> spots; ///< by number
    /// Of addresses that no endpoint has.
    std::map<std::uint32_t, net::AddressSet> outside;
};

class TableRules : public ProvedRules {
  public:
    /// The image must outlive this.
    explicit TableRules(const backends::NodeImage& image);

    std::vector<std::string> of_workload(const std::string& interface,
                                         decision::Direction direction, const net::Address& address,
                                         bool other_source) const override;
    std::vector<std::string> of_host(const std::string& interface,
                                     const decision::Group::Key& key) const override;
    std::string unfit(const std::string& program, const decision::Group::Key& key) const override;
    bool is_closed(const std::string& program) const override;
    bool tells(const std::string& /*program*/) const override { return true; }
    std::vector<std::unique_ptr<RulesFormula>> formulas(const std::string& program,
                                                        const AskedOwn& own,
                                                        const smt::ExistingEnds& ends) override;
    Decided decided(const std::string& program, const decision::Flow& flow) const override;

  private:
    const EndIdentities& identities(const smt::ExistingEnds& ends);

    const backends::NodeImage& image_;
    /// By interface, and address or the first of a range.
    std::map<std::pair<std::string, net::Address>, std::uint32_t> groups_, source_groups_;
    std::array<std::optional<EndIdentities>, 2> identities_;
};

} // namespace polecat::driver
