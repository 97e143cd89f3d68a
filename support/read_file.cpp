#include "support/read_file.h"

#include <fstream>
#include <sstream>

namespace polecat {

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return Error{"it can't be opened"};
    std::ostringstream text;
    if (in.peek() == std::ifstream::traits_type::eof() && !in.bad())
        return std::string(); // nothing put into a stream fails it
    text << in.rdbuf();
    if (in.bad() || !text)
        return Error{"reading failed"};
    return std::move(text).str();
}

} // namespace polecat
