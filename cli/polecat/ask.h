/// `polecat reach` where an end or the port is left open: who can reach X, what can X reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/questions.h"
#include "ir/path/path.h"
#include "support/result.h"
#include "support/source.h"

namespace polecat::cli {

struct Question {
    std::string from, to, traffic; ///< as written; `traffic` empty: everything
    analyzer::AskedEnds source, destination;
    analyzer::ConnectionSet connections;
    bool explain = false;
};

/// What a question may ask of one end; a service is many questions (see service_questions).
Result<analyzer::AskedEnds> asked_ends(const decision::LoweredCluster& cluster,
                                       const std::string& text);

/// One question for each port of the service that `question` asks about and each port behind it.
std::vector<Question> service_questions(const decision::ServiceFront& service,
                                        const Question& question);

std::string answer_text(const decision::LoweredCluster& cluster, const Sources& sources,
                        const std::vector<Question>& questions);
std::string answer_json(const decision::LoweredCluster& cluster, const Sources& sources,
                        const std::vector<Question>& questions);

} // namespace polecat::cli
