#include "support/listed.h"

namespace polecat {

std::string listed(const std::vector<std::string>& names, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < most; ++i)
        out += (i == 0 ? "" : ", ") + names[i];
    return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more"
                               : out;
}

} // namespace polecat
