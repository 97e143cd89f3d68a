/// `polecat report`: one HTML page that needs nothing but itself.
#pragma once

#include <string>
#include <string_view>

#include "driver/report/report.h"

namespace polecat::cli {

std::string report_page(const driver::Report& report);

/// A page of docs/diagnostics as HTML: headings, paragraphs, lists, code.
std::string page_html(std::string_view markdown);

/// What the page is styled with and the script that filters its tables.
std::string_view report_style();
std::string_view report_script();

} // namespace polecat::cli
