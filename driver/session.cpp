#include "driver/session.h"

namespace polecat::driver {

Session::Session(Input& input, const passes::LowerOptions& options)
    : input_(input), options_(options) {}

Session::Session(Input& input, policy::Cluster policies, const passes::LowerOptions& options)
    : input_(input), other_(std::move(policies)), options_(options) {}

const passes::Lowered& Session::lowered() {
    if (!lowered_)
        lowered_.emplace(passes::lower(policies(), options_));
    return *lowered_;
}

const decision::Identities& Session::identities() {
    if (!identities_)
        identities_ = std::make_unique<decision::Identities>(cluster());
    return *identities_;
}

const analyzer::ConnectivityMap& Session::map(net::Family family) {
    if (map_ && family_ == family)
        return *map_;
    map_.reset();
    map_ = std::make_unique<analyzer::ConnectivityMap>(cluster(), identities(), family);
    family_ = family;
    return *map_;
}

FlowRoutes& Session::routes() {
    if (!routes_)
        routes_ = std::make_unique<FlowRoutes>(input_, cluster());
    return *routes_;
}

} // namespace polecat::driver
