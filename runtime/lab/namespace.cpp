#include "runtime/lab/namespace.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <unistd.h>

namespace polecat::runtime {

bool put(const std::string& path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    return static_cast<bool>(out.flush());
}

Error failed(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

int current_ns() {
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

Inside::Inside(int ns) : back_(current_ns()) {
    setns(ns, CLONE_NEWNET);
}

Inside::~Inside() {
    setns(back_, CLONE_NEWNET);
    close(back_);
}

} // namespace polecat::runtime
