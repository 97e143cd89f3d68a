#include "runtime/write_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "support/read_file.h"

namespace polecat::runtime {

namespace {

Error write_failed(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

Result<std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> found(realpath(path.c_str(), nullptr), std::free);
    if (!found)
        return write_failed("it can't be found");
    return std::string(found.get());
}

bool reads(const std::string& path, const std::string& text) {
    const auto now = read_file(path);
    return now && *now == text;
}

bool write_all(int file, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t wrote = write(file, text.data() + done, text.size() - done);
        if (wrote < 0 && errno != EINTR)
            return false;
        done += wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
    }
    return true;
}

/// Fills a new file and gives it the owner and the mode of the old one.
Result<bool> fill(int file, const struct stat& old, const std::string& text) {
    struct stat made {};
    if (!write_all(file, text))
        return write_failed("writing failed");
    if (fstat(file, &made) != 0)
        return write_failed("writing failed");
    // The owner first: changing it clears set-user-id bits of the mode.
    if ((made.st_uid != old.st_uid || made.st_gid != old.st_gid) &&
        fchown(file, old.st_uid, old.st_gid) != 0)
        return write_failed("its owner can't be kept");
    if (fchmod(file, old.st_mode & 07777) != 0)
        return write_failed("its mode can't be kept");
    if (fsync(file) != 0)
        return write_failed("writing failed");
    return true;
}

/// So that the new name outlives a crash. The text is in place already; nothing to undo.
void sync_folder(const std::string& folder) {
    const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return;
    fsync(file);
    close(file);
}

} // namespace

Result<bool> replace_file(const std::string& path, const std::string& before,
                          const std::string& text) {
    const Result<std::string> real = real_path(path);
    if (!real)
        return Error{real.error()};
    struct stat old {};
    if (stat(real->c_str(), &old) != 0)
        return write_failed("it can't be read");
    if (!S_ISREG(old.st_mode))
        return Error{"it is not a regular file"};
    if (old.st_nlink > 1)
        return Error{"it has other hard links, which would keep the old text"};
    if (access(real->c_str(), W_OK) != 0)
        return write_failed("it can't be written");
    const std::string folder = real->substr(0, real->rfind('/') + 1);
    std::string temporary = folder + ".polecat-XXXXXX";
    const int file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0)
        return write_failed("no temporary file beside it");
    Result<bool> out = fill(file, old, text);
    if (close(file) != 0 && out)
        out = write_failed("writing failed");
    if (out && !reads(*real, before))
        out = Error{"it has changed since it was read"};
    if (out && std::rename(temporary.c_str(), real->c_str()) != 0)
        out = write_failed("it can't be replaced");
    if (out)
        sync_folder(folder);
    else
        unlink(temporary.c_str());
    return out;
}

namespace {

/// Into a pipe or a device, as "> path" of a shell would.
Result<bool> pass_on(const std::string& path, const std::string& text) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return write_failed("it can't be written");
    const bool written = write_all(file, text);
    if (close(file) != 0 || !written)
        return write_failed("writing failed");
    return true;
}

} // namespace

Result<bool> write_file(const std::string& path, const std::string& text) {
    struct stat old {};
    if (stat(path.c_str(), &old) == 0) {
        if (S_ISCHR(old.st_mode) || S_ISFIFO(old.st_mode))
            return pass_on(path, text);
        const auto before = read_file(path);
        return before ? replace_file(path, *before, text) : write_failed("it can't be read");
    }
    // O_EXCL: neither a link to nowhere nor a file that came meanwhile is written.
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return write_failed("it can't be made");
    const bool written = write_all(file, text) && fsync(file) == 0;
    if ((close(file) != 0) || !written) {
        const Error error = write_failed("writing failed");
        unlink(path.c_str());
        return error;
    }
    return true;
}

} // namespace polecat::runtime
