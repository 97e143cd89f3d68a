#include "runtime/bpf/classifier.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "artefact/bpf/layout.h"
#include "support/read_file.h"
#include "support/sha2.h"

namespace polecat::runtime {

namespace {

constexpr std::size_t kLineBytes = kBpfLineWords * sizeof(std::uint32_t);

/// As the program has it.
struct InUse {
    std::uint32_t half = 0, zero = 0, unfinished = 0;
    std::array<std::uint32_t, 2> object{}; ///< digest of the file that the programs are from
};
struct Sizes {
    std::uint32_t last_word = 0, lines = 0, counters = 0;
};

constexpr std::array kMaps{"tables", "generation", "counters", "events"};
constexpr std::array kPrograms{"from",    "to",          "from_r",    "to_r", "from_logs",
                               "to_logs", "from_r_logs", "to_r_logs", "yes"};
constexpr std::size_t kJudges = 4; ///< of those: they count and tell

/// libbpf has numbers of its own beside the system's.
std::string last_bpf_error() {
    char text[128];
    libbpf_strerror(errno, text, sizeof text);
    return text;
}

Error bpf_failed(const std::string& what) {
    return {what + ": " + last_bpf_error()};
}

std::string libbpf_says; ///< since the last load began

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
    std::array<char, 4096> text{};
    // The verifier's words are long, and say nothing to who runs this.
    if (level == LIBBPF_WARN && libbpf_says.size() < text.size() &&
        vsnprintf(text.data(), text.size(), format, arguments) > 0)
        libbpf_says += text.data();
    return 0;
}

bpf_map_info info_of(int map) {
    bpf_map_info out{};
    std::uint32_t size = sizeof out;
    if (map < 0 || bpf_obj_get_info_by_fd(map, &out, &size) != 0)
        return {};
    return out;
}

/// By which those are known that another version loaded.
Result<std::array<std::uint32_t, 2>> digest_of_object(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes)
        return Error{path + ": " + bytes.error()};
    const auto digest = sha256(*bytes);
    std::array<std::uint32_t, 2> out{};
    std::memcpy(out.data(), digest.data(), sizeof out);
    return out;
}

bool asks_map(int program, std::uint32_t map) {
    std::array<std::uint32_t, 64> ids{};
    bpf_prog_info info{};
    info.nr_map_ids = ids.size();
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    std::uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(program, &info, &size) != 0)
        return false;
    const auto end = ids.begin() + std::min<std::size_t>(info.nr_map_ids, ids.size());
    return std::find(ids.begin(), end, map) != end;
}

std::uint32_t with_room(std::size_t wanted) {
    return static_cast<std::uint32_t>(wanted + wanted / 2 + 64);
}

} // namespace

struct Classifier::Loaded {
    bpf_object* object = nullptr; ///< nothing where it was opened
    std::map<std::string, int> programs, maps;
    Form form = Form::Whole;
    std::uint32_t lines = 0, counters = 0; ///< of one half
    char* memory = nullptr;                ///< of the tables, both halves
    bool second = false;                   ///< the half in use
    bool unfinished = false;
    std::array<std::uint32_t, 2> digest{}; ///< of the object file

    Loaded() = default;
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    ~Loaded() {
        if (memory != nullptr)
            munmap(memory, 2 * lines * kLineBytes);
        if (object == nullptr)
            for (const auto* list : {&programs, &maps})
                for (const auto& [name, fd] : *list)
                    close(fd);
        bpf_object__close(object);
    }
    int map(const char* name) const { return maps.at(name); }
    char* half(bool which) const { return memory + (which ? lines * kLineBytes : 0); }

    Result<bool> load(const std::string& path, Form wanted, std::uint32_t most_counters) {
        form = wanted;
        counters = most_counters;
        const auto digested = digest_of_object(path);
        if (!digested)
            return Error{digested.error()};
        digest = *digested;
        object = bpf_object__open_file(path.c_str(), nullptr);
        if (object == nullptr)
            return bpf_failed(path + " can't be read");
        if (!size_maps())
            return Error{path + " is no classifier of polecat"};
        if (bpf_object__load(object) != 0)
            return Error{"the kernel refuses the classifier: " + last_bpf_error() + "\n" +
                         libbpf_says};
        for (const char* name : kMaps)
            maps[name] = bpf_object__find_map_fd_by_name(object, name);
        for (const char* name : kPrograms)
            programs[name] = bpf_program__fd(bpf_object__find_program_by_name(object, name));
        return look();
    }
    bool size_maps() const {
        bpf_map* const tables = bpf_object__find_map_by_name(object, "tables");
        bpf_map* const counted = bpf_object__find_map_by_name(object, "counters");
        bpf_map* const constants = bpf_object__find_map_by_name(object, ".rodata");
        for (const char* name : kPrograms)
            if (bpf_object__find_program_by_name(object, name) == nullptr)
                return false;
        const Sizes sizes{form == Form::Whole ? lines * kBpfLineWords - 1 : 0, lines, counters};
        if (tables == nullptr || counted == nullptr || constants == nullptr ||
            bpf_map__set_initial_value(constants, &sizes, sizeof sizes) != 0)
            return false;
        return bpf_map__set_max_entries(counted, 2 * counters) == 0 &&
               (form == Form::Whole ? bpf_map__set_value_size(
                                          tables, static_cast<std::uint32_t>(lines * kLineBytes))
                                    : bpf_map__set_max_entries(tables, 2 * lines)) == 0;
    }

