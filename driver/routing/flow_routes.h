/// Routes of flows that policy allows: what `polecat reach` and `map` say beside the verdict.
#pragma once

#include <optional>
#include <string>

#include "analyzer/routing/routes/route_search.h"
#include "driver/map/rows.h"
#include "driver/routing/routed_input.h"
#include "ir/path/path.h"

namespace polecat::driver {

class FlowRoutes {
  public:
    /// Both must outlive this.
    FlowRoutes(Input& input, const decision::LoweredCluster& cluster);

    /// Whether the input says anything of routes.
    bool are_known() const { return search_.has_value(); }
    /// nullopt: there is a route both ways, or nobody knows.
    std::optional<routing::MissingRoute> of(const ir::PathQuery& query);
    /// Marks the rows with pairs that no route joins.
    void mark(MapRows& rows);

    /// "  NO ROUTE: ...", with the trail. Empty where there is nothing to say.
    std::string text(const std::optional<routing::MissingRoute>& missing) const;
    /// As `text`, but as JSON. Json: nlohmann::json.
    template <class Json> Json json_of(const routing::MissingRoute& missing) const {
        Json trail = Json::array();
        for (const auto& step : missing.trail) {
            Json entry{{"what", step.text}};
            entry.update(routed_->json_of<Json>(step.origin).is_null()
                             ? Json::object()
                             : routed_->json_of<Json>(step.origin));
            trail.push_back(std::move(entry));
        }
        Json out{{"exists", missing.certain ? "no" : "depends"},
                 {"reason", missing.reason},
                 {"trail", std::move(trail)}};
        if (!missing.unless.empty())
            out["unless"] = missing.unless;
        return out;
    }

  private:
    /// Where an end is, as far as routes care.
    struct Place {
        std::string node;                    ///< empty: outside, or not known
        std::vector<net::Address> addresses; ///< of a pod
        bool outside = false;
    };
    using Ends = std::vector<std::pair<std::string, Place>>;

    Place place_of(const ir::PathEnd& end) const;
    Place place_of(decision::ObjectId object) const;
    std::optional<routing::MissingRoute> between(const Place& from, const Place& to,
                                                 std::optional<net::Family> family);
    std::optional<routing::MissingRoute> one_way(const Place& from, const Place& to,
                                                 const net::Address& address);
    std::optional<routing::MissingRoute> to_service(const Place& from, const ir::PathQuery& query,
                                                    const decision::ServiceFront& front);
    std::optional<routing::MissingRoute> to_backends(const Place& from, const ir::PathQuery& query,
                                                     const decision::ServiceFront& front);

    std::optional<NoRoute> of(const MapRow& row, MapRows& rows);
    Ends ends(MapEnds which, const MapRows& rows) const;

    const decision::LoweredCluster& cluster_;
    std::optional<RoutedInput> routed_;
    std::optional<routing::RouteSearch> search_;
};

} // namespace polecat::driver
