#include "cli/polecat/bundle/watch.h"

#include <chrono>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "driver/watch/watched.h"
#include "frontend/discover.h"
#include "runtime/file_watch.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

using Clock = std::chrono::steady_clock;

/// One line of what was written. False: it can't be.
bool tell_update(const Watched& watched, const Result<Watched::Update>& update,
                 Clock::time_point since) {
    if (!update) {
        fmt::print(stderr, "polecat: cannot write {}\n", update.error());
        return false;
    }
    if (watched.refused()) {
        print_errors(watched.input(), true);
        fmt::print(stderr, "the bundle stays as it is\n");
        return true;
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since).count();
    const WrittenBundle& written = update->written;
    fmt::print("new: {}, {} bytes in {} ms{}\n", counted(written.new_parts, "part"),
               grouped_digits(written.new_bytes), took,
               update->whole.empty() ? "" : "; all was compiled: " + update->whole);
    if (written.signature_gone)
        fmt::print("no longer signed: sign it again with `polecat bundle sign`\n");
    std::fflush(stdout);
    return true;
}

} // namespace

int watch_bundle(const std::vector<std::string>& paths, const InputOptions& options,
                 const std::string& folder, bundle::Base base) {
    const auto skip = [&](const std::string& path) {
        std::error_code error;
        return frontend::is_of_tools(path) || std::filesystem::equivalent(path, folder, error);
    };
    runtime::FileWatch files(paths, skip); // before they are read: what changes since is told
    Watched watched(paths, options, folder, "polecat " POLECAT_VERSION, std::move(base));
    Clock::time_point since = Clock::now();
    if (!tell_update(watched, watched.read_all(""), since) || watched.refused())
        return kBadInput;
    print_errors(watched.input(), true);
    for (;;) {
        const auto changes = files.wait();
        if (!changes) {
            fmt::print(stderr, "polecat: cannot watch the manifests: {}\n", changes.error());
            return kBadInput;
        }
        since = Clock::now();
        const auto update = changes->folders ? watched.read_all("folders came or went")
                                             : watched.update(changes->files);
        const bool anything = !update || watched.refused() || !update->whole.empty() ||
                              update->written.new_bytes != 0;
        if (anything && !tell_update(watched, update, since))
            return kBadInput;
    }
}

} // namespace polecat::cli