    Result<bool> open(const std::string& folder, const std::string& file) {
        for (const char* name : kMaps)
            maps[name] = bpf_obj_get((folder + "/" + name).c_str());
        for (const char* name : kPrograms)
            programs[name] = bpf_obj_get((folder + "/" + name).c_str());
        for (const auto* list : {&programs, &maps})
            for (const auto& [name, fd] : *list)
                if (fd < 0)
                    return Error{folder + " has no " + name};
        const bpf_map_info tables = info_of(map("tables"));
        form = tables.value_size == kLineBytes ? Form::Lines : Form::Whole;
        lines = form == Form::Lines ? tables.max_entries / 2
                                    : static_cast<std::uint32_t>(tables.value_size / kLineBytes);
        counters = info_of(map("counters")).max_entries / 2;
        if (lines == 0 || counters == 0)
            return Error{folder + " holds no classifier of this version"};
        if (!belong_together())
            return Error{folder + " holds programs of one load and tables of another"};
        const auto digested = digest_of_object(file);
        if (!digested)
            return Error{digested.error()};
        if (const auto looked = look(); !looked)
            return Error{looked.error()};
        if (digest != *digested)
            return Error{folder + " holds a classifier that is not that of " + file};
        return true;
    }
    /// Pins are put one by one: whoever was killed meanwhile left some of two loads.
    bool belong_together() const {
        for (std::size_t i = 0; i < kPrograms.size(); ++i) {
            const int program = programs.at(kPrograms[i]);
            bpf_prog_info info{};
            std::uint32_t size = sizeof info;
            if (bpf_obj_get_info_by_fd(program, &info, &size) != 0 ||
                std::string_view(info.name) != kPrograms[i])
                return false;
            if (kPrograms[i] == std::string_view("yes"))
                continue;
            for (const char* name : kMaps)
                if ((i < kJudges || name == std::string_view("tables") ||
                     name == std::string_view("generation")) &&
                    !asks_map(program, info_of(map(name)).id))
                    return false;
        }
        return true;
    }
    Result<bool> turn(bool to_second, bool is_unfinished) {
        const std::uint32_t zero = 0;
        const InUse in_use{to_second ? 1U : 0U, 0, is_unfinished ? 1U : 0U, digest};
        if (bpf_map_update_elem(map("generation"), &zero, &in_use, BPF_ANY) != 0)
            return bpf_failed("the generation word");
        second = to_second;
        unfinished = is_unfinished;
        return true;
    }
    /// At what the kernel has.
    Result<bool> look() {
        const std::uint32_t zero = 0;
        InUse in_use;
        if (info_of(map("generation")).value_size != sizeof in_use)
            return Error{"the generation word is not of this version"};
        if (bpf_map_lookup_elem(map("generation"), &zero, &in_use) != 0)
            return bpf_failed("the generation word");
        second = in_use.half != 0;
        unfinished = in_use.unfinished != 0;
        if (object == nullptr)
            digest = in_use.object;
        void* const found = mmap(nullptr, 2 * lines * kLineBytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED, map("tables"), 0);
        if (found == MAP_FAILED)
            return bpf_failed("the tables' memory");
        memory = static_cast<char*>(found);
        return true;
    }
};

Classifier::Classifier(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

Result<Classifier> Classifier::load(const std::string& object, const bpf::Image& like, Form first) {
    libbpf_set_print(keep_words);
    libbpf_says.clear();
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &none); // kernels before 5.11 count maps in it
    const std::size_t counters = like.tables.empty() ? 0 : like.tables[kBpfHeadCounters];
    for (Form form = first;; form = Form::Lines) {
        auto made = std::make_unique<Loaded>();
        made->lines = with_room(like.tables.size() / kBpfLineWords);
        if (const auto done = made->load(object, form, with_room(counters)); done)
            return Classifier(std::move(made));
        else if (form == Form::Lines)
            return Error{done.error()};
    }
}

Result<Classifier> Classifier::open(const std::string& folder, const std::string& object) {
    auto made = std::make_unique<Loaded>();
    if (const auto done = made->open(folder, object); !done)
        return Error{done.error()};
    return Classifier(std::move(made));
}

