#include "runtime/machine_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace polecat::runtime {

MachineLock::MachineLock(MachineLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

MachineLock::~MachineLock() {
    if (file_ >= 0)
        close(file_);
}

Result<MachineLock> MachineLock::take(std::chrono::milliseconds wait) {
    // Not closed by exec(): a child that outlives its parent still changes the kernel.
    const int file = open(kMachineLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (file < 0)
        return Error{std::string(kMachineLock) + " can't be opened: " + std::strerror(errno)};
    MachineLock out(file);
    const auto end = std::chrono::steady_clock::now() + wait;
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return Error{std::string(kMachineLock) + " can't be locked: " + std::strerror(errno)};
        if (std::chrono::steady_clock::now() >= end)
            return Error{std::string("another polecat load is under way (it has ") + kMachineLock +
                         "): nothing was changed, run this again when it has ended"};
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return out;
}

} // namespace polecat::runtime
