#include "runtime/temporary_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace polecat::runtime {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(std::string path) : path_(std::move(path)) {}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty())
        fs::remove_all(path_, error);
}

Result<TemporaryFolder> TemporaryFolder::make() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "polecat-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
        return Error{std::string("no temporary folder: ") + std::strerror(errno)};
    return TemporaryFolder(std::move(name));
}

Result<bool> TemporaryFolder::write(const std::string& name, const std::string& text) const {
    const fs::path relative = fs::path(name).lexically_normal();
    const bool above = std::find(relative.begin(), relative.end(), "..") != relative.end();
    if (relative.is_absolute() || above)
        return Error{name + " is not below the folder"};
    const fs::path whole = fs::path(path_) / relative;
    std::error_code error;
    fs::create_directories(whole.parent_path(), error);
    std::ofstream out(whole, std::ios::binary);
    out << text;
    out.close();
    return out ? Result<bool>(true) : Result<bool>(Error{name + " can't be written"});
}

} // namespace polecat::runtime