Classifier::Form Classifier::form() const {
    return loaded_->form;
}

bool Classifier::has_room_for(const bpf::Image& image) const {
    return image.tables.size() <= std::size_t{loaded_->lines} * kBpfLineWords &&
           image.tables[kBpfHeadCounters] <= loaded_->counters;
}

Result<bool> Classifier::take(const bpf::Image& image) {
    if (image.tables.empty() || image.tables[kBpfHeadMagic] != kBpfMagic ||
        image.tables[kBpfHeadVersion] != kBpfVersion)
        return Error{"the tables are not of this version"};
    if (!has_room_for(image))
        return Error{"the tables do not fit into the maps that were loaded"};
    const bool next = !loaded_->second;
    // A packet may still be judged by that half, which was in use before the last switch.
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        return bpf_failed("waiting for packets (membarrier)");
    std::memcpy(loaded_->half(next), image.tables.data(),
                image.tables.size() * sizeof image.tables.front());
    const int cpus = libbpf_num_possible_cpus();
    const std::vector<std::uint64_t> none(cpus < 1 ? 1 : static_cast<std::size_t>(cpus));
    for (std::uint32_t i = 0; i < image.tables[kBpfHeadCounters]; ++i) {
        const std::uint32_t key = (next ? loaded_->counters : 0) + i;
        if (bpf_map_update_elem(loaded_->map("counters"), &key, none.data(), BPF_ANY) != 0)
            return bpf_failed("a counter");
    }
    return loaded_->turn(next, true);
}

Result<bool> Classifier::write(const std::vector<bpf::WordChange>& words) {
    if (const auto said = loaded_->turn(loaded_->second, true); !said)
        return Error{said.error()};
    auto* const half = reinterpret_cast<std::uint32_t*>(loaded_->half(loaded_->second));
    for (const bpf::WordChange& each : words)
        if (each.word < std::size_t{loaded_->lines} * kBpfLineWords)
            std::atomic_ref(half[each.word]).store(each.value);
    return true;
}

bool Classifier::is_unfinished() const {
    return loaded_->unfinished;
}

Result<bool> Classifier::finish() {
    return loaded_->turn(loaded_->second, false);
}

Result<std::vector<std::uint32_t>> Classifier::tables() const {
    const char* const from = loaded_->half(loaded_->second);
    std::vector<std::uint32_t> out(kBpfLineWords);
    std::memcpy(out.data(), from, kLineBytes);
    if (out[kBpfHeadMagic] != kBpfMagic || out[kBpfHeadVersion] != kBpfVersion ||
        out[kBpfHeadLines] > loaded_->lines)
        return Error{"no tables are loaded"};
    out.resize(std::size_t{out[kBpfHeadLines]} * kBpfLineWords);
    std::memcpy(out.data(), from, out.size() * sizeof out.front());
    return out;
}

Result<bool> Classifier::pin(const std::string& folder) {
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return bpf_failed(folder);
    for (const auto* list : {&loaded_->maps, &loaded_->programs})
        for (const auto& [name, fd] : *list) {
            const std::string path = folder + "/" + name, made = folder + "/next_" + name;
            unlink(made.c_str());
            if (bpf_obj_pin(fd, made.c_str()) != 0 || rename(made.c_str(), path.c_str()) != 0)
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
    if (bpf_prog_test_run_opts(loaded_->programs.at(program), &options) != 0)
        return bpf_failed("the kernel does not run " + program);
    return Run{options.retval != 0, options.duration};
}

Result<std::uint64_t> Classifier::counted(std::uint32_t counter) const {
    const std::uint32_t key = (loaded_->second ? loaded_->counters : 0) + counter;
    std::vector<std::uint64_t> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    if (bpf_map_lookup_elem(loaded_->map("counters"), &key, values.data()) != 0)
        return bpf_failed("a counter");
    std::uint64_t out = 0;
    for (const std::uint64_t each : values)
        out += each;
    return out;
}

std::size_t Classifier::instructions(const std::string& program) const {
    const bpf_program* found =
        loaded_->object == nullptr
            ? nullptr
            : bpf_object__find_program_by_name(loaded_->object, program.c_str());
    return found == nullptr ? 0 : bpf_program__insn_cnt(found);
}

std::string lacks_bpffs(const std::string& folder) {
    std::filesystem::path there = folder;
    std::error_code none;
    while (there.has_relative_path() && !std::filesystem::exists(there, none))
        there = there.parent_path();
    struct statfs found {};
    if (statfs(there.c_str(), &found) == 0 && found.f_type == BPF_FS_MAGIC)
        return {};
    return folder + " is in no bpffs, where programs are kept: `mount -t bpf bpf /sys/fs/bpf` "
                    "mounts one";
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
