#include "runtime/file_watch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace polecat::runtime {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
/// Nothing has changed for so long: who writes several files is done.
constexpr int kQuiet = 50;
constexpr int kMostRounds = 40;

/// Whether something is to be read there: a new file is written first.
bool is_link(const std::string& path) {
    struct stat of {};
    return lstat(path.c_str(), &of) == 0 && (S_ISLNK(of.st_mode) || of.st_nlink > 1);
}

} // namespace

FileWatch::FileWatch(std::vector<std::string> paths, Skip skip)
    : paths_(std::move(paths)), skip_(std::move(skip)),
      queue_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (queue_ < 0)
        failure_ = std::strerror(errno);
    else
        watch_all();
}

FileWatch::~FileWatch() {
    if (queue_ >= 0)
        close(queue_);
}

/// Again after folders came: what is watched already stays.
void FileWatch::watch_all() {
    for (const std::string& path : paths_) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            watch(fs::path(path).parent_path().string());
            continue;
        }
        watch(path);
        for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
             at.increment(error)) {
            if (!at->is_directory(error) || at->is_symlink(error))
                continue;
            if (skip_(at->path().string()))
                at.disable_recursion_pending();
            else
                watch(at->path().string());
        }
        if (error && failure_.empty())
            failure_ = path + ": " + error.message();
    }
}

void FileWatch::watch(const std::string& folder) {
    const int id =
        inotify_add_watch(queue_, folder.empty() ? "." : folder.c_str(), kEvents | IN_ONLYDIR);
    if (id >= 0)
        folders_.emplace(id, folder);
    else if (errno != ENOENT && errno != ENOTDIR && failure_.empty()) // it went since
        failure_ = folder + ": " + std::strerror(errno);
}

void FileWatch::note(const std::string& folder, const char* name, unsigned mask, Changes& out) {
    const std::string path = (fs::path(folder) / name).string();
    if ((mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
        out.folders = out.folders || !skip_(path);
    else if ((mask & IN_CREATE) == 0 || is_link(path))
        out.files.insert(path);
}

/// Whether there were any.
bool FileWatch::read_events(Changes& out) {
    alignas(inotify_event) std::array<char, 1 << 16> buffer;
    bool any = false;
    for (;;) {
        const ssize_t size = read(queue_, buffer.data(), buffer.size());
        if (size <= 0) {
            if (size < 0 && errno != EAGAIN && errno != EINTR)
                failure_ = std::strerror(errno);
            return any;
        }
        for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = event.len == 0 ? "" : buffer.data() + at + sizeof event;
            at += sizeof event + event.len;
            any = true;
            const auto folder = folders_.find(event.wd);
            if ((event.mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) != 0 || folder == folders_.end())
                out.folders = true;
            else if ((event.mask & IN_IGNORED) != 0)
                folders_.erase(folder);
            else
                note(folder->second, name, event.mask, out);
        }
    }
}

Result<FileWatch::Changes> FileWatch::wait(std::optional<std::chrono::milliseconds> most) {
    Changes out;
    int patience = most ? static_cast<int>(most->count()) : -1;
    for (int round = 0; failure_.empty() && round < kMostRounds; ++round) {
        pollfd of{queue_, POLLIN, 0};
        const int ready = poll(&of, 1, patience);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            failure_ = std::strerror(errno);
        if (ready <= 0)
            break;
        read_events(out);
        if (out.folders || !out.files.empty())
            patience = kQuiet;
    }
    if (out.folders)
        watch_all();
    if (!failure_.empty())
        return Error{failure_};
    return out;
}

} // namespace polecat::runtime
