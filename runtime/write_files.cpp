#include "runtime/write_files.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace polecat::runtime {

namespace {

namespace fs = std::filesystem;

Error files_failed(const std::string& path) {
    return Error{path + ": " + std::strerror(errno)};
}

/// Closes as well.
bool fill_and_close(int file, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = write(file, text.data() + done, text.size() - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
    }
    const int error = done < text.size() ? errno : 0;
    const bool closed = close(file) == 0;
    if (error != 0)
        errno = error;
    return error == 0 && closed;
}

Result<bool> write_one(const std::string& path, const std::string& text) {
    std::string temporary = path + ".XXXXXX";
    const int file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0)
        return files_failed(path);
    if (fchmod(file, 0644) == 0 && fill_and_close(file, text) &&
        std::rename(temporary.c_str(), path.c_str()) == 0)
        return true;
    Error error = files_failed(path);
    unlink(temporary.c_str());
    return error;
}

} // namespace

Result<bool> write_files(const std::string& folder,
                         const std::map<std::string, std::string>& texts) {
    std::error_code error;
    fs::create_directories(folder, error);
    for (const auto& [name, text] : texts) {
        const fs::path path = fs::path(folder) / name;
        if (!error)
            fs::create_directories(path.parent_path(), error);
        if (error)
            return Error{path.string() + ": " + error.message()};
        if (auto done = write_one(path.string(), text); !done)
            return done;
    }
    const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return files_failed(folder);
    const bool synced = texts.empty() || syncfs(opened) == 0;
    close(opened);
    return synced ? Result<bool>(true) : files_failed(folder);
}

Result<bool> write_private_file(const std::string& path, const std::string& text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return files_failed(path);
    if (fill_and_close(file, text))
        return true;
    Error error = files_failed(path);
    unlink(path.c_str());
    return error;
}

} // namespace polecat::runtime
