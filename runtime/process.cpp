#include "runtime/process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sched.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace polecat::runtime {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Files instead of pipes: neither side can block the other, whatever the sizes.
File temporary() {
    return {std::tmpfile(), std::fclose};
}

std::string contents(std::FILE* file) {
    std::string out;
    std::rewind(file);
    char buffer[65536];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
        out.append(buffer, got);
    return out;
}

constexpr rlim_t kMostBytes = rlim_t{256} << 20; ///< that a confined program may write

/// In the child. A network namespace of its own has no way out; where the kernel gives none, what
/// the environment says must do.
void confine(const Confinement& confinement) {
    setpgid(0, 0);
    if (unshare(CLONE_NEWNET) != 0)
        (void)unshare(CLONE_NEWUSER | CLONE_NEWNET);
    const rlimit size{kMostBytes, kMostBytes};
    setrlimit(RLIMIT_FSIZE, &size);
    for (const std::string& each : confinement.environment)
        putenv(const_cast<char*>(each.c_str()));
}

[[noreturn]] void become(const std::vector<std::string>& arguments, std::FILE* in, std::FILE* out,
                         std::FILE* error) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    dup2(fileno(in), 0);
    dup2(fileno(out), 1);
    dup2(fileno(error), 2);
    execvp(argv[0], argv.data());
    _exit(127);
}

/// Its status; an error where it had to be killed.
Result<int> wait_for(pid_t child, const std::optional<Confinement>& confinement) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + (confinement ? confinement->limit : std::chrono::seconds(0));
    for (int status = 0;;) {
        const pid_t done = waitpid(child, &status, confinement ? WNOHANG : 0);
        if (done == child)
            return status;
        if (done < 0 && errno != EINTR)
            return Error{std::string("cannot wait: ") + std::strerror(errno)};
        if (confinement && Clock::now() > end) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return Error{"it took longer than " + std::to_string(confinement->limit.count()) +
                         " s"};
        }
        if (confinement)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

} // namespace

Result<Output> run_program(const std::vector<std::string>& arguments, const std::string& input,
                           const std::optional<Confinement>& confinement) {
    const File in = temporary(), out = temporary(), error = temporary();
    if (!in || !out || !error)
        return Error{std::string("no temporary file: ") + std::strerror(errno)};
    std::fwrite(input.data(), 1, input.size(), in.get());
    std::rewind(in.get());
    const pid_t child = fork();
    if (child < 0)
        return Error{std::string("cannot fork: ") + std::strerror(errno)};
    if (child == 0) {
        if (confinement)
            confine(*confinement);
        become(arguments, in.get(), out.get(), error.get());
    }
    const Result<int> waited = wait_for(child, confinement);
    if (!waited)
        return Error{waited.error()};
    const int status = *waited;
    Output result{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                  contents(out.get()), contents(error.get())};
    if (result.exit_code == 127 && result.error.empty())
        return Error{arguments.front() + " cannot be started: is it installed?"};
    return result;
}

bool is_installed(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "/bin:/usr/bin" : path);
    for (std::string folder; std::getline(folders, folder, ':');)
        if (access((folder + "/" + program).c_str(), X_OK) == 0)
            return true;
    return false;
}

} // namespace polecat::runtime
