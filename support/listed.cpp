#include "support/listed.h"

namespace polecat {

std::string listed(const std::vector<std::string>& names, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < most; ++i)
        out += (i == 0 ? "" : ", ") + names[i];
    return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more"
                               : out;
}

std::string grouped_digits(std::size_t number) {
    std::string out = std::to_string(number);
    for (std::size_t at = out.size(); at > 3; at -= 3)
        out.insert(at - 3, ",");
    return out;
}

std::string counted(std::size_t number, std::string_view word) {
    const bool hisses = word.ends_with('x') || word.ends_with('s');
    return grouped_digits(number) + " " + std::string(word) +
           (number == 1 ? ""
            : hisses    ? "es"
                        : "s");
}

} // namespace polecat
