/// The endpoints of a cluster that stays loaded: who has which labels, stands on which node, holds
/// which address.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/bundle/pack.h"
#include "ir/decision/lowered.h"
#include "ir/selector/index.h"

namespace polecat::driver {

struct LiveEndpoint {
    std::string key;
    bundle::PackedEndpoint packed;
    bool selectable = true;
    bool here = true; ///< false: it is gone, and its number is not given again
};

class LiveEndpoints {
  public:
    using Number = std::uint32_t;
    /// "Pod shop/web".
    static std::string key_of(const decision::Object& object) {
        return object.manifest_kind + " " + object.name;
    }

    Number add(LiveEndpoint endpoint);
    void remove(Number number);

    LiveEndpoint& operator[](Number number) { return list_[number]; }
    const LiveEndpoint& operator[](Number number) const { return list_[number]; }
    std::size_t size() const { return by_key_.size(); }
    std::optional<Number> find(const std::string& key) const;
    /// Those with labels that match, whether rules may select them or not.
    std::vector<Number> with_labels(const selector::Selector& selector) const;
    /// The endpoint that the address leads to.
    std::optional<Number> at(const net::Address& address) const;
    /// All that have the address.
    std::set<Number> holders(const net::Address& address) const;
    /// Whether one of them may be selected and is not alone: what holds there is then more than
    /// what one says.
    bool is_shared(const std::set<Number>& holders) const;
    bool any_share_addresses() const;
    template <class Act> void each(const Act& act) const {
        for (const auto& [key, number] : by_key_)
            act(number);
    }
    std::vector<const bundle::PackedEndpoint*> on_node(const std::string& node) const;
    std::vector<const bundle::PackedEndpoint*> in_space(const std::string& space) const;

  private:
    using Numbers = std::set<Number>;
    std::vector<const bundle::PackedEndpoint*> listed(const std::map<std::string, Numbers>& in,
                                                      const std::string& name) const;
    template <class Act> void each_place(Number number, const Act& act);

    std::vector<LiveEndpoint> list_;
    selector::LabelIndex labels_; ///< numbered as `list_`
    std::unordered_map<std::string, Number> by_key_;
    std::map<std::string, Numbers> by_node_, by_space_; ///< by_node_: those that are placed
    std::map<net::Address, Numbers> by_address_;
};

} // namespace polecat::driver
