#include <filesystem>

#include "driver/load/load.h"

namespace polecat::driver {

namespace fs = std::filesystem;

std::string installed_classifier() {
    std::error_code none;
    const fs::path beside = fs::read_symlink("/proc/self/exe", none).parent_path();
    const fs::path above = beside.parent_path(); // bin's; the portable folder has lib/polecat
    for (const fs::path& folder :
         {beside, above / "share" / "polecat", above.parent_path() / "share" / "polecat"})
        if (const fs::path file = folder / "classifier.bpf.o"; fs::exists(file, none))
            return file.string();
    return "";
}

} // namespace polecat::driver
