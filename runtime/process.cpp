#include "runtime/process.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/wait.h>
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

} // namespace

Result<Output> run_program(const std::vector<std::string>& arguments, const std::string& input) {
    const File in = temporary(), out = temporary(), error = temporary();
    if (!in || !out || !error)
        return Error{std::string("no temporary file: ") + std::strerror(errno)};
    std::fwrite(input.data(), 1, input.size(), in.get());
    std::rewind(in.get());
    const pid_t child = fork();
    if (child < 0)
        return Error{std::string("cannot fork: ") + std::strerror(errno)};
    if (child == 0)
        become(arguments, in.get(), out.get(), error.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return Error{std::string("cannot wait: ") + std::strerror(errno)};
    Output result{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                  contents(out.get()), contents(error.get())};
    if (result.exit_code == 127 && result.error.empty())
        return Error{arguments.front() + " cannot be started: is it installed?"};
    return result;
}

} // namespace polecat::runtime
