/// The BPF classifier in the kernel: its programs loaded, its tables filled and switched. The only
/// place that talks to the kernel's BPF. A library of its own, as `polecat` can be
/// built without libbpf.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "artefact/bpf/image.h"
#include "support/result.h"

namespace polecat::runtime {

/// Who loads into a machine keeps others from it by its lock (runtime/machine_lock.h).
class Classifier {
  public:
    /// How a kernel keeps a half of the tables: as one element of a map, or, before elements may be
    /// so large, as one for each line, which costs a packet more.
    enum class Form : std::uint8_t { Whole, Lines };

    /// Loads the programs of an object file (`classifier.bpf.o`) with room for tables like these,
    /// and half as much again; in the first form that the kernel takes. Until take() nothing is
    /// allowed.
    static Result<Classifier> load(const std::string& object, const bpf::Image& like,
                                   Form first = Form::Whole);
    /// One that was pinned there, by whatever process. An error where it is not whole, or of
    /// another object file.
    static Result<Classifier> open(const std::string& folder, const std::string& object);
    Classifier(Classifier&&) noexcept;
    Classifier& operator=(Classifier&&) noexcept;
    ~Classifier();

    bool has_room_for(const bpf::Image& image) const;
    /// Fills the half that is not in use, then turns to it: packets meet the old tables or the new.
    /// The error says where they do not fit.
    Result<bool> take(const bpf::Image& image);
    /// Writes words of the half in use, each at once and one after the other.
    Result<bool> write(const std::vector<bpf::WordChange>& words);
    /// Tables were changed, and whoever did it has not said yet that the rest was done as well. It
    /// is kept in the kernel, for the case that he never does.
    bool is_unfinished() const;
    Result<bool> finish();
    /// The tables in use, as the kernel has them.
    Result<std::vector<std::uint32_t>> tables() const;

    /// Pins each program and map in a folder of bpffs by its name, in place of what is there.
    Result<bool> pin(const std::string& folder);

    Form form() const;
    struct Run {
        bool yes = false;
        std::uint32_t nanoseconds = 0; ///< of one of `repeat` runs
    };
    /// What a program says of an IP packet, by BPF_PROG_TEST_RUN.
    Result<Run> run(const std::string& program, const std::string& packet, int repeat = 1) const;
    /// Packets that a cell of the tables in use has decided.
    Result<std::uint64_t> counted(std::uint32_t counter) const;
    /// Instructions of a program as it was loaded; 0 of one that was opened.
    std::size_t instructions(const std::string& program) const;

  private:
    struct Loaded;
    explicit Classifier(std::unique_ptr<Loaded> loaded);
    std::unique_ptr<Loaded> loaded_;
};

/// Why nothing can be pinned in that folder, which may not be there yet; empty: it is in a bpffs.
std::string lacks_bpffs(const std::string& folder);
/// Mounts a bpffs of this process's own at /sys/fs/bpf.
Result<bool> enter_own_bpffs();

} // namespace polecat::runtime
