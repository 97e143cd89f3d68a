#include "runtime/bpf/pinned_text.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace polecat::runtime {

namespace {

/// Of an element. Kernels before 5.13 take none that are large; elements stand one behind the
/// other.
constexpr std::uint32_t kTextPart = 4096;
constexpr std::uint32_t kTextHead = sizeof(std::uint32_t); ///< its length

struct OpenMap {
    explicit OpenMap(int map) : fd(map) {}
    OpenMap(const OpenMap&) = delete;
    OpenMap& operator=(const OpenMap&) = delete;
    ~OpenMap() {
        if (fd >= 0)
            close(fd);
    }
    int fd;
};

Error text_failed(const std::string& path) {
    return {path + ": " + std::strerror(errno)};
}

struct Unmap {
    std::size_t size = 0;
    void operator()(char* memory) const { munmap(memory, size); }
};
/// As many bytes of a map's memory; nullptr: `errno` says why not.
std::unique_ptr<char, Unmap> memory_of(int map, std::size_t size, int protection) {
    void* const found = mmap(nullptr, size, protection, MAP_SHARED, map, 0);
    return {found == MAP_FAILED ? nullptr : static_cast<char*>(found), Unmap{size}};
}

} // namespace

Result<bool> pin_text(const std::string& folder, const std::string& name, const std::string& text) {
    const std::string path = folder + "/" + name, made = folder + "/next_" + name;
    const auto size = static_cast<std::uint32_t>(text.size());
    const std::uint32_t parts = (size + kTextHead + kTextPart - 1) / kTextPart;
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &none); // kernels before 5.11 count maps in it
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = BPF_F_MMAPABLE;
    const OpenMap map(bpf_map_create(BPF_MAP_TYPE_ARRAY, name.c_str(), sizeof(std::uint32_t),
                                     kTextPart, parts, &options));
    if (map.fd < 0)
        return text_failed(path);
    const auto memory = memory_of(map.fd, std::size_t{parts} * kTextPart, PROT_READ | PROT_WRITE);
    if (memory == nullptr)
        return text_failed(path);
    std::memcpy(memory.get(), &size, sizeof size);
    std::memcpy(memory.get() + kTextHead, text.data(), size);
    unlink(made.c_str());
    if (bpf_obj_pin(map.fd, made.c_str()) != 0 || rename(made.c_str(), path.c_str()) != 0)
        return text_failed(path);
    return true;
}

Result<std::optional<std::string>> pinned_text(const std::string& folder, const std::string& name) {
    const std::string path = folder + "/" + name;
    const OpenMap map(bpf_obj_get(path.c_str()));
    if (map.fd < 0 && errno == ENOENT)
        return std::optional<std::string>();
    bpf_map_info info{};
    std::uint32_t length = sizeof info;
    if (map.fd < 0 || bpf_obj_get_info_by_fd(map.fd, &info, &length) != 0)
        return text_failed(path);
    if (info.value_size != kTextPart || info.max_entries == 0)
        return Error{path + " is no text"};
    const std::size_t room = std::size_t{info.max_entries} * kTextPart;
    const auto memory = memory_of(map.fd, room, PROT_READ);
    if (memory == nullptr)
        return text_failed(path);
    std::uint32_t size = 0;
    std::memcpy(&size, memory.get(), sizeof size);
    if (size > room - kTextHead)
        return Error{path + " is no text"};
    return std::optional(std::string(memory.get() + kTextHead, size));
}

} // namespace polecat::runtime
