/// `polecat reach` where an end or the port is left open: who can reach X, what can X reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/questions/open_ends.h"
#include "driver/input/unread.h"
#include "ir/path/path.h"
#include "support/result.h"
#include "support/source.h"

namespace polecat::driver {

/// What is asked of a service or of a port of a node, whoever answers behind it.
struct Through {
    ir::PathEnd front; ///< a service, a node or an address
    net::Protocol protocol = net::kTcp;
    std::uint16_t port = 0;
};

struct Question {
    std::string from, to, traffic; ///< as written; `traffic` empty: everything
    analyzer::AskedEnds source, destination;
    analyzer::ConnectionSet connections;
    bool explain = false;
    std::vector<net::Family> families; ///< in which it is asked; empty: any
    std::optional<Through> through;
    net::AddressSet source_ranges; ///< outside addresses that the service asked tells from others
};

/// What a question may ask of one end; a service is many questions (see service_questions).
Result<analyzer::AskedEnds> asked_ends(const decision::LoweredCluster& cluster,
                                       const std::string& text);

/// One question for each port of the service that `question` asks about and each port behind it.
/// Who is outside and not in loadBalancerSourceRanges asks in vain, and is left out.
std::vector<Question> service_questions(const decision::LoweredCluster& cluster,
                                        const decision::ServiceFront& service,
                                        const Question& question);

/// A question to an address or a node: what leads to backends there (addresses of services, ports
/// of nodes) is asked of these, the rest of who has the address.
std::vector<Question> questions_behind(const decision::LoweredCluster& cluster,
                                       const Question& question);

} // namespace polecat::driver
