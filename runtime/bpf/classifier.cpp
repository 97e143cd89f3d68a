#include "runtime/bpf/classifier.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "artefact/bpf/layout.h"

namespace polecat::runtime {

namespace {

constexpr std::size_t kLineBytes = kBpfLineWords * sizeof(std::uint32_t);

/// As the program has it.
struct InUse {
    std::uint32_t line = 0, counter = 0, zero = 0;
};

Error bpf_failed(const std::string& what) {
    return {what + ": " + std::strerror(errno)};
}

bool is_quiet(libbpf_print_level level, const char*, va_list) {
    return level == LIBBPF_DEBUG;
}

} // namespace

struct Classifier::Loaded {
    bpf_object* object = nullptr;
    std::uint32_t lines = 0, counters = 0; ///< of one half
    char* memory = nullptr;                ///< of the tables, both halves
    bool second = false;                   ///< the half in use

    Loaded() = default;
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    ~Loaded() {
        if (memory != nullptr)
            munmap(memory, 2 * lines * kLineBytes);
        bpf_object__close(object);
    }
    bpf_map* map(const char* name) const { return bpf_object__find_map_by_name(object, name); }
    int program(const std::string& name) const {
        const bpf_program* found = bpf_object__find_program_by_name(object, name.c_str());
        return found == nullptr ? -1 : bpf_program__fd(found);
    }
    char* half(bool which) const { return memory + (which ? lines * kLineBytes : 0); }
};

Classifier::Classifier(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

Result<Classifier> Classifier::load(const std::string& object, const bpf::Image& like) {
    libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
        return is_quiet(level, format, arguments) ? 0 : vfprintf(stderr, format, arguments);
    });
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &none); // kernels before 5.11 count maps in it
    auto made = std::make_unique<Loaded>();
    made->object = bpf_object__open_file(object.c_str(), nullptr);
    if (made->object == nullptr)
        return bpf_failed(object + " can't be read");
    const auto room = [](std::size_t wanted) {
        return static_cast<std::uint32_t>(wanted + wanted / 2 + 64);
    };
    made->lines = room(like.tables.size() / kBpfLineWords);
    made->counters = room(like.tables.empty() ? 0 : like.tables[kBpfHeadCounters]);
    bpf_map* const tables = made->map("tables");
    bpf_map* const counters = made->map("counters");
    if (tables == nullptr || counters == nullptr ||
        bpf_map__set_max_entries(tables, 2 * made->lines) != 0 ||
        bpf_map__set_max_entries(counters, 2 * made->counters) != 0)
        return Error{object + " is no classifier of polecat"};
    if (bpf_object__load(made->object) != 0)
        return bpf_failed("the kernel refuses the classifier");
    void* const memory = mmap(nullptr, 2 * made->lines * kLineBytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED, bpf_map__fd(tables), 0);
    if (memory == MAP_FAILED)
        return bpf_failed("the tables' memory");
    made->memory = static_cast<char*>(memory);
    return Classifier(std::move(made));
}

Result<bool> Classifier::take(const bpf::Image& image) {
    const std::size_t size = image.tables.size() * sizeof image.tables.front();
    if (image.tables.empty() || size > loaded_->lines * kLineBytes ||
        image.tables[kBpfHeadCounters] > loaded_->counters)
        return Error{"the tables do not fit into the maps that were loaded"};
    const bool next = !loaded_->second;
    // A packet may still be judged by that half, which was in use before the last switch.
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        return bpf_failed("waiting for packets (membarrier)");
    std::memcpy(loaded_->half(next), image.tables.data(), size);
    const std::uint32_t zero = 0;
    const InUse in_use{next ? loaded_->lines : 0, next ? loaded_->counters : 0, 0};
    const int cpus = libbpf_num_possible_cpus();
    const std::vector<std::uint64_t> none(cpus < 1 ? 1 : static_cast<std::size_t>(cpus));
    for (std::uint32_t i = 0; i < image.tables[kBpfHeadCounters]; ++i) {
        const std::uint32_t key = in_use.counter + i;
        if (bpf_map_update_elem(bpf_map__fd(loaded_->map("counters")), &key, none.data(),
                                BPF_ANY) != 0)
            return bpf_failed("a counter");
    }
    if (bpf_map_update_elem(bpf_map__fd(loaded_->map("generation")), &zero, &in_use, BPF_ANY) != 0)
        return bpf_failed("the generation word");
    loaded_->second = next;
    return true;
}

Result<std::vector<std::uint32_t>> Classifier::tables() const {
    const char* const from = loaded_->half(loaded_->second);
    std::vector<std::uint32_t> out(kBpfLineWords);
    std::memcpy(out.data(), from, kLineBytes);
    if (out[kBpfHeadMagic] != kBpfMagic || out[kBpfHeadLines] > loaded_->lines)
        return Error{"no tables are loaded"};
    out.resize(std::size_t{out[kBpfHeadLines]} * kBpfLineWords);
    std::memcpy(out.data(), from, out.size() * sizeof out.front());
    return out;
}

Result<bool> Classifier::pin(const std::string& folder) const {
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return bpf_failed(folder);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, loaded_->object) {
        const std::string path = folder + "/" + bpf_program__name(program);
        unlink(path.c_str());
        if (bpf_program__pin(program, path.c_str()) != 0)
            return bpf_failed(path);
    }
    return true;
}

Result<Classifier::Run> Classifier::run(const std::string& program, const std::string& packet,
                                        int repeat) const {
    // The kernel takes off an Ethernet header, as a driver would, before the program sees it.
    std::string frame(12, '\0');
    frame += packet.empty() || (packet.front() & 0xf0) == 0x40 ? std::string("\x08\x00", 2)
                                                               : std::string("\x86\xdd", 2);
    frame += packet;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.repeat = repeat;
    if (bpf_prog_test_run_opts(loaded_->program(program), &options) != 0)
        return bpf_failed("the kernel does not run " + program);
    return Run{options.retval != 0, options.duration};
}

Result<std::uint64_t> Classifier::counted(std::uint32_t counter) const {
    const std::uint32_t key = (loaded_->second ? loaded_->counters : 0) + counter;
    std::vector<std::uint64_t> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    if (bpf_map_lookup_elem(bpf_map__fd(loaded_->map("counters")), &key, values.data()) != 0)
        return bpf_failed("a counter");
    std::uint64_t out = 0;
    for (const std::uint64_t each : values)
        out += each;
    return out;
}

std::size_t Classifier::instructions(const std::string& program) const {
    const bpf_program* found = bpf_object__find_program_by_name(loaded_->object, program.c_str());
    return found == nullptr ? 0 : bpf_program__insn_cnt(found);
}

Result<bool> enter_own_bpffs() {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return bpf_failed("no mount namespace of one's own");
    if (mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr) != 0)
        return bpf_failed("bpffs");
    return true;
}

} // namespace polecat::runtime
