#include "cli/polecat/program/report_options.h"

#include <filesystem>

#include "cli/polecat/program/pages.h"

namespace polecat::cli {

diag::ReportOptions report_options() {
    std::error_code failed;
    const std::filesystem::path here = std::filesystem::current_path(failed);
    return {POLECAT_VERSION, failed ? "" : here.generic_string(), POLECAT_DOCS_URL, page_of};
}

} // namespace polecat::cli
